//! What a person sees while the network runs: a live table on a terminal, a line an event elsewhere.

mod draw;
mod plain;
mod screen;
mod view;

pub use plain::{block_line, status_text};
pub use screen::{Key, Screen};
pub use view::{BlockRow, NodeRow, Note, Payee, View};
