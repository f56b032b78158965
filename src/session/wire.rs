//! A session at the end of a line: bytes in, bytes out.
//!
//! Whatever carries the bytes, the session is the same. Here is what keeps a slow line from falling behind. The session
//! draws only when the frame before has gone out, and, where the terminal answers `ESC[5n`, when the terminal has read
//! nearly all of it: what has gone out may still wait in the buffers of two kernels and an SSH client, minutes of it on a
//! thin line. A line that takes nothing costs nothing: no frame is drawn for it.

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Event, INPUTS, Services, Session, Settings, Station, Terminal};
use crate::terminal::decoder::{Answer, Heard};
use crate::terminal::input::Input;
use crate::terminal::{Decoder, Painter, Profile, Scanner, scanner};
use crate::tui::{Charset, Start};

/// Asks the terminal whether it is well: it answers when it has read all that came before.
const ASK: &[u8] = b"\x1b[5n";
/// Asks it what class of terminal it is.
const ASK_CLASS: &[u8] = b"\x1b[c";
/// Questions that may be unanswered.
const UNANSWERED: u64 = 2;
/// So many bytes go out without a question: they are a quarter of a second at 960 bytes a second, and the answer to each
/// step through a list would cost the server as much as the step.
const SMALL: usize = 256;
/// After a frame of more bytes than this its answer is waited for: at 960 bytes a second it is half a second.
const LARGE: usize = 512;
/// A terminal that has never answered by then does not.
const NEVER: Duration = Duration::from_secs(3);
/// The answer of a terminal that has answered before is waited for so long; then it is lost.
const LOST: Duration = Duration::from_secs(10);
/// For the last frame, and for giving the terminal back, when the session is over.
const GOODBYE: Duration = Duration::from_secs(2);
/// Bytes that are read at once.
const READ: usize = 1024;

/// What a terminal has answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// How often that it is there.
    here: u64,
    /// What class it is; 0: it has not said.
    class: u16,
}

/// What carries a session.
#[derive(Debug)]
pub struct Line<R, W> {
    /// What the terminal sends.
    pub input: R,
    /// What it is sent. A write waits while the line takes nothing.
    pub output: W,
    /// The terminal.
    pub station: Station,
    /// What the other side of the line says beside the bytes.
    pub outside: watch::Receiver<Outside>,
}

/// What is known of the terminal beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    size: (u16, u16),
    end: Option<Ending>,
}

/// How the other side of a line ends its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// A line that is left on the terminal when it has been given back; may be empty.
    pub notice: Arc<str>,
    /// What is signed and on its way is waited for: its outcome is still shown.
    pub after_outcomes: bool,
}

/// The other side of a line: says how large the terminal is, and when the session is to end. Dropping it ends the
/// session too. None of this ever waits.
#[derive(Debug)]
pub struct Handle(watch::Sender<Outside>);

impl Handle {
    /// For a terminal of that size, in columns and rows; and what [`Line`] takes.
    pub fn new(size: (u16, u16)) -> (Handle, watch::Receiver<Outside>) {
        let (handle, outside) = watch::channel(Outside { size, end: None });
        (Handle(handle), outside)
    }

    /// The terminal has another size. Of many in a row the last counts.
    pub fn resize(&self, size: (u16, u16)) {
        self.0.send_modify(|outside| outside.size = size);
    }

    /// Ends the session; the terminal is given back.
    pub fn end(&self) {
        self.end_with("", false);
    }

    /// Ends the session, perhaps only when the outcomes of what was signed are known; a notice is left on the terminal.
    /// The first notice counts.
    pub fn end_with(&self, notice: &str, after_outcomes: bool) {
        self.0.send_modify(|outside| {
            let notice = match outside.end.take() {
                Some(earlier) => earlier.notice,
                None => notice.into(),
            };
            outside.end = Some(Ending {
                notice,
                after_outcomes,
            });
        });
    }
}

/// Runs a session that begins with `start` on a line, until the person leaves, the line closes, or the other side ends
/// it. The terminal is given back as far as the line still carries anything.
///
/// # Errors
/// The line is broken.
pub async fn run<R, W>(
    services: Services,
    settings: Settings,
    start: Start,
    line: Line<R, W>,
) -> io::Result<()>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let profile = line.station.profile();
    let size = line.outside.borrow().size;
    let (events, mut received) = mpsc::channel(INPUTS);
    let (answers, answered) = watch::channel(Answers::default());
    let (charset, charsets) = watch::channel(profile.charset);
    let scans = settings.scanner.clone();
    let terminal = Wire::new(line.output, profile, answered, charset);
    let outside = line.outside.clone();
    let mut session = Session::new(services, settings, line.station, terminal, size, start);
    let listening = async {
        let ears = (charsets, scans);
        listen(line.input, ears, line.outside, &events, &answers).await;
        std::future::pending::<()>().await;
    };
    let ran = tokio::select! {
        ran = session.run(&mut received) => ran,
        () = listening => Ok(()),
    };
    let mut terminal = session.into_terminal();
    ran?;
    // A line that takes nothing any more is cut where it is.
    let ending = outside.borrow().end.clone();
    let notice = ending.map_or_else(|| Arc::from(""), |ending| ending.notice);
    match tokio::time::timeout(GOODBYE, terminal.goodbye(&notice)).await {
        Ok(said) => said,
        Err(_late) => Ok(()),
    }
}

