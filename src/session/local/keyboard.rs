//! What the local terminal sends, as any other line sends it.
//!
//! A thread of its own reads it: to be told when a terminal has something, its file would have to be made non-blocking,
//! and that would be so for the shell too.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc;

/// Bytes read at once.
const PIECE: usize = 1024;
/// Pieces that may wait; beyond that the terminal waits.
const PIECES: usize = 8;

/// The bytes of the local terminal. Dropping it ends the thread, so that what is typed afterwards is the shell's.
#[derive(Debug)]
pub(super) struct Keyboard {
    pieces: mpsc::Receiver<Vec<u8>>,
    piece: Vec<u8>,
    taken: usize,
    /// Closed when this is dropped, which the thread notices.
    _open: OwnedFd,
}

impl Keyboard {
    /// Begins to read standard input.
    ///
    /// # Errors
    /// There is no room for a pipe or a thread.
    pub(super) fn open() -> io::Result<Keyboard> {
        let (closed, open) = rustix::pipe::pipe()?;
        let (sender, pieces) = mpsc::channel(PIECES);
        let thread = std::thread::Builder::new().name("keyboard".to_owned());
        thread.spawn(move || read(&closed, &sender))?;
        Ok(Keyboard {
            pieces,
            piece: Vec::new(),
            taken: 0,
            _open: open,
        })
    }
}

/// Reads until the terminal closes or nobody wants to know any more.
fn read(closed: &OwnedFd, pieces: &mpsc::Sender<Vec<u8>>) {
    let stdin = io::stdin();
    let mut piece = [0; PIECE];
    loop {
        let mut ready = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::new(closed, PollFlags::IN),
        ];
        match poll(&mut ready, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        if !ready[1].revents().is_empty() {
            return;
        }
        match rustix::io::read(&stdin, &mut piece) {
            Ok(0) => return,
            Ok(read) => {
                if pieces.blocking_send(piece[..read].to_vec()).is_err() {
                    return;
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return,
        }
    }
}

impl AsyncRead for Keyboard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.taken == self.piece.len() {
            // None is the end, as nothing read is.
            self.piece = ready!(self.pieces.poll_recv(cx)).unwrap_or_default();
            self.taken = 0;
        }
        let rest = &self.piece[self.taken..];
        let taken = rest.len().min(into.remaining());
        into.put_slice(&rest[..taken]);
        self.taken += taken;
        Poll::Ready(Ok(()))
    }
}
