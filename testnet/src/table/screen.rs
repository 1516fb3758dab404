//! The terminal: drawing and keys.

use std::io;

use crossterm::event::KeyCode;
use node::terminal::keys;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

pub use node::terminal::Key;

use super::draw;
use super::view::View;

/// The whole terminal. It is restored when dropped.
#[derive(Debug)]
pub struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    /// Takes over the terminal. Keys arrive at the receiver. A panic restores the terminal as well.
    ///
    /// # Errors
    /// If standard output is not a terminal that can be drawn on.
    pub fn open() -> io::Result<(Self, mpsc::Receiver<Key>)> {
        let terminal = ratatui::try_init()?;
        Ok((Self { terminal }, keys(&[KeyCode::Char('q')])))
    }

    /// Draws the view.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(&mut self, view: &View) -> io::Result<()> {
        self.terminal.draw(|frame| draw::draw(frame, view)).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