/// Gives a session what comes in, until the line closes or the other side ends it, and then its end. `answers` counts
/// what the terminal answers; `charset` is what it writes in, which may change.
pub(super) async fn listen<R: AsyncRead + Unpin>(
    input: R,
    (mut charset, scans): (watch::Receiver<Charset>, scanner::Settings),
    outside: watch::Receiver<Outside>,
    events: &mpsc::Sender<Event>,
    answers: &watch::Sender<Answers>,
) {
    let now = *charset.borrow_and_update();
    let mut ears = Ears {
        decoder: Decoder::new(now),
        charset,
        scanner: Scanner::new(scans),
        events,
        answers,
    };
    ears.listen(input, outside).await;
    // The session may have ended by itself.
    let _ = events.send(Event::End).await;
}

/// Takes what comes in.
struct Ears<'a> {
    decoder: Decoder,
    charset: watch::Receiver<Charset>,
    scanner: Scanner,
    events: &'a mpsc::Sender<Event>,
    answers: &'a watch::Sender<Answers>,
}

impl Ears<'_> {
    /// Hands on what comes in, until the line closes or the other side ends it.
    async fn listen<R>(&mut self, mut input: R, mut outside: watch::Receiver<Outside>)
    where
        R: AsyncRead + Unpin,
    {
        let mut bytes = [0; READ];
        let mut heard = Vec::new();
        loop {
            // An error: the session is about to end.
            if self.charset.has_changed().unwrap_or(false) {
                self.decoder.read_as(*self.charset.borrow_and_update());
            }
            let unfinished = self.decoder.deadline().into_iter();
            let unfinished = unfinished.chain(self.scanner.deadline()).min();
            let given_up = async {
                match unfinished {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                read = input.read(&mut bytes) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(read) => self.decoder.feed(&bytes[..read], now(), &mut heard),
                },
                () = given_up => {
                    self.decoder.expire(now(), &mut heard);
                    if !self.let_go().await {
                        return;
                    }
                }
                changed = outside.changed() => {
                    let now = outside.borrow_and_update().clone();
                    match now.end {
                        None if changed.is_ok() => {
                            heard.push(Heard::Input(Input::Resize(now.size.0, now.size.1)));
                        }
                        Some(Ending { after_outcomes: true, .. }) if changed.is_ok() => {
                            if self.events.send(Event::Finish).await.is_err() {
                                return;
                            }
                        }
                        _ => return,
                    }
                }
            }
            for heard in heard.drain(..) {
                if !self.hand_on(heard).await {
                    return;
                }
            }
        }
    }

    /// Says whether anybody takes it.
    async fn hand_on(&mut self, heard: Heard) -> bool {
        match heard {
            Heard::Answer(Answer::Here) => self.answers.send_modify(|said| said.here += 1),
            Heard::Answer(Answer::Class(class)) => {
                self.answers.send_modify(|said| said.class = class);
            }
            Heard::Answer(Answer::Cursor { .. }) => {}
            Heard::Input(input) => {
                let mut meant = Vec::new();
                self.scanner.feed(input, now(), &mut meant);
                return self.send(meant).await;
            }
        }
        true
    }

    /// What may have been the beginning of a scan goes on if nothing has come behind it. Says whether anybody takes it.
    async fn let_go(&mut self) -> bool {
        let mut meant = Vec::new();
        self.scanner.expire(now(), &mut meant);
        self.send(meant).await
    }

    async fn send(&self, meant: Vec<Input>) -> bool {
        for input in meant {
            // The line waits while the session is busy.
            if self.events.send(Event::Input(input)).await.is_err() {
                return false;
            }
        }
        true
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// A terminal at the end of a line.
#[derive(Debug)]
struct Wire<W> {
    output: W,
    profile: Profile,
    painter: Painter,
    /// The frame that is going out, and how much of it has.
    going: Vec<u8>,
    gone: usize,
    flow: Flow,
    /// Tells the decoder.
    charset: watch::Sender<Charset>,
}

impl<W: AsyncWrite + Unpin> Wire<W> {
    fn new(
        output: W,
        profile: Profile,
        answered: watch::Receiver<Answers>,
        charset: watch::Sender<Charset>,
    ) -> Wire<W> {
        let mut wire = Wire {
            output,
            profile,
            painter: Painter::new(profile),
            going: Vec::new(),
            gone: 0,
            flow: Flow::new(profile.answers, answered),
            charset,
        };
        // The first question is alone, so that its answer does not wait for a whole screen.
        wire.send(hello(&profile));
        wire
    }

    fn send(&mut self, mut bytes: Vec<u8>) {
        if self.flow.sends(bytes.len()) {
            bytes.extend_from_slice(ASK);
        }
        self.going.drain(..self.gone);
        self.gone = 0;
        self.going.append(&mut bytes);
    }

    /// Writes what is on its way. Dropping this loses nothing: what has gone is counted.
    async fn write(&mut self) -> io::Result<()> {
        while self.gone < self.going.len() {
            match self.output.write(&self.going[self.gone..]).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => self.gone += written,
            }
            if self.gone == self.going.len() {
                self.flow.gone_out();
            }
        }
        // Kept room would be kept for every session.
        self.going = Vec::new();
        self.gone = 0;
        self.output.flush().await
    }

    async fn goodbye(&mut self, notice: &str) -> io::Result<()> {
        self.write().await?;
        let mut last = self.profile.goodbye();
        if !notice.is_empty() {
            last.extend_from_slice(self.profile.theme().text(notice).as_bytes());
            last.extend_from_slice(b"\r\n");
        }
        self.output.write_all(&last).await?;
        self.output.flush().await
    }
}

