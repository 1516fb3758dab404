//! The web pages in a real browser, and the API from outside: runs `testnet/pages` on a mining network, and the tests of the
//! public mode on two explorers behind a reverse proxy, which read what one of its nodes archives.

mod explorers;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use explorers::Explorers;
use serde_json::Value;

use crate::harness::{Up, working};

/// Path of the Python with selenium, axe-core and schemathesis. The Makefile installs and sets it.
const PYTHON: &str = "SHOAL_PAGES_PYTHON";

/// Folder for pictures of the pages. By default, the network's data folder.
const OUT: &str = "SHOAL_PAGES_OUT";

/// Time for the first blocks that pay several miners. A block takes some 15 s locally.
const FIRST_BLOCKS: Duration = Duration::from_secs(180);

/// Number of links before the tests of the pages start, so that some are deep and some branches have lost.
const LINKS_MIN: u64 = 40;

#[test]
fn the_web_pages_show_what_the_api_says() {
    let Some(python) = std::env::var_os(PYTHON).filter(|python| Path::new(python).is_file()) else {
        panic!(
            "{PYTHON} names no Python with the packages of testnet/pages/requirements.txt; run this test by `make test`"
        );
    };
    let mut up = Up::start(&["--nodes", "3", "--miners", "5"]);
    up.wait_for("three nodes working", Duration::from_secs(60), |status| working(status) == 3);
    let explorers = Explorers::start(&up);
    up.wait_for("a block that pays several", FIRST_BLOCKS, |status| {
        shared_blocks(status) > 0 && status["nodes"][0]["height"].as_u64() >= Some(LINKS_MIN)
    });
    let out = std::env::var_os(OUT).map_or_else(|| up.dir().join("pages"), PathBuf::from);
    let run = |out: &Path, more: &[&str]| {
        let mut command = Command::new(&python);
        command.arg("-u").arg(std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/pages/run.py").args(more);
        command.arg("--network").arg(up.dir()).arg("--program").arg(env!("CARGO_BIN_EXE_shoal-testnet"));
        let ended = command.arg("--out").arg(out).status().unwrap();
        assert!(ended.success(), "the pages are not as they should be; pictures are in {}", out.display());
    };
    run(&out, &[]);
    explorers.wait();
    run(&out.join("explorer"), &["--explorer", &explorers.url()]);
}

/// Blocks whose coinbase pays more than their finder.
fn shared_blocks(status: &Value) -> usize {
    let blocks = status["blocks"].as_array().unwrap().iter();
    blocks.filter(|block| block["payees"].as_array().is_some_and(|payees| payees.len() > 1)).count()
}
