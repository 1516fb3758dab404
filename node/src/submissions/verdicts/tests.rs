use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use super::Verdicts;
use crate::bitcoind::SubmitVerdict;
use crate::store::Store;

#[test]
fn the_newest_verdicts_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Verdicts::open(Arc::new(Store::open(&folder.path().join("db"), [7; 32]).unwrap())).unwrap();
    let [first, second] = [1, 2].map(|number| BlockHash::from_byte_array([number; 32]));
    let refused = SubmitVerdict::Rejected { reason: "high-hash".into() };
    let mut verdicts = open();
    verdicts.keep(first, SubmitVerdict::Inconclusive).unwrap();
    verdicts.keep(second, refused.clone()).unwrap();
    verdicts.keep(first, SubmitVerdict::Accepted).unwrap();
    drop(verdicts);
    let verdicts = open();
    assert_eq!(verdicts.of(&first), Some(&SubmitVerdict::Accepted));
    assert_eq!(verdicts.of(&second), Some(&refused));
    assert_eq!(verdicts.told.len(), 2);
}
