//! Bitcoin's headers as the share-chain judges them, against Bitcoin Core's own code: `GetNextWorkRequired` and what it
//! calls, compiled from the sources of `libbitcoinkernel-sys` with Core's parameters of each network. A testnet4 header
//! costs 2^32 hashes, so the chains are made up; hashes do not matter to nBits.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::{BitcoinParams, ChainParams, Timestamp, U256};

use crate::core_sources;

/// Number of made-up chains of testnet4. Each other network gets a tenth.
const CHAINS: usize = 10_000;

/// Core's sources that the harness needs, below `src`.
const SOURCES: [&str; 21] = [
    "pow.cpp",
    "chain.cpp",
    "arith_uint256.cpp",
    "uint256.cpp",
    "kernel/chainparams.cpp",
    "deploymentinfo.cpp",
    "hash.cpp",
    "consensus/merkle.cpp",
    "primitives/block.cpp",
    "primitives/transaction.cpp",
    "script/script.cpp",
    "support/cleanse.cpp",
    "util/chaintype.cpp",
    "util/strencodings.cpp",
    "util/string.cpp",
    "crypto/hex_base.cpp",
    "crypto/hmac_sha512.cpp",
    "crypto/ripemd160.cpp",
    "crypto/sha1.cpp",
    "crypto/sha256.cpp",
    "crypto/sha512.cpp",
];

/// Numbers that follow from a seed (xorshift64*).
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// A number below `bound`.
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((high * u64::from(bound)) >> 32) as u32
    }
}

/// A made-up chain: its first block, which begins a period, and runs of blocks that are each so many seconds apart.
#[derive(Debug)]
struct Chain {
    network: &'static str,
    first_height: u32,
    first_time: u32,
    first_bits: u32,
    runs: Vec<(u32, i32)>,
    /// Times to ask about, in seconds after the last block.
    queries: Vec<i32>,
}

/// What Core says of a chain: the nBits of its blocks, and of the next block at each time, with whether Core permits that
/// step.
#[derive(Debug)]
struct Answer {
    bits: Vec<u32>,
    next: Vec<(u32, bool)>,
}

