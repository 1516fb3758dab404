//! The display: the live table on a terminal, lines elsewhere.

use std::io::{self, IsTerminal, Write};

use tokio::sync::mpsc;

use crate::table::{Key, Screen, View};

/// The kind of display.
#[derive(Debug)]
pub(super) enum Shown {
    /// A terminal.
    Table(Screen, mpsc::Receiver<Key>),
    /// A pipe or a file.
    Lines,
}

impl Shown {
    /// Takes over the terminal, if standard output is one and `plain` is false.
    pub(super) fn open(plain: bool) -> io::Result<Self> {
        if plain || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return Ok(Self::Lines);
        }
        let (screen, keys) = Screen::open()?;
        Ok(Self::Table(screen, keys))
    }

    /// Prints a line, if lines are printed.
    pub(super) fn line(&self, text: &str) {
        if matches!(self, Self::Lines) {
            // The reader of the pipe may be gone. The network continues.
            let _ = writeln!(io::stdout(), "{text}");
        }
    }

    /// Draws the table, if there is one.
    pub(super) fn draw(&mut self, view: &View) -> io::Result<()> {
        match self {
            Self::Table(screen, _) => screen.draw(view),
            Self::Lines => Ok(()),
        }
    }

    /// Waits for a key with a meaning.
    pub(super) async fn key(&mut self) -> Key {
        match self {
            Self::Table(_, keys) => match keys.recv().await {
                Some(key) => key,
                // The terminal is gone.
                None => Key::Stop,
            },
            Self::Lines => std::future::pending().await,
        }
    }
}
