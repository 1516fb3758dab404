//! Which crate depends on which. The compiler enforces it, since a crate cannot import what its manifest does not name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::{CRATES, assert_named_only, root};

/// The crates of this workspace that each crate may depend on, as drawn in `specs/architecture.md`.
const ARROWS: [(&str, &[&str]); 12] = [
    ("sharechain", &[]),
    ("recording", &["sharechain"]),
    ("testkit", &["sharechain"]),
    ("p2p-proto", &["sharechain"]),
    ("p2p", &["p2p-proto", "sharechain"]),
    ("stratum", &[]),
    // testkit only with the feature `fixtures`, for tests.
    ("node-core", &["p2p-proto", "recording", "sharechain", "testkit"]),
    ("archive", &["node-core", "recording", "sharechain"]),
    ("node", &["archive", "node-core", "p2p", "p2p-proto", "recording", "sharechain", "stratum"]),
    ("sim", &["node-core", "p2p-proto", "recording", "sharechain"]),
    ("study", &["node-core", "p2p-proto", "sharechain", "sim"]),
    ("testnet", &["archive", "node", "node-core", "p2p", "p2p-proto", "sharechain", "sim", "stratum"]),
];

/// Libraries that only these crates may depend on.
const DOORS: [(&str, &[&str]); 8] = [
    // testnet has hostile peers, which have to do what p2p never does.
    ("libp2p", &["p2p", "testnet"]),
    ("rocksdb", &["node"]),
    ("tokio-postgres", &["archive"]),
    // testnet simulates miners, which need the other side of the handshake.
    ("noise_sv2", &["stratum", "testnet"]),
    ("bitcoinkernel", &["testnet"]),
    ("tokio", &["p2p", "stratum", "archive", "node", "testnet"]),
    ("axum", &["node", "testnet"]),
    ("reqwest", &["node", "testnet"]),
];

/// Dependencies of a crate, apart from those of its tests.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[").find_map(|section| section.strip_prefix("dependencies]\n")).unwrap();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn crates_depend_in_one_direction() {
    let arrows: BTreeMap<_, _> = ARROWS.into();
    let ours: BTreeSet<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(arrows.keys().copied().collect::<BTreeSet<_>>(), ours);
    for (name, folder) in CRATES {
        let named = dependencies(folder);
        assert!(!named.is_empty(), "{name}: its dependencies are found");
        for dependency in named.iter().filter(|dependency| ours.contains(dependency.as_str())) {
            assert!(arrows[name].contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn heavy_libraries_stay_behind_one_door() {
    for (library, doors) in DOORS {
        for (name, folder) in CRATES {
            let behind = dependencies(folder).contains(library);
            assert!(!behind || doors.contains(&name), "{name} must not depend on {library}");
        }
    }
    // The compiler cannot check this, because it is within one crate.
    assert_named_only("node/src", "rocksdb", |name| name.starts_with("node/src/store/"));
    assert_named_only("stratum/src", "tokio", |name| {
        [
            "client",
            "connection",
            "listen",
            "pool",
            "proxy",
            "server",
            "socket",
            "tls",
            "v2/connection",
            "v2/shares/tests",
        ]
        .iter()
        .any(|shell| name.starts_with(&format!("stratum/src/{shell}")))
    });
    assert_named_only("testnet/src", "libp2p", |name| name.starts_with("testnet/src/attack/hostile/"));
    assert_named_only("testnet/src", "noise_sv2", |name| name == "testnet/src/scale/load/v2.rs");
    // The API has no access to the chain and its owner.
    for file in ["EngineHandle", "Engine"] {
        assert_named_only("node/src/api", file, |_| false);
    }
}
