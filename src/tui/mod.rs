//! The terminal interface: what is on the screen, and what follows from a key.
//!
//! It works as Elm does: [`update()`] takes a message and says what should be done about it as [`Effect`]s; it does
//! no I/O, reads no clock and makes no ids, all of which come with the [`Context`]. [`draw()`] and [`view()`] are pure.
//! A session carries the effects out and brings the answers back as messages.
//!
//! This part knows nothing of databases, of any terminal, or of who carries its effects out: it imports the ward's
//! words and nothing else of ours. Every key stands in [`keymap`], every colour in [`theme`], and every text that
//! comes from data is drawn through [`widgets::pen`].

pub mod charset;
pub mod clock;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod list;
pub mod model;
pub mod pages;
pub mod panes;
pub mod record;
pub mod sheets;
pub mod theme;
mod update;
mod view;
pub mod widgets;
mod words;

mod desk;
mod lock;
mod sign_in;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use charset::Charset;
pub use key::{Code, Key, Mouse, MouseDid};
pub use model::{
    CodeDrug, CodeFound, Context, Effect, FeedView, Missed, Model, Msg, OrderNow, Pane, Reply,
    Secret, SignInFailure, SignedIn, Start, Stopped,
};
pub use theme::{Colours, Theme};
pub use update::update;
pub use view::{draw, view};
