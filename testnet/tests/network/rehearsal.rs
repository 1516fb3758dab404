//! A rehearsal of mainnet around the halving at block 1,050,000: full templates, spikes of fees, reorganizations of six blocks.
//! Bitcoin Core's own functions judge every block that the nodes submit.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Amount, OutPoint, TxOut};
use sharechain::ChainParams;
use testnet::rehearsal::{self, HALVING, Rehearsed, Submitted};

use crate::core_sources;

/// Blocks of the pool after the halving. `make soak NAME=rehearsal` asks for more.
const BLOCKS: usize = 4;

/// What Core says of a block.
#[derive(Debug)]
struct Judged {
    weight: u64,
    sigops: u64,
    fees: u64,
    subsidy: u64,
    paid: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_around_the_halving_are_valid_and_pay_all_of_it() {
    let blocks = std::env::var("REHEARSAL_BLOCKS").map_or(BLOCKS, |text| text.parse().unwrap());
    let shoal = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
    let folder = tempfile::tempdir().unwrap();
    let found = rehearsal::run(&shoal, blocks, folder.path()).await;
    let found = found.unwrap_or_else(|error| panic!("{error:?}, logs in {}", folder.keep().display()));
    let Rehearsed { submitted, coins, height, left, known, tips } = &found;
    println!("{} blocks of the pool, {left} of them left behind, up to block {height}", submitted.len());

    let core = Core::build();
    let mut most = [0; 3];
    for (block, judged) in submitted.iter().zip(core.judge(coins, submitted)) {
        println!("{} {judged:?}", block.height);
        let subsidy = ChainParams::main().bitcoin.subsidy_sat(block.height);
        assert_eq!(judged.subsidy, subsidy);
        assert_eq!(subsidy, if block.height < HALVING { 312_500_000 } else { 156_250_000 });
        assert_eq!(judged.paid, subsidy + judged.fees, "all of it is paid");
        most = [most[0].max(judged.weight), most[1].max(judged.sigops), most[2].max(judged.fees)];
    }
    // What the templates are meant to reach.
    assert!(*left > 0, "no block of the pool was left behind");
    println!("at most {} weight units, sigops cost {}, fees {} sat", most[0], most[1], most[2]);
    assert_eq!(tips[0], tips[1], "the nodes agree");
    let mut hashes: Vec<String> = submitted.iter().map(|of| of.block.block_hash().to_string()).collect();
    hashes.sort();
    for known in known {
        assert_eq!(*known, hashes, "each node knows all blocks of the pool, also those left behind");
    }
}

/// Each kind of template, as a node would mine it, is at a limit.
#[test]
fn templates_of_the_rehearsal_reach_the_limits() {
    let fills = rehearsal::fills();
    let weight = fills.iter().map(|fill| fill.weight).max().unwrap();
    let sigops = fills.iter().map(|fill| fill.sigops).max().unwrap();
    let fees = fills.iter().map(|fill| fill.fees).max().unwrap();
    assert!((3_985_000..=3_992_000).contains(&weight), "{weight}");
    assert!((79_500..=79_600).contains(&sigops), "{sigops}");
    assert!(fees > Amount::from_sat(2_500_000_000), "{fees}");
}

/// Bitcoin Core's functions, as a program.
struct Core(PathBuf);

impl Core {
    /// Builds the program against the library of Core that this package links. Takes some 10 s.
    fn build() -> Self {
        let source = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/core_blocks/harness.cpp");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("core-blocks");
        std::fs::create_dir_all(&folder).unwrap();
        let (program, copy) = (folder.join("core_blocks"), folder.join("harness.cpp"));
        let text = std::fs::read(&source).unwrap();
        if program.is_file() && std::fs::read(&copy).is_ok_and(|built_from| built_from == text) {
            return Self(program);
        }
        let (sources, built) = (core_sources::core_sources(), core_library());
        let output = Command::new(std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned()))
            .args(["-std=c++20", "-O1", "-w"])
            .arg(format!("-I{}", sources.display()))
            .arg(format!("-I{}", built.join("bitcoin/src").display()))
            .arg(&source)
            .arg(sources.join("util/strencodings.cpp"))
            .arg(built.join("install/lib/libbitcoinkernel.a"))
            .arg("-o")
            .arg(&program)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(copy, text).unwrap();
        Self(program)
    }

    /// Judges blocks that spend these outputs. Each must be valid.
    fn judge(&self, coins: &[(OutPoint, TxOut)], blocks: &[Submitted]) -> Vec<Judged> {
        let mut core = Command::new(&self.0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = core.stdin.take().unwrap();
        let mut lines: Vec<String> = Vec::new();
        for (OutPoint { txid, vout }, TxOut { value, script_pubkey }) in coins {
            lines.push(format!("coin {txid} {vout} {} {}", value.to_sat(), script_pubkey.to_hex_string()));
        }
        for Submitted { height, median_time, block } in blocks {
            lines.push(format!("block {height} {median_time} {}", serialize_hex(block)));
        }
        let answers = BufReader::new(core.stdout.take().unwrap());
        let writer = std::thread::spawn(move || {
            for line in lines {
                writeln!(stdin, "{line}").unwrap();
            }
        });
        let judged: Vec<Judged> = answers.lines().map(|line| Judged::parse(&line.unwrap())).collect();
        writer.join().unwrap();
        assert!(core.wait().unwrap().success());
        assert_eq!(judged.len(), blocks.len());
        judged
    }
}

impl Judged {
    fn parse(line: &str) -> Self {
        let numbers = line.strip_prefix("valid ").unwrap_or_else(|| panic!("Bitcoin Core refuses a block: {line}"));
        let numbers: Vec<u64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
        let [weight, sigops, fees, subsidy, paid] = numbers[..] else { panic!("{line}") };
        Self { weight, sigops, fees, subsidy, paid }
    }
}

/// The folder in which the library of Core was built.
fn core_library() -> PathBuf {
    let builds = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("build");
    let folders = std::fs::read_dir(builds).unwrap().map(|entry| entry.unwrap().path().join("out"));
    let built = |folder: &PathBuf| folder.join("install/lib/libbitcoinkernel.a").is_file();
    folders.filter(built).max_by_key(|folder| folder.metadata().unwrap().modified().unwrap()).unwrap()
}
