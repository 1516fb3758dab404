//! Consensus is pure.

use crate::{assert_named_only, code, program};

#[test]
fn consensus_is_pure() {
    for word in ["f32", "f64", "HashSet", "SystemTime", "Instant", "async", "unsafe", "tracing", "println"] {
        assert_named_only("sharechain/src", word, |_| false);
    }
    for map in ["HashMap", "HashTrieMap", "HashTrieMapSync"] {
        assert_named_only("sharechain/src", map, |name| name == "sharechain/src/id_map.rs");
    }
    assert_named_only("sharechain/src", "rpds", |name| {
        ["sharechain/src/id_map.rs", "sharechain/src/ordered.rs"].contains(&name)
    });
    assert_named_only("sharechain/src", "rand", |_| false);
    for (name, text) in program("sharechain/src") {
        let impure = ["std::net", "std::fs", "std::io", "std::env", "std::thread", "std::process"];
        let line = code(&text).find(|line| impure.iter().any(|module| line.contains(module)));
        assert_eq!(line, None, "{name} does I/O");
    }
}
