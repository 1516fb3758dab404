use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use super::{Journal, Submit, Verdict, read_submits};

#[test]
fn lines_are_read_as_they_were_written_but_for_a_torn_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m1.jsonl");
    assert_eq!(read_submits(&path).unwrap(), []);

    let refused = Verdict::Refused { code: 21, text: "stale".to_owned() };
    let submits: Vec<Submit> = [Verdict::Accepted, refused, Verdict::Unanswered]
        .into_iter()
        .enumerate()
        .map(|(number, verdict)| {
            let id = BlockHash::from_byte_array([number as u8; 32]);
            Submit { id, verdict, hashes: 1_000 * number as u64 }
        })
        .collect();
    let journal = Journal::open(&path).unwrap();
    submits.iter().for_each(|submit| journal.write(submit));
    let torn = std::fs::read_to_string(&path).unwrap() + "{\"id\":\"00";
    std::fs::write(&path, torn).unwrap();
    assert_eq!(read_submits(&path).unwrap(), submits);
}
