//! Builds the program with Bitcoin Core's own functions that judges blocks.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::core_sources::core_sources;

/// Builds the program against the library of Core that this package links, and returns where it is. Takes some 10 s.
pub(crate) fn build() -> PathBuf {
    let source = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/core_blocks/harness.cpp");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("core-blocks");
    std::fs::create_dir_all(&folder).unwrap();
    let (program, copy) = (folder.join("core_blocks"), folder.join("harness.cpp"));
    let text = std::fs::read(&source).unwrap();
    if program.is_file() && std::fs::read(&copy).is_ok_and(|built_from| built_from == text) {
        return program;
    }
    let (sources, built) = (core_sources(), core_library());
    // Two tests may build at once: each its own, and the last one stays.
    let own = folder.join(format!("core_blocks-{}", std::process::id()));
    let output = Command::new(std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned()))
        .args(["-std=c++20", "-O1", "-w"])
        .arg(format!("-I{}", sources.display()))
        .arg(format!("-I{}", built.join("bitcoin/src").display()))
        .arg(&source)
        .arg(sources.join("util/strencodings.cpp"))
        .arg(built.join("install/lib/libbitcoinkernel.a"))
        .arg("-o")
        .arg(&own)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(own, &program).unwrap();
    std::fs::write(copy, text).unwrap();
    program
}

/// The folder in which the library of Core was built.
fn core_library() -> PathBuf {
    let builds = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("build");
    let folders = std::fs::read_dir(builds).unwrap().map(|entry| entry.unwrap().path().join("out"));
    let built = |folder: &PathBuf| folder.join("install/lib/libbitcoinkernel.a").is_file();
    folders.filter(built).max_by_key(|folder| folder.metadata().unwrap().modified().unwrap()).unwrap()
}
