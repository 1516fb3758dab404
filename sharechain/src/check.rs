//! The rules, each above the code that enforces it: what a proof shows by itself, and what it must satisfy at its place.

pub mod binding;
pub mod header;
pub mod list;
