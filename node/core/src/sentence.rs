//! Errors as sentences.

use std::error::Error;

/// An error and its causes in one sentence, separated by colons, without repetition.
#[must_use]
pub fn sentence(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        // Wrappers often repeat their cause.
        if !sentence.contains(&words) {
            sentence.push_str(": ");
            sentence.push_str(&words);
        }
        source = cause.source();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn causes_follow_behind_colons_and_are_not_repeated() {
        let layer = |text, source: Option<Layer>| Layer { text, source: source.map(Box::new) };
        let disk = || layer("the disk is full", None);
        assert_eq!(sentence(&disk()), "the disk is full");
        let wrapped = layer("cannot write the store", Some(disk()));
        assert_eq!(sentence(&wrapped), "cannot write the store: the disk is full");
        let repeating = layer("cannot write: the disk is full", Some(disk()));
        assert_eq!(sentence(&repeating), "cannot write: the disk is full");
    }
}
