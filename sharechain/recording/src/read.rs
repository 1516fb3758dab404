//! From a file to lines.

use std::io::{BufRead, Read};

use crate::LINE_BYTES_MAX;
use crate::line::Line;
use crate::start::Start;

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A line that the format does not allow.
    #[error("line {line}: {problem}")]
    Bad {
        /// Its number, from 1.
        line: u64,
        /// What is wrong, in words: JSON's reader has no others.
        problem: String,
    },
    /// Not even a first line.
    #[error("the recording is empty")]
    Empty,
    /// The file cannot be read.
    #[error("the recording cannot be read")]
    Io(#[from] std::io::Error),
}

/// Reads a recording line by line; memory is bounded by the longest line.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    line: u64,
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// It is not the first line of a recording.
    pub fn new(from: R) -> Result<(Start, Self), ReadError> {
        let mut reader = Self { from, line: 0 };
        let first = reader.next_bytes()?.ok_or(ReadError::Empty)?;
        let start = Start::parse(&first).map_err(|problem| ReadError::Bad { line: 1, problem })?;
        Ok((start, reader))
    }

    /// The next line with its number; `None` at the end.
    ///
    /// # Errors
    /// It is not what the format allows.
    pub fn next_line(&mut self) -> Result<Option<(u64, Line)>, ReadError> {
        let Some(bytes) = self.next_bytes()? else { return Ok(None) };
        let line = Line::parse(&bytes).map_err(|problem| ReadError::Bad { line: self.line, problem })?;
        Ok(Some((self.line, line)))
    }

    fn next_bytes(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let mut bytes = Vec::new();
        let most = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        self.from.by_ref().take(most).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        if bytes.pop() != Some(b'\n') {
            let problem = format!("does not end with a line feed within {LINE_BYTES_MAX} bytes");
            return Err(ReadError::Bad { line: self.line, problem });
        }
        Ok(Some(bytes))
    }
}
