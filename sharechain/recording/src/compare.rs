//! Differences between a recording and the rules.

use std::fmt;

use crate::value::Id;

/// A difference between what a recording says and what the rules give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Line number, from 1.
    pub line: u64,
    /// Subject of the difference: a verdict, or a claim and its field.
    pub what: String,
    /// Id of the proof, link or header, if any.
    pub id: Option<Id>,
    /// Value in the recording.
    pub recorded: String,
    /// Value that the rules give; the number of a rule if one is broken.
    pub computed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, what, id, recorded, computed } = self;
        write!(f, "line {line}: {what}")?;
        if let Some(id) = id {
            write!(f, " of {id}")?;
        }
        write!(f, ": recorded {recorded}, computed {computed}")
    }
}

/// All differences found so far.
#[derive(Debug, Default)]
pub(crate) struct Differences(Vec<Difference>);

impl Differences {
    /// Records a difference if the two values differ.
    pub(crate) fn compare<T: PartialEq + fmt::Display>(
        &mut self,
        line: u64,
        what: &str,
        id: Option<Id>,
        recorded: &T,
        computed: &T,
    ) {
        if recorded != computed {
            self.note(line, what, id, recorded, computed);
        }
    }

    /// Records a difference.
    pub(crate) fn note(
        &mut self,
        line: u64,
        what: &str,
        id: Option<Id>,
        recorded: impl fmt::Display,
        computed: impl fmt::Display,
    ) {
        let (recorded, computed) = (recorded.to_string(), computed.to_string());
        self.0.push(Difference { line, what: what.to_owned(), id, recorded, computed });
    }

    /// Records the first row that differs. If none does, records a difference in the number of rows, if any.
    pub(crate) fn compare_rows<T: PartialEq>(
        &mut self,
        line: u64,
        what: &str,
        id: Id,
        recorded: &[T],
        computed: &[T],
        show: impl Fn(&T) -> String,
    ) {
        let differs = recorded.iter().zip(computed).position(|(recorded, computed)| recorded != computed);
        match differs {
            Some(at) => self.note(line, &format!("{what} {at}"), Some(id), show(&recorded[at]), show(&computed[at])),
            None => self.compare(line, &format!("number of {what}s"), Some(id), &recorded.len(), &computed.len()),
        }
    }

    pub(crate) fn sort(&mut self) {
        self.0.sort_by_key(|difference| difference.line);
    }

    pub(crate) fn as_slice(&self) -> &[Difference] {
        &self.0
    }
}
