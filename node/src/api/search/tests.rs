//! The forms in which people paste what the pages show.

use super::{is_short_form, miner_of_script, unnamed, words};

#[test]
fn heights_and_ids_are_read_as_the_pages_show_them() {
    for (typed, wanted) in [
        ("1234", "1234"),
        ("958,000", "958000"),
        ("link 1,234", "1234"),
        ("Link 1,234", "1234"),
        ("Bitcoin block 958,000", "958000"),
        ("#60", "60"),
        ("\u{2026}01cb1697b6", "01cb1697b6"),
        (" \u{2026} 01CB1697B6 ", "01CB1697B6"),
        ("...01cb1697b6", "01cb1697b6"),
        ("tb1qchn7k\u{2026} 96w29c", "tb1qchn7k\u{2026}96w29c"),
        ("tb1qchn7k...96w29c", "tb1qchn7k\u{2026}96w29c"),
        ("1,2a", "1,2a"),
        ("link", "link"),
        ("", ""),
    ] {
        assert_eq!(words(typed), wanted, "{typed:?}");
    }
    assert_eq!(unnamed("miner ADDRESS rig"), "ADDRESS rig");
}

#[test]
fn a_short_address_is_found_in_any_case() {
    let address = "tb1qchn7k8xe3jnzaj0vhdzurw209ts4ve7w96w29c";
    assert!(is_short_form(address, "tb1qchn7k", "96w29c"));
    assert!(is_short_form(address, "TB1QCHN7K", "96W29C"));
    assert!(!is_short_form(address, "tb1qchn7x", "96w29c"));
    assert!(!is_short_form(address, "\u{e9}", "96w29c"));
}

#[test]
fn a_script_is_its_miner() {
    let found = miner_of_script("0014C5e7eb1cd98ca62ec9ecbb45c1b94f2ae15667ce", bitcoin::Network::Signet);
    assert_eq!(found.unwrap().path, "/miners/tb1qchn7k8xe3jnzaj0vhdzurw209ts4ve7w96w29c");
    for other in ["51024e73", "0014c5e7", &"ab".repeat(32), "hello"] {
        assert!(miner_of_script(other, bitcoin::Network::Signet).is_none(), "{other}");
    }
}