#[test]
fn headers_of_made_up_chains_are_expected_as_bitcoin_core_expects_them() {
    let seed: u64 = std::env::var("SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let networks = [("testnet4", CHAINS), ("main", CHAINS / 10), ("signet", CHAINS / 10), ("regtest", CHAINS / 10)];
    let each = networks.iter().flat_map(|(network, count)| std::iter::repeat_n(*network, *count));
    let chains: Vec<Chain> = each.map(|network| Chain::made_up(network, &mut random)).collect();
    let mut seen = Seen::default();
    for (chain, answer) in chains.iter().zip(ask(&chains)) {
        chain.compare(&answer, &mut seen);
    }
    println!("{seen:?}");
    // What the chains are meant to reach.
    assert!(
        seen.late > 10_000 && seen.in_time > 10_000 && seen.after_late > 1_000 && seen.retargets > 3_000,
        "{seen:?}"
    );
}

/// How often a case occurred.
#[derive(Debug, Default)]
struct Seen {
    in_time: usize,
    late: usize,
    after_late: usize,
    retargets: usize,
}

impl Chain {
    fn made_up(network: &'static str, random: &mut Random) -> Self {
        let params = params(network);
        let period = params.retarget_blocks;
        // A root needs eleven headers.
        let blocks = match random.below(10) {
            0..4 => period,
            4..6 => period + 1 + random.below(12),
            6..8 => 11 + random.below(12),
            _ => 11 + random.below(period - 11),
        };
        let first_bits = if params.retarget_factor_max == 1 || random.below(8) == 0 {
            params.pow_limit_bits
        } else {
            // Harder than the limit by up to 2^80, in Bitcoin's compact form.
            let limit = params.pow_limit_bits >> 24;
            let mantissa = 0x00_8000 + random.below(0x7f_0000);
            (limit - 1 - random.below(10)) << 24 | mantissa
        };
        let mut runs = Vec::new();
        let mut left = blocks - 1;
        // A pace for most of the chain, so that periods come out fast, even and slow; and odd gaps at the end.
        let pace = [1, 60, 149, 150, 300, 600, 1_200, 1_201, 2_400, 2_401][random.below(10) as usize];
        let odd = left.min(random.below(14));
        runs.push((left - odd, pace));
        left = odd;
        while left > 0 {
            let count = 1 + random.below(left);
            let gap = match random.below(8) {
                0 => 1_199 + random.below(4) as i32,
                1 => -(random.below(3_000) as i32),
                2 => random.below(100_000) as i32,
                _ => random.below(2_000) as i32,
            };
            runs.push((count, gap));
            left -= count;
        }
        let mut queries = vec![-600, 1, 600, 1_199, 1_200, 1_201, 1_202];
        queries.push(random.below(10_000) as i32);
        let first_height = period * (1 + random.below(400));
        Self { network, first_height, first_time: 1_400_000_000 + random.below(300_000_000), first_bits, runs, queries }
    }

    /// A line of the harness's input.
    fn line(&self) -> String {
        let Self { network, first_height, first_time, first_bits, runs, queries } = self;
        let mut line = format!("{network} {first_height} {first_time} {first_bits} {}", runs.len());
        for (count, seconds) in runs {
            write!(line, " {count} {seconds}").unwrap();
        }
        write!(line, " {}", queries.len()).unwrap();
        for seconds in queries {
            write!(line, " {seconds}").unwrap();
        }
        line
    }

    fn times(&self) -> Vec<u32> {
        let gaps = self.runs.iter().flat_map(|(count, seconds)| std::iter::repeat_n(*seconds, *count as usize));
        let mut times = vec![self.first_time];
        for gap in gaps {
            times.push(times.last().unwrap().checked_add_signed(gap).unwrap());
        }
        times
    }

    /// Builds the headers as Core expects them, and compares what is expected next.
    fn compare(&self, answer: &Answer, seen: &mut Seen) {
        let (params, times) = (params(self.network), self.times());
        assert_eq!(times.len(), answer.bits.len());
        let mut prev = BlockHash::all_zeros();
        let headers: Vec<Header> = times
            .iter()
            .zip(&answer.bits)
            .map(|(time, bits)| {
                let header = Header {
                    version: Version::from_consensus(4),
                    prev_blockhash: prev,
                    merkle_root: TxMerkleNode::all_zeros(),
                    time: *time,
                    bits: CompactTarget::from_consensus(*bits),
                    nonce: 0,
                };
                prev = header.block_hash();
                header
            })
            .collect();
        let last = headers[headers.len() - 1];
        let height = self.first_height + headers.len() as u32 - 1;
        let tree = BitcoinHeaders::new(&params, &Root { height, chain_work: U256::MAX, headers }).unwrap();
        let next = tree.next(&prev).unwrap();
        let is_first = (height + 1).is_multiple_of(params.retarget_blocks);
        let has_late = params.min_difficulty_after_s > 0;
        for (seconds, (expected, permitted)) in self.queries.iter().zip(&answer.next) {
            let time = last.time.checked_add_signed(*seconds).unwrap();
            let bits = next.bits(Timestamp(time));
            assert_eq!(bits.to_consensus(), *expected, "{seconds} s later: {self:?}");
            assert!(permitted, "{seconds} s later: {self:?}");
            if has_late && !is_first && *seconds > 1_200 {
                seen.late += 1;
                assert_eq!(*expected, params.pow_limit_bits);
            } else {
                seen.in_time += 1;
                assert_eq!(next.period_bits.to_consensus(), *expected);
            }
        }
        seen.retargets += usize::from(is_first);
        seen.after_late += usize::from(has_late && last.bits != next.period_bits);
    }
}

fn params(network: &str) -> BitcoinParams {
    ChainParams::all().into_iter().find(|params| params.name == network).unwrap().bitcoin
}

/// Asks Core about all chains.
fn ask(chains: &[Chain]) -> Vec<Answer> {
    let mut core = Command::new(harness()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = core.stdin.take().unwrap();
    let answers = BufReader::new(core.stdout.take().unwrap());
    let lines: Vec<String> = chains.iter().map(Chain::line).collect();
    let writer = std::thread::spawn(move || {
        for line in lines {
            writeln!(stdin, "{line}").unwrap();
        }
    });
    let parsed: Vec<Answer> = answers.lines().map(|line| Answer::parse(&line.unwrap())).collect();
    writer.join().unwrap();
    assert!(core.wait().unwrap().success());
    assert_eq!(parsed.len(), chains.len());
    parsed
}

impl Answer {
    fn parse(line: &str) -> Self {
        let mut numbers = line.split(' ').map(|number| number.parse::<u32>().unwrap());
        let runs = numbers.next().unwrap();
        let mut bits = Vec::new();
        for _ in 0..runs {
            let of = numbers.next().unwrap();
            bits.extend(std::iter::repeat_n(of, numbers.next().unwrap() as usize));
        }
        let rest: Vec<u32> = numbers.collect();
        Self { bits, next: rest.chunks(2).map(|pair| (pair[0], pair[1] == 1)).collect() }
    }
}

/// Builds the harness unless it was built from the same sources. Takes some 20 s of one core.
fn harness() -> PathBuf {
    let sources = core_sources::core_sources();
    let source = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/core_pow/harness.cpp");
    let version = sources.components().rev().nth(2).unwrap().as_os_str().to_str().unwrap().to_owned();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("core-pow-{version}"));
    let (program, copy) = (folder.join("core_pow"), folder.join("harness.cpp"));
    let text = std::fs::read(&source).unwrap();
    if program.is_file() && std::fs::read(&copy).is_ok_and(|built_from| built_from == text) {
        return program;
    }
    std::fs::create_dir_all(&folder).unwrap();
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let built = Command::new(compiler)
        .args(["-std=c++20", "-O1", "-w", "-DDISABLE_OPTIMIZED_SHA256"])
        .arg(format!("-I{}", sources.display()))
        .arg(&source)
        .args(SOURCES.iter().map(|name| sources.join(name)))
        .arg("-o")
        .arg(&program)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    std::fs::write(copy, text).unwrap();
    program
}
