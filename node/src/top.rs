//! `shoal top`: a live view of the running node in the terminal, until q or Ctrl-C.
//!
//! ```text
//! source.rs   queries the node's API
//! draw.rs     draws the answers
//! ```

mod draw;
mod source;

use std::io::{self, IsTerminal};
use std::time::Duration;

use crossterm::event::KeyCode;

use crate::api::TOKEN_FILE;
use crate::config::{Config, Secret};
use crate::error::NodeError;
use crate::status::reachable;
use crate::terminal::{Key, keys};

use source::{Source, View};

/// Interval between queries of the node.
const LOOK: Duration = Duration::from_secs(2);

/// Shows the live view until the user quits.
///
/// # Errors
/// Standard output is not a terminal, or no node answers the first query. Later failures are shown in the view.
pub(crate) async fn top(config: Config) -> Result<(), NodeError> {
    if !io::stdout().is_terminal() {
        return Err(NodeError::NoTerminal);
    }
    let token = std::fs::read_to_string(config.data_dir.join(TOKEN_FILE)).ok();
    let token = token.map(|text| Secret::new(text.trim()));
    let source = Source::new(reachable(config.api.listen), token)?;
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
