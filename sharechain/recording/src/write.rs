//! Writes lines to a file, and turns what a node stored into lines.

use std::io::Write;

use bitcoin::block::Header;
use sharechain::ShareId;

use crate::line::{HeaderLine, Line, ListLine, ProofLine};
use crate::start::Start;
use crate::value::{Id, RawHeader, RawProof};

/// Reason why a recording was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Writing to the file failed.
    #[error("cannot write the recording")]
    Io(#[from] std::io::Error),
    /// A line is longer than [`LINE_BYTES_MAX`](crate::LINE_BYTES_MAX).
    #[error("a line has {0} bytes, more than a recording allows")]
    LineTooLong(usize),
}

/// Writes a recording line by line.
#[derive(Debug)]
pub struct Writer<W: Write> {
    to: W,
    lines: u64,
}

impl<W: Write> Writer<W> {
    /// Creates a writer and writes the first line. `about` is a text for human readers, at most 1,000 bytes.
    ///
    /// # Errors
    /// [`WriteError`] if writing fails or the line is too long.
    pub fn new(to: W, start: &Start, about: Option<&str>) -> Result<Self, WriteError> {
        let mut writer = Self { to, lines: 0 };
        writer.put(start.line(about))?;
        Ok(writer)
    }

    /// Writes a line.
    ///
    /// # Errors
    /// [`WriteError`] if writing fails or the line is too long.
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

    /// Flushes the file, and returns the number of lines written.
    ///
    /// # Errors
    /// [`WriteError::Io`] if flushing fails.
    pub fn finish(mut self) -> Result<u64, WriteError> {
        self.to.flush()?;
        Ok(self.lines)
    }
}

/// One item that a node stored, in order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A Bitcoin header.
    Header(Header),
    /// A proof, encoded.
    Proof {
        /// Id of the proof.
        id: ShareId,
        /// Encoded proof.
        encoded: Vec<u8>,
    },
    /// The list of a link.
    List {
        /// Id of the link.
        of: ShareId,
        /// Ids that the link lists.
        list: Vec<ShareId>,
    },
}

/// Turns the items that a node stored into lines. A list that directly follows its proof goes into the proof's line.
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
