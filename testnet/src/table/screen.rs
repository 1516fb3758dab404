//! The terminal: drawn on, and listened to.

use std::io;

use crossterm::event::KeyCode;
use node::terminal::keys;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

pub use node::terminal::Key;

use super::draw;
use super::view::View;

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
        Ok((Self { terminal }, keys(&[KeyCode::Char('q')])))
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
