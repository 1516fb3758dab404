//! Reads lines from a file.

use std::io::{BufRead, Read};

use crate::LINE_BYTES_MAX;
use crate::line::Line;
use crate::start::Start;

/// Reason why a file is not a recording.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The format does not allow this line.
    #[error("line {line}: {problem}")]
    Bad {
        /// Line number, from 1.
        line: u64,
        /// Problem, as text: the JSON parser provides no other form.
        problem: String,
    },
    /// The file is empty.
    #[error("the recording is empty")]
    Empty,
    /// Reading the file failed.
    #[error("cannot read the recording")]
    Io(#[from] std::io::Error),
}

/// Reads a recording line by line. The longest line bounds its memory.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    line: u64,
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line, and returns the start of the recording and the reader.
    ///
    /// # Errors
    /// [`ReadError`] if the first line is missing or not valid, or if reading fails.
    pub fn new(from: R) -> Result<(Start, Self), ReadError> {
        let mut reader = Self { from, line: 0 };
        let first = reader.next_bytes()?.ok_or(ReadError::Empty)?;
        let start = Start::parse(&first).map_err(|problem| ReadError::Bad { line: 1, problem })?;
        Ok((start, reader))
    }

    /// Reads the next line, and returns it with its number; `None` at the end of the file.
    ///
    /// # Errors
    /// [`ReadError`] if the format does not allow the line, or if reading fails.
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
