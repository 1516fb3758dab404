//! Programs print without a panic: the reader of a pipe may be gone.

use crate::{CRATES, code, names, program};

#[test]
fn no_program_panics_when_its_reader_has_left() {
    for (name, text) in CRATES.iter().flat_map(|(_, folder)| program(&format!("{folder}/src"))) {
        for word in ["print", "println", "eprint", "eprintln"] {
            let panics = code(&text).find(|line| names(line, word) && line.contains(&format!("{word}!(")));
            assert_eq!(panics, None, "{name}: use `writeln!`, which returns an error");
        }
    }
}
