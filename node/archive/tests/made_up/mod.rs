//! Made-up history. The proofs are no proofs: only their form and their number are those of main.

use archive::batch::{Batch, CreditRow, LinkRow, ShareRow};
use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash, sha256};
use sharechain::{ShareId, U256};

/// Shares that a link lists, with itself.
pub(crate) const SHARES_PER_LINK: u64 = 33;

/// Milliseconds from one share to the next on main: 276,000 a day.
pub(crate) const MAIN_PACE_MS: u64 = 313;

/// Miners. One in two shares comes from the first tenth of them.
const MINERS: u64 = 2_000;

/// 27 October 2026: two partitions in ten days.
const BEGINS: u64 = 1_793_059_200;

fn id(kind: u8, number: u64) -> ShareId {
    ShareId(sha256::Hash::hash(&[&[kind][..], &number.to_le_bytes()].concat()).to_byte_array())
}

fn miner(number: u64) -> u64 {
    let [a, b, c, ..] = id(2, number).0;
    let of = if a < 128 { MINERS / 10 } else { MINERS };
    u64::from(u16::from_be_bytes([b, c])) % of
}

fn script(miner: u64) -> ScriptBuf {
    let hash = id(3, miner).0;
    ScriptBuf::from_bytes([&[0, 20], &hash[..20]].concat())
}

/// The shares from `first` up to `end`, and the links that list them, with `pace_ms` from one share to the next.
pub(crate) fn batch(first: u64, end: u64, pace_ms: u64) -> Batch {
    let mut batch = Batch::default();
    for link in first / SHARES_PER_LINK..end / SHARES_PER_LINK {
        let numbers = link * SHARES_PER_LINK..(link + 1) * SHARES_PER_LINK;
        let mut credits: Vec<CreditRow> = Vec::new();
        let mut list = Vec::new();
        for number in numbers {
            let is_link = (number + 1) % SHARES_PER_LINK == 0;
            let own = if is_link { id(0, link + 1) } else { id(1, number) };
            let script = batch.script(&script(miner(number)));
            let weight = 3_504_881_374_004_u128;
            match credits.iter_mut().find(|row| row.script == script) {
                Some(row) => (row.proofs, row.weight) = (row.proofs + 1, row.weight + weight),
                None => credits.push(CreditRow { script, proofs: 1, weight }),
            }
            let time = u32::try_from(BEGINS + number * pace_ms / 1_000).unwrap();
            let height = u32::try_from(link + 1).unwrap();
            let bitcoin_height = 920_000 + height / 58;
            batch.share(ShareRow {
                id: own,
                parent: id(0, link),
                time,
                height,
                bitcoin_height,
                coinbase_value: 312_500_000 + number % 9_000_000,
                script,
                weight,
                hashes: 141_893_231_005_917 + u128::from(link),
                is_link,
                is_block: false,
            });
            if !is_link {
                list.push(own);
                continue;
            }
            batch.link(LinkRow {
                id: own,
                parent: id(0, link),
                time,
                height,
                bitcoin_height,
                previous_block: id(4, u64::from(bitcoin_height)),
                state_root: id(5, link).0,
                chain_work: U256::from(4_682_476_623_195_261_u64) * U256::from(link + 1),
                link_hashes: U256::from(4_682_476_623_195_261_u64),
                share_hashes: U256::from(141_893_231_005_917_u64),
                list: Some(std::mem::take(&mut list)),
                credits: std::mem::take(&mut credits),
            });
            batch.set_tip(own);
        }
    }
    batch
}
