use super::*;

fn hash() -> BlockHash {
    signet::genesis().block_hash()
}

#[test]
fn reasons_are_read_from_the_engines_log() {
    let connect = format!("ConnectTip: ConnectBlock {} failed, bad-cb-amount, pays too much", hash());
    let check = format!("CheckBlockHeader: {}, high-hash, proof of work failed", hash());
    for (log, expected) in [
        ("[error] ProcessNewBlock: AcceptBlock FAILED (time-too-old, early)", "time-too-old"),
        ("noise\nProcessNewBlock: AcceptBlock FAILED (duplicate-invalid)\nnoise", "duplicate-invalid"),
        (
            "AcceptBlock FAILED (block-script-verify-flag-failed (Stack size), input 0)",
            "block-script-verify-flag-failed (Stack size)",
        ),
        (connect.as_str(), "bad-cb-amount"),
        (check.as_str(), "high-hash"),
        ("", "rejected"),
    ] {
        assert_eq!(reason(log, &hash()), expected);
    }
}

#[test]
fn two_engines_in_one_process_do_not_mix_their_reasons() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let engines = dirs.each_ref().map(|dir| Engine::open(dir.path()).unwrap());
    let blocks = crate::premine::blocks().unwrap();
    let mut wrong = blocks[0].clone();
    wrong.header.nonce ^= 1;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for block in &blocks {
                assert_eq!(engines[0].judge(block).unwrap().verdict, Verdict::Accepted);
            }
        });
        scope.spawn(|| {
            for _ in 0..200 {
                let verdict = engines[1].judge(&wrong).unwrap().verdict;
                assert_eq!(verdict, Verdict::Invalid("high-hash".to_owned()));
            }
        });
    });
    assert_eq!(engines[0].active_from(0).len(), blocks.len() + 1);
    assert_eq!(engines[1].active_from(0).len(), 1);
}
