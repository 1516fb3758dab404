use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_record_is_read_back(
        listed_total: u64,
        rows in vec((vec(any::<u8>(), 0..40), any::<u128>(), any::<u64>()), 0..20),
    ) {
        let sum = |weight, shares| Sum { weight: Weight(weight), shares };
        let rows = rows.into_iter().map(|(script, weight, shares)| (ScriptBuf::from_bytes(script), sum(weight, shares)));
        let earners = Earners { listed_total, rows: rows.collect() };
        let record = earners.to_record(&ShareId([7; 32])).unwrap();
        prop_assert_eq!(Earners::from_bytes(&record.bytes).unwrap(), earners);
        prop_assert!(Earners::from_bytes(&record.bytes[..record.bytes.len() - 1]).is_err());
    }
}

#[test]
fn more_than_a_record_holds_is_not_noted() {
    let row = (ScriptBuf::from_bytes(vec![0; 22]), Sum::default());
    let earners = |count| Earners { listed_total: 1, rows: vec![row.clone(); count] };
    assert!(earners(90_000).to_record(&ShareId([7; 32])).is_some());
    assert!(earners(120_000).to_record(&ShareId([7; 32])).is_none());
}
