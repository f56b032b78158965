//! Keys and mouse as the decoder names them, in the interface's own words.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use crate::tui::{Code, Key, Mouse, MouseDid};

/// What a terminal sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Text at once.
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
    /// Another size: columns, rows.
    Resize(u16, u16),
}

/// The input that an event is; `None` where it means nothing here.
pub fn of(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) => of_key(key).map(Input::Key),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Mouse(mouse) => of_mouse(mouse).map(Input::Mouse),
        Event::Resize(width, height) => Some(Input::Resize(width, height)),
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn of_key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Tab if shift => Code::BackTab,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    };
    let key = Key {
        code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
    };
    Some(key.normal())
}

fn of_mouse(event: MouseEvent) -> Option<Mouse> {
    let did = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => MouseDid::Press,
        MouseEventKind::ScrollUp => MouseDid::WheelUp,
        MouseEventKind::ScrollDown => MouseDid::WheelDown,
        _ => return None,
    };
    Some(Mouse {
        x: event.column,
        y: event.row,
        did,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_meaning() {
        let key = |code, modifiers| of(Event::Key(KeyEvent::new(code, modifiers)));
        let is = |key: Key| Some(Input::Key(key));
        assert_eq!(
            key(KeyCode::Char('h'), KeyModifiers::CONTROL),
            is(Key::of(Code::Backspace)),
            "0x08"
        );
        assert_eq!(
            key(KeyCode::Backspace, KeyModifiers::NONE),
            is(Key::of(Code::Backspace))
        );
        assert_eq!(
            key(KeyCode::Char('Ä'), KeyModifiers::SHIFT),
            is(Key::char('Ä'))
        );
        assert_eq!(
            key(KeyCode::BackTab, KeyModifiers::SHIFT),
            is(Key::of(Code::BackTab))
        );
        assert_eq!(key(KeyCode::CapsLock, KeyModifiers::NONE), None);
        let mut released = KeyEvent::new(KeyCode::F(2), KeyModifiers::NONE);
        released.kind = KeyEventKind::Release;
        assert_eq!(of(Event::Key(released)), None, "a key signs once");
    }
}
