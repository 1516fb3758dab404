use std::collections::BTreeSet;

use super::CLOSED;

/// Files that name reasons for the end of a connection, each in its `name`.
const SOURCES: [&str; 3] =
    [include_str!("../socket.rs"), include_str!("../session/action.rs"), include_str!("../v2/reason.rs")];

/// A release build counts a reason that is not listed, but shows it nowhere.
#[test]
fn every_reason_for_the_end_of_a_connection_is_shown() {
    let named = SOURCES.iter().flat_map(|source| {
        let (_, names) = source.split_once("const fn name(&self)").expect("the file names its reasons");
        let (names, _) = names.split_once("\n    }\n").expect("the function ends");
        names.split('"').skip(1).step_by(2)
    });
    assert_eq!(named.collect::<BTreeSet<_>>(), BTreeSet::from(CLOSED));
}
