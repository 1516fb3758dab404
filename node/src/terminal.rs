//! Reads keys of a terminal in raw mode.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};
use tokio::sync::mpsc;

/// Interval at which the thread checks whether the receiver is gone.
const KEY_POLL: Duration = Duration::from_millis(200);

/// Keys that wait to be read.
const KEY_QUEUE: usize = 8;

/// Meaning of a key or a terminal event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Stop the program.
    Stop,
    /// The terminal was resized.
    Resized,
}

/// Reads keys on a thread of its own until the receiver is gone. Ctrl-C and the keys in `stops` stop the program.
#[must_use]
pub fn keys(stops: &'static [KeyCode]) -> mpsc::Receiver<Key> {
    let (keys, receiver) = mpsc::channel(KEY_QUEUE);
    std::thread::spawn(move || listen(stops, &keys));
    receiver
}

/// In raw mode, Ctrl-C is a key like any other.
fn listen(stops: &[KeyCode], keys: &mpsc::Sender<Key>) {
    while !keys.is_closed() {
        let event = match poll(KEY_POLL) {
            Ok(true) => read(),
            Ok(false) => continue,
            Err(_) => return,
        };
        let key = match event {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                (control_c || stops.contains(&key.code)).then_some(Key::Stop)
            }
            Ok(Event::Resize(..)) => Some(Key::Resized),
            Ok(_) => None,
            Err(_) => return,
        };
        if let Some(key) = key {
            // A full queue already has a key, which is enough.
            let _ = keys.try_send(key);
        }
    }
}
