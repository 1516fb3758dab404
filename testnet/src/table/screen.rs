//! The terminal: drawn on, and listened to.

use std::io;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

use super::draw;
use super::view::View;

/// How often the keyboard thread looks whether the screen is still there.
const KEY_POLL: Duration = Duration::from_millis(200);

/// What a person wants who pressed a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Ctrl-C or q: everything ends.
    Stop,
    /// The terminal has another size.
    Resized,
}

/// The whole terminal, given back when dropped.
#[derive(Debug)]
pub struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    /// Takes the terminal over; keys come out of the receiver. A panic gives it back as well.
    ///
    /// # Errors
    /// Standard output is no terminal that can be drawn on.
    pub fn open() -> io::Result<(Self, mpsc::Receiver<Key>)> {
        let terminal = ratatui::try_init()?;
        let (keys, receiver) = mpsc::channel(8);
        std::thread::spawn(move || listen(&keys));
        Ok((Self { terminal }, receiver))
    }

    /// Draws the view.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, view: &View) -> io::Result<()> {
        self.terminal.draw(|frame| draw::draw(frame, view)).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Reads keys until nobody wants them. In raw mode Ctrl-C is a key like any other.
fn listen(keys: &mpsc::Sender<Key>) {
    while !keys.is_closed() {
        let event = match poll(KEY_POLL) {
            Ok(true) => read(),
            Ok(false) => continue,
            Err(_) => return,
        };
        let key = match event {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                (control_c || key.code == KeyCode::Char('q')).then_some(Key::Stop)
            }
            Ok(Event::Resize(..)) => Some(Key::Resized),
            Ok(_) => None,
            Err(_) => return,
        };
        if let Some(key) = key {
            // A full queue holds a key already, and that is enough.
            let _ = keys.try_send(key);
        }
    }
}
