//! From lines to a file, and from what a node kept to lines.

use std::io::Write;

use bitcoin::block::Header;
use sharechain::ShareId;

use crate::line::{HeaderLine, Line, ListLine, ProofLine};
use crate::start::Start;
use crate::value::{Id, RawHeader, RawProof};

/// Why a recording was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file does not take it.
    #[error("the recording cannot be written")]
    Io(#[from] std::io::Error),
    /// A line is longer than a recording may have.
    #[error("a line of {0} bytes is too long for a recording")]
    LineTooLong(usize),
}

/// Writes a recording.
#[derive(Debug)]
pub struct Writer<W: Write> {
    to: W,
    lines: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// The file does not take it.
    pub fn new(to: W, start: &Start, about: Option<&str>) -> Result<Self, WriteError> {
        let mut writer = Self { to, lines: 0 };
        writer.put(start.line(about))?;
        Ok(writer)
    }

    /// Writes a line.
    ///
    /// # Errors
    /// The file does not take it.
    pub fn line(&mut self, line: &Line) -> Result<(), WriteError> {
        let text = serde_json::to_string(line).map_err(std::io::Error::from)?;
        self.put(text)
    }

    fn put(&mut self, mut text: String) -> Result<(), WriteError> {
        text.push('\n');
        if text.len() > crate::LINE_BYTES_MAX {
            return Err(WriteError::LineTooLong(text.len()));
        }
        self.to.write_all(text.as_bytes())?;
        self.lines += 1;
        Ok(())
    }

    /// Forces what was written out of this process, and tells how many lines it was.
    ///
    /// # Errors
    /// The file does not take it.
    pub fn finish(mut self) -> Result<u64, WriteError> {
        self.to.flush()?;
        Ok(self.lines)
    }
}

/// Something that a node kept, in the order in which it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A Bitcoin header.
    Header(Header),
    /// A proof, encoded.
    Proof {
        /// Its id.
        id: ShareId,
        /// Its bytes.
        encoded: Vec<u8>,
    },
    /// The list of a link.
    List {
        /// The link.
        of: ShareId,
        /// What it lists.
        list: Vec<ShareId>,
    },
}

/// What a node kept, as lines; a list that came right behind its proof stands in the proof's line.
pub fn lines_of<E>(kept: impl Iterator<Item = Result<Came, E>>) -> impl Iterator<Item = Result<Line, E>> {
    let mut kept = kept.peekable();
    std::iter::from_fn(move || {
        let came = match kept.next()? {
            Ok(came) => came,
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(match came {
            Came::Header(header) => Line::Header(HeaderLine { header: RawHeader(header), verdict: None }),
            Came::List { of, list } => Line::List(ListLine { list_of: of.into(), list: ids(list), list_verdict: None }),
            Came::Proof { id, encoded } => {
                let own = |next: &Result<Came, E>| matches!(next, Ok(Came::List { of, .. }) if *of == id);
                let list = match kept.next_if(own) {
                    Some(Ok(Came::List { list, .. })) => Some(ids(list)),
                    _ => None,
                };
                Line::Proof(ProofLine { proof: RawProof(encoded), list, verdict: None, list_verdict: None })
            }
        }))
    })
}

fn ids(list: Vec<ShareId>) -> Vec<Id> {
    list.into_iter().map(Id::from).collect()
}
