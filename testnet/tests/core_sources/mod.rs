//! Where Bitcoin Core's sources are.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Core's `src` folder in the package that this program links.
pub(crate) fn core_sources() -> PathBuf {
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["metadata", "--format-version=1", "--offline", "--locked"])
        .current_dir(std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|package| package["name"] == "libbitcoinkernel-sys").unwrap();
    Path::new(found["manifest_path"].as_str().unwrap()).with_file_name("bitcoin").join("src")
}
