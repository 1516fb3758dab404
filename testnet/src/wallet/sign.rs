//! Builds and signs one of the wallet's transactions.

use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::Message;
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, ecdsa, transaction};

use super::keys::Keys;

/// Virtual bytes of a transaction with one P2WPKH input and two such outputs.
const ONE_INPUT_VBYTES: u64 = 141;
/// Virtual bytes of each further P2WPKH input.
const INPUT_VBYTES: u64 = 68;

/// A signed transaction with the facts that a block template needs.
#[derive(Debug, Clone)]
pub struct Spend {
    /// The transaction.
    pub transaction: Transaction,
    /// Inputs minus outputs.
    pub fee: Amount,
    /// Cost in signature operations, as consensus counts them.
    pub sigops: usize,
}

/// Spends `coins` (outpoint, output, key number) to two keys of the wallet. `serial` varies the amounts, the keys and
/// the fee rate, which ranges from 1 to 12 sat/vB.
pub(super) fn build(keys: &Keys, coins: &[(OutPoint, TxOut, usize)], serial: u64) -> Spend {
    let total: Amount = coins.iter().map(|(_, output, _)| output.value).sum();
    let vbytes = ONE_INPUT_VBYTES + INPUT_VBYTES * (coins.len() as u64).saturating_sub(1);
    let fee = Amount::from_sat(vbytes * (1 + serial * 5 % 12));
    let rest = total.to_sat().saturating_sub(fee.to_sat());
    let part = rest / (2 + serial % 5);
    let output = |value, key: u64| TxOut {
        value: Amount::from_sat(value),
        script_pubkey: keys.get(key as usize).script.clone(),
    };
    signed(keys, coins, vec![output(part, serial), output(rest - part, serial / 3 + 7)])
}

/// Spends `coins` to these outputs.
pub(super) fn signed(keys: &Keys, coins: &[(OutPoint, TxOut, usize)], outputs: Vec<TxOut>) -> Spend {
    let total: Amount = coins.iter().map(|(_, output, _)| output.value).sum();
    let fee = total - outputs.iter().map(|output| output.value).sum();
    let mut transaction = Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: coins.iter().map(|(outpoint, _, _)| input(*outpoint)).collect(),
        output: outputs,
    };
    sign(keys, coins, &mut transaction);
    let sigops = transaction.total_sigop_cost(|outpoint| {
        coins.iter().find(|(spent, _, _)| spent == outpoint).map(|(_, output, _)| output.clone())
    });
    Spend { transaction, fee, sigops }
}

fn input(previous_output: OutPoint) -> TxIn {
    TxIn {
        previous_output,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    }
}

fn sign(keys: &Keys, coins: &[(OutPoint, TxOut, usize)], transaction: &mut Transaction) {
    let mut cache = SighashCache::new(transaction);
    for (index, (_, spent, key)) in coins.iter().enumerate() {
        let key = keys.get(*key);
        let sighash = cache
            .p2wpkh_signature_hash(index, &spent.script_pubkey, spent.value, EcdsaSighashType::All)
            .expect("every coin of the wallet is a P2WPKH output and has its own input");
        let message = Message::from_digest(*AsRef::<[u8; 32]>::as_ref(&sighash));
        let signature = ecdsa::Signature {
            signature: keys.secp().sign_ecdsa(&message, &key.secret),
            sighash_type: EcdsaSighashType::All,
        };
        if let Some(witness) = cache.witness_mut(index) {
            *witness = Witness::p2wpkh(&signature, &key.public.0);
        }
    }
}
