//! A stream that can be cut from outside, wherever its owner waits, and that counts what goes over it.
//!
//! The SSH library runs a connection in a task of its own, which nobody can end: a stream that fails under it ends it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::metrics::Metrics;

/// Cuts a stream. Dropping it cuts too.
#[derive(Debug)]
pub(super) struct Scissors(watch::Sender<bool>);

impl Scissors {
    /// Every read and write from now on fails, those that wait too.
    pub(super) fn cut(&self) {
        self.0.send_replace(true);
    }
}

/// The stream.
pub(super) struct Cut<S> {
    stream: S,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    metrics: Arc<Metrics>,
}

impl<S> Cut<S> {
    pub(super) fn new(stream: S, metrics: Arc<Metrics>) -> (Cut<S>, Scissors) {
        let (sender, mut receiver) = watch::channel(false);
        let cut = Box::pin(async move {
            // An error: the scissors are gone, and so is whoever watched over this stream.
            let _ = receiver.wait_for(|cut| *cut).await;
        });
        let cut = Cut {
            stream,
            cut,
            metrics,
        };
        (cut, Scissors(sender))
    }

    fn is_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        // Reading and writing are one task's: whichever polled last is woken.
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => {
                self.cut = Box::pin(std::future::ready(()));
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cut<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.is_cut(cx)?;
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.metrics.bytes_in.add(buf.filled().len() - before);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cut<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.is_cut(cx)?;
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = &wrote {
            self.metrics.bytes_out.add(*written);
        }
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_cut(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_cut(cx)?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let (here, _there) = duplex(64);
        let (mut cut, scissors) = Cut::new(here, Arc::default());
        let waiting = tokio::spawn(async move {
            let read = cut.read_u8().await;
            (read.map_err(|error| error.kind()), cut.write_u8(1).await)
        });
        tokio::task::yield_now().await;
        scissors.cut();
        let (read, wrote) = waiting.await.unwrap();
        assert_eq!(read, Err(io::ErrorKind::ConnectionAborted));
        assert!(wrote.is_err());
    }
}
