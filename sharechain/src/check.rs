//! Checks of single proofs and lists, each with its rule above it. Values come in as arguments; there is no database
//! here.

pub mod binding;
pub mod header;
pub mod list;
