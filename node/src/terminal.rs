//! Keys of a terminal that is drawn on.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};
use tokio::sync::mpsc;

/// How often the thread looks whether anybody still wants keys.
const KEY_POLL: Duration = Duration::from_millis(200);

/// Keys that wait to be taken.
const KEY_QUEUE: usize = 8;

/// What a person wants who pressed a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Everything ends.
    Stop,
    /// The terminal has another size.
    Resized,
}

/// Reads keys in a thread of its own until the receiver is gone. Ctrl-C stops, and so do the keys of `stops`.
#[must_use]
pub fn keys(stops: &'static [KeyCode]) -> mpsc::Receiver<Key> {
    let (keys, receiver) = mpsc::channel(KEY_QUEUE);
    std::thread::spawn(move || listen(stops, &keys));
    receiver
}

/// In raw mode Ctrl-C is a key like any other.
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
            // A full queue holds a key already, and that is enough.
            let _ = keys.try_send(key);
        }
    }
}
