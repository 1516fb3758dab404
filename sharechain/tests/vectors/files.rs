//! What each file of vectors holds: how its cases are made, and how they are checked.

use std::collections::BTreeSet;

use bitcoin::hex::{DisplayHex, FromHex};
use serde_json::Value;

use crate::{draw, proof, signals, targets};

/// A file of vectors.
pub struct File {
    pub name: &'static str,
    pub about: &'static str,
    pub make: fn() -> Vec<Value>,
    pub check: fn(&mut Case),
}

pub const FILES: &[File] = &[
    File {
        name: "networks",
        about: "Consensus ids, from the bytes that they are hashed from.",
        make: proof::make_networks,
        check: proof::check_network,
    },
    File {
        name: "encoding",
        about: "Proofs, their canonical bytes and their ids. Hashes and ids are in the order of their bytes.",
        make: proof::make_encodings,
        check: proof::check_encoding,
    },
    File {
        name: "not_canonical",
        about: "Bytes that are no proof, and the rule that says so.",
        make: proof::make_not_canonical,
        check: proof::check_not_canonical,
    },
    File {
        name: "list",
        about: "Lists, their bytes and their roots.",
        make: proof::make_lists,
        check: proof::check_list,
    },
    File {
        name: "coinbase",
        about: "Commitments, coinbases without witness, and where their hash stops for a proof.",
        make: proof::make_coinbases,
        check: proof::check_coinbase,
    },
    File {
        name: "binding",
        about: "Proofs that bind, and altered ones that do not.",
        make: proof::make_bindings,
        check: proof::check_binding,
    },
    File {
        name: "link_target",
        about: "Link and share targets. Targets are numbers in hexadecimal, first digit first.",
        make: targets::make_targets,
        check: targets::check_target,
    },
    File {
        name: "weight",
        about: "Weights of shares and bonuses of links, in units of 2^-64 block.",
        make: targets::make_weights,
        check: targets::check_weight,
    },
    File {
        name: "selection",
        about: "From dues and a seed to outputs. `exact` entries come first, then the drawn ones.",
        make: draw::make,
        check: draw::check,
    },
    File {
        name: "signals",
        about: "Counts of signals: links from height 1 on, `links` of each kind in a row; then sums and lock-ins by bit.",
        make: signals::make,
        check: signals::check,
    },
];

/// A case of which every field must be read.
pub struct Case<'a> {
    name: String,
    value: &'a Value,
    read: BTreeSet<String>,
}

impl<'a> Case<'a> {
    pub fn new(name: String, value: &'a Value) -> Self {
        Self { name, value, read: BTreeSet::new() }
    }

    pub fn get(&mut self, field: &str) -> &'a Value {
        self.read.insert(field.to_owned());
        self.value.get(field).unwrap_or_else(|| panic!("{}: no field {field}", self.name))
    }

    pub fn text(&mut self, field: &str) -> &'a str {
        self.get(field).as_str().unwrap()
    }

    pub fn bytes(&mut self, field: &str) -> Vec<u8> {
        unhex(self.text(field))
    }

    pub fn array<const N: usize>(&mut self, field: &str) -> [u8; N] {
        self.bytes(field).try_into().unwrap()
    }

    pub fn number(&mut self, field: &str) -> u64 {
        self.get(field).as_u64().unwrap()
    }

    pub fn assert_all_read(&self) {
        let fields: BTreeSet<String> = self.value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, self.read, "{}: every field is read", self.name);
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.to_lower_hex_string()
}

pub fn unhex(text: &str) -> Vec<u8> {
    Vec::from_hex(text).unwrap()
}
