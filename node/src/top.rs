//! `shoal top`: the running node in the whole terminal, until q or Ctrl-C.
//!
//! ```text
//! source.rs   asks the node's API
//! draw.rs     draws what it said
//! ```

mod draw;
mod source;

use std::io::{self, IsTerminal};
use std::time::Duration;

use crossterm::event::KeyCode;

use crate::config::Config;
use crate::error::NodeError;
use crate::status::reachable;
use crate::terminal::{Key, keys};

use source::{Source, View};

/// Time between two looks at the node.
const LOOK: Duration = Duration::from_secs(2);

/// Shows the node until the person has seen enough.
///
/// # Errors
/// There is no terminal, or no node answers at the first look. Later it may come and go.
pub(crate) async fn top(config: Config) -> Result<(), NodeError> {
    if !io::stdout().is_terminal() {
        return Err(io::Error::other("`shoal top` draws on a terminal; `shoal status` prints").into());
    }
    let source = Source::new(reachable(config.api.listen))?;
    let mut view = source.look().await?;
    let mut terminal = ratatui::try_init()?;
    let shown = show(&mut terminal, &source, &mut view).await;
    ratatui::restore();
    Ok(shown?)
}

async fn show(terminal: &mut ratatui::DefaultTerminal, source: &Source, view: &mut View) -> io::Result<()> {
    let mut pressed = keys(&[KeyCode::Char('q'), KeyCode::Esc]);
    let mut look = tokio::time::interval(LOOK);
    loop {
        terminal.draw(|frame| draw::draw(frame, view))?;
        tokio::select! {
            key = pressed.recv() => match key {
                Some(Key::Resized) => {}
                Some(Key::Stop) | None => return Ok(()),
            },
            _ = look.tick() => match source.look().await {
                Ok(new) => *view = new,
                Err(error) => view.trouble = Some(node_core::sentence(&error)),
            },
        }
    }
}
