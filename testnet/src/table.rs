//! The display of a running network: a live table on a terminal, one line per event elsewhere.

mod draw;
mod plain;
mod screen;
mod view;

pub use plain::{block_line, status_text};
pub use screen::{Key, Screen};
pub use view::{BlockRow, NodeRow, Note, Payee, View};
