//! How the cases of each file of vectors are checked.

use std::collections::BTreeSet;

use bitcoin::hex::FromHex;
use serde_json::Value;

use crate::{draw, headers, payout_proof, proof, signals, state, targets};

/// How a case of a file is checked.
pub type Check = fn(&mut Case);

/// The files of vectors that this program reads, by name.
pub const FILES: &[(&str, Check)] = &[
    ("networks", proof::check_network),
    ("headers", headers::check),
    ("encoding", proof::check_encoding),
    ("not_canonical", proof::check_not_canonical),
    ("list", proof::check_list),
    ("coinbase", proof::check_coinbase),
    ("binding", proof::check_binding),
    ("link_target", targets::check_target),
    ("weight", targets::check_weight),
    ("selection", draw::check),
    ("signals", signals::check),
    ("state", state::check),
    ("proof", payout_proof::check),
];

/// A case whose fields must all be read.
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

pub fn unhex(text: &str) -> Vec<u8> {
    Vec::from_hex(text).unwrap()
}
