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

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::error::NodeError;
use crate::status::reachable;

use source::{Source, View};

/// Time between two looks at the node.
const LOOK: Duration = Duration::from_secs(2);

/// How often the keyboard's thread looks whether anybody still wants keys.
const KEY_POLL: Duration = Duration::from_millis(200);

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
    let (keys, mut pressed) = mpsc::channel(8);
    std::thread::spawn(move || listen(&keys));
    let mut look = tokio::time::interval(LOOK);
    loop {
        terminal.draw(|frame| draw::draw(frame, view))?;
        tokio::select! {
            key = pressed.recv() => match key {
                Some(Key::Redraw) => {}
                Some(Key::End) | None => return Ok(()),
            },
            _ = look.tick() => match source.look().await {
                Ok(new) => *view = new,
                Err(error) => view.trouble = Some(crate::error::sentence(&error)),
            },
        }
    }
}

enum Key {
    End,
    Redraw,
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
                let ends = control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc);
                if ends { Key::End } else { continue }
            }
            Ok(Event::Resize(..)) => Key::Redraw,
            Ok(_) => continue,
            Err(_) => return,
        };
        // A full queue holds a key already, and that is enough.
        let _ = keys.try_send(key);
    }
}
