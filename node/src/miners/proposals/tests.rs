//! The order of proposals and of their verdicts.

use tokio::sync::oneshot;

use super::*;

fn bad() -> Option<Rejected> {
    Some(Some("bad".into()))
}

#[tokio::test]
async fn a_late_verdict_on_an_older_template_does_not_replace_a_newer_one() {
    let proposals = Proposals::new(watch::Sender::new(None));
    let (old, new) = (proposals.begin(), proposals.begin());
    let (answer, answered) = oneshot::channel::<()>();
    let slow = proposals.settle(old, async {
        answered.await.unwrap();
        Some(None)
    });
    let answering = async {
        tokio::task::yield_now().await;
        answer.send(()).unwrap();
    };
    tokio::join!(slow, proposals.settle(new, async { bad() }), answering);
    assert_eq!(Some(proposals.rejected()), bad(), "miners get no work of a block that bitcoind rejects");
    // Nor does one whose turn comes late.
    proposals.settle(old, async { Some(None) }).await;
    assert_eq!(Some(proposals.rejected()), bad());
    proposals.settle(proposals.begin(), async { None }).await;
    assert_eq!(Some(proposals.rejected()), bad(), "no verdict changes nothing");
    proposals.settle(proposals.begin(), async { Some(None) }).await;
    assert_eq!(proposals.rejected(), None);
}

#[tokio::test]
async fn templates_that_wait_for_a_bitcoind_that_hangs_are_not_all_proposed() {
    let proposals = Proposals::new(watch::Sender::new(None));
    let (answer, answered) = oneshot::channel::<()>();
    let asked = AtomicU64::new(0);
    let ask = async || {
        asked.fetch_add(1, Ordering::Relaxed);
        Some(None)
    };
    let hangs = proposals.settle(proposals.begin(), async {
        answered.await.unwrap();
        Some(None)
    });
    let waiting: Vec<_> = (0..100).map(|_| proposals.settle(proposals.begin(), ask())).collect();
    let answering = async {
        tokio::task::yield_now().await;
        answer.send(()).unwrap();
    };
    tokio::join!(hangs, futures::future::join_all(waiting), answering);
    assert_eq!(asked.load(Ordering::Relaxed), 1, "the newest");
}