/// What takes a terminal over.
fn hello(profile: &Profile) -> Vec<u8> {
    let mut bytes = profile.hello();
    if profile.repeats {
        bytes.extend_from_slice(ASK_CLASS);
    }
    bytes
}

impl<W: AsyncWrite + Unpin + Send> Terminal for Wire<W> {
    async fn ready(&mut self) -> io::Result<()> {
        self.write().await?;
        self.flow.ready().await;
        Ok(())
    }

    fn show(&mut self, frame: &Buffer, cursor: Option<Position>) -> io::Result<bool> {
        self.painter.is_of_class(self.flow.class());
        let bytes = self.painter.frame(frame, cursor);
        if bytes.is_empty() {
            return Ok(false);
        }
        self.send(bytes);
        Ok(true)
    }

    /// There is no shell to go back to: the screen is drawn anew, which helps where something else wrote on it.
    fn suspend(&mut self) -> io::Result<()> {
        self.painter.forget();
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.painter.forget();
        Ok(())
    }

    fn change(&mut self, profile: Profile) -> io::Result<()> {
        let mut bytes = self.profile.goodbye();
        bytes.extend(hello(&profile));
        self.send(bytes);
        self.profile = profile;
        self.painter = Painter::new(profile);
        self.charset.send_replace(profile.charset);
        Ok(())
    }
}

/// How far the terminal has read.
#[derive(Debug)]
struct Flow {
    /// The terminal is one of those that answer.
    may_answer: bool,
    /// It has not answered for so long that it is not asked any more, unless it answers after all.
    silent: bool,
    asked: u64,
    /// Questions that are answered, or whose answers are not waited for any more.
    settled: u64,
    answered: watch::Receiver<Answers>,
    /// Bytes before the last question, since the one before it.
    last: usize,
    /// Bytes since the last question.
    unasked: usize,
    /// Since when an answer is waited for.
    since: Instant,
}

impl Flow {
    fn new(may_answer: bool, answered: watch::Receiver<Answers>) -> Flow {
        Flow {
            may_answer,
            silent: false,
            asked: 0,
            settled: 0,
            answered,
            last: 0,
            unasked: 0,
            since: Instant::now(),
        }
    }

    /// So many bytes are sent; says whether they end with a question.
    fn sends(&mut self, bytes: usize) -> bool {
        self.unasked += bytes;
        let asks = self.may_answer
            && (!self.silent || self.answered.borrow().here > 0)
            && (self.asked == 0 || self.unasked > SMALL);
        if asks {
            self.asked += 1;
            self.last = std::mem::take(&mut self.unasked);
        }
        asks
    }

    /// What class of terminal it says it is; 0: it has not said.
    fn class(&self) -> u16 {
        self.answered.borrow().class
    }

    /// The question has left: only now can an answer be late.
    fn gone_out(&mut self) {
        self.since = Instant::now();
    }

    async fn ready(&mut self) {
        loop {
            let answered = self.answered.borrow_and_update().here;
            if answered.min(self.asked) > self.settled {
                self.settled = answered.min(self.asked);
                self.since = Instant::now();
            }
            let unanswered = self.asked - self.settled;
            let allowed = if self.last > LARGE { 1 } else { UNANSWERED };
            if unanswered < allowed {
                return;
            }
            let wait = if answered > 0 { LOST } else { NEVER };
            let late = tokio::time::timeout_at(self.since + wait, self.answered.changed());
            // An error: nobody listens to the terminal any more, and the session is about to end.
            if !matches!(late.await, Ok(Ok(()))) {
                self.settled = self.asked;
                self.silent = answered == 0;
                return;
            }
        }
    }
}
