#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../targets.rs"]
#[allow(dead_code, reason = "each program runs one of them")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::proof(data));
