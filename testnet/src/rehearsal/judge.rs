//! Bitcoin Core's own functions, as a program: `tests/core_blocks`, which judges one block per line.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{OutPoint, TxOut};

use super::Submitted;

/// The running program.
#[derive(Debug)]
pub struct Core {
    child: Child,
    input: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Core's figures for a valid block.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// Weight units.
    pub weight: u64,
    /// Cost in signature operations.
    pub sigops: u64,
    /// Fees of its transactions, satoshi.
    pub fees: u64,
    /// Subsidy of its height, satoshi.
    pub subsidy: u64,
    /// Sum of the coinbase's outputs, satoshi.
    pub paid: u64,
}

impl Core {
    /// Starts the program. Blocks may spend `coins`.
    ///
    /// # Errors
    /// The program does not start, or ends at once.
    pub fn start<'a>(program: &Path, coins: impl IntoIterator<Item = &'a (OutPoint, TxOut)>) -> io::Result<Self> {
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(mut input), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the program has no input or output"));
        };
        for (OutPoint { txid, vout }, TxOut { value, script_pubkey }) in coins {
            writeln!(input, "coin {txid} {vout} {} {}", value.to_sat(), script_pubkey.to_hex_string())?;
        }
        Ok(Self { child, input, answers: BufReader::new(answers) })
    }

    /// Judges a block.
    ///
    /// # Errors
    /// The block is not valid, or pays more or less than subsidy and fees; the error says so. Or the program ended.
    pub fn judge(&mut self, submitted: &Submitted) -> io::Result<Judged> {
        let Submitted { height, median_time, block } = submitted;
        writeln!(self.input, "block {height} {median_time} {}", serialize_hex(block))?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let refused = || io::Error::other(format!("Bitcoin Core refuses block {height}: {}", line.trim_end()));
        let numbers = line.trim_end().strip_prefix("valid ").ok_or_else(refused)?;
        let numbers = numbers.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>().map_err(|_| refused())?;
        let [weight, sigops, fees, subsidy, paid] = numbers[..] else { return Err(refused()) };
        if paid != subsidy + fees {
            return Err(io::Error::other(format!("block {height} pays {paid} sat of {subsidy} + {fees}")));
        }
        Ok(Judged { weight, sigops, fees, subsidy, paid })
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
