//! Submissions on real sockets: which ones the server accepts, and how it rejects the others.

use stratum::{Client, ClientError, Difficulty};

use crate::common::{self, Raw, SHARE_DIFFICULTY, TIME, mine, mine_until, serve, share_target};

const OTHER_TIP: [u8; 32] = [9; 32];

fn other_tip() -> bitcoin::BlockHash {
    bitcoin::hashes::Hash::from_byte_array(OTHER_TIP)
}

#[tokio::test]
async fn a_share_reaches_the_pool_once() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    let proof = mine(&job, share_target(), 0);
    assert_eq!(miner.submit(&job, &proof).await, 0);
    assert_eq!(miner.submit(&job, &proof).await, 22);
    let found = server.pool.found();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].hash, proof.header.block_hash());
    assert_eq!(found[0].extranonce[8..], proof.extranonce2);
    assert_eq!((&*found[0].worker, &*found[0].account), ("alice.rig1", b"alice".as_slice()));
    assert!(found[0].meets_share && !found[0].meets_bitcoin);
    let snapshot = server.stats.snapshot();
    assert_eq!((snapshot.totals.accepted, snapshot.totals.shares, snapshot.totals.rejected.duplicate), (1, 1, 1));
}

#[tokio::test]
async fn the_same_header_under_a_repeated_job_is_a_duplicate() {
    let server = common::serve_with(|config| config.timeouts.keepalive = std::time::Duration::from_millis(600)).await;
    let (mut miner, job) = Raw::start(&server).await;
    let proof = mine(&job, share_target(), 0);
    let again = miner.notify(Vec::new(), job.difficulty).await;
    assert!(again.id != job.id && !again.clean);
    assert_eq!(miner.submit(&job, &proof).await, 0);
    assert_eq!(miner.submit(&again, &proof).await, 22);
}

#[tokio::test]
async fn version_bits_work_without_configure_and_not_outside_the_mask() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    let bits = Some(0x0000_6000);
    let proof = mine_until(&job, TIME, bits, |hash| share_target().is_met_by(hash));
    assert_eq!(proof.header.version.to_consensus(), 0x2000_6000);
    assert_eq!(miner.submit(&job, &proof).await, 0);
    let mut outside = mine(&job, share_target(), 1);
    outside.version_bits = Some(0x8000_0000);
    assert_eq!(miner.submit(&job, &outside).await, 20);
    assert_eq!(server.stats.snapshot().totals.rejected.version, 1);
}

#[tokio::test]
async fn a_hash_above_the_target_is_low_difficulty() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    let proof = mine_until(&job, TIME, None, |hash| !share_target().is_met_by(hash));
    assert_eq!(miner.submit(&job, &proof).await, 23);
    assert!(server.pool.found().is_empty());
}

#[tokio::test]
async fn ntime_has_a_range() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    for (time, code) in [(TIME - 601, 20), (TIME - 600, 0), (TIME + 7_200, 0), (TIME + 7_201, 20)] {
        let proof = mine_until(&job, time, None, |hash| share_target().is_met_by(hash));
        assert_eq!(miner.submit(&job, &proof).await, code, "{time}");
    }
    assert_eq!(server.stats.snapshot().totals.rejected.time, 2);
}

/// On testnet4, a header that comes late needs other nBits than the job has.
#[tokio::test]
async fn ntime_is_not_rolled_past_what_the_nbits_allow() {
    let server = serve().await;
    server.pool.set(|parts| parts.max_time = TIME + 1_000);
    let (mut miner, job) = Raw::start(&server).await;
    for (time, code) in [(TIME + 1_000, 0), (TIME + 1_001, 20)] {
        let proof = mine_until(&job, time, None, |hash| share_target().is_met_by(hash));
        assert_eq!(miner.submit(&job, &proof).await, code, "{time}");
    }
}

#[tokio::test]
async fn late_work_on_the_same_tip_is_accepted() {
    let server = serve().await;
    let (mut miner, first) = Raw::start(&server).await;
    for _ in 0..5 {
        server.pool.set(|_| {});
        miner.notify(Vec::new(), first.difficulty).await;
    }
    assert_eq!(miner.submit(&first, &mine(&first, share_target(), 0)).await, 0);
    let found = server.pool.found();
    assert_eq!((found.len(), found[0].work.key), (1, 1));
}

#[tokio::test]
async fn a_share_on_the_previous_tip_is_accepted_in_the_grace_period() {
    let server = serve().await;
    let (mut miner, first) = Raw::start(&server).await;
    server.pool.set(|parts| parts.prev_block = other_tip());
    assert!(miner.notify(Vec::new(), first.difficulty).await.clean);
    assert_eq!(miner.submit(&first, &mine(&first, share_target(), 0)).await, 0);
    assert_eq!(server.pool.found().len(), 1);
}

#[tokio::test]
async fn a_bitcoin_block_reaches_the_pool_even_if_rejected_as_a_share() {
    let server = serve().await;
    server.pool.set(|parts| parts.bitcoin_target = share_target());
    let (mut miner, job) = Raw::start(&server).await;
    let proof = mine_until(&job, TIME + 9_000, None, |hash| share_target().is_met_by(hash));
    assert_eq!(miner.submit(&job, &proof).await, 20);
    let found = server.pool.found();
    assert_eq!(found.len(), 1);
    assert!(found[0].meets_bitcoin);
    assert_eq!(server.stats.snapshot().totals.blocks, 1);
}

#[tokio::test]
async fn a_share_must_meet_the_difficulty_of_its_own_job() {
    let server = serve().await;
    let (mut miner, easy) = Raw::start(&server).await;
    let hard = Difficulty::floor(SHARE_DIFFICULTY * 64.0).target();
    server.pool.set(|parts| parts.share_target = hard);
    let hard_job = miner.job(Vec::new()).await;
    let proof = mine_until(&easy, TIME, None, |hash| share_target().is_met_by(hash) && !hard.is_met_by(hash));
    assert_eq!(miner.submit(&easy, &proof).await, 0);
    assert_eq!(hard_job.target, hard);
}

#[tokio::test]
async fn unknown_jobs_and_workers_get_different_codes() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    let proof = mine(&job, share_target(), 0);
    let mut unknown = job.clone();
    unknown.id = "1".to_owned();
    assert_eq!(miner.submit(&unknown, &proof).await, 21);
    let stranger =
        r#"{"id":4,"method":"mining.submit","params":["bob","ID","0000000000000000","00000000","00000000"]}"#;
    assert_eq!(miner.ask(&stranger.replace("ID", &job.id)).await["error"][0], 24);

    let mut newcomer = Raw::connect(&server).await;
    assert_eq!(newcomer.submit(&job, &proof).await, 25);
    newcomer.ask(r#"{"id":1,"method":"mining.subscribe","params":[]}"#).await;
    assert_eq!(newcomer.submit(&job, &proof).await, 24);
}

#[tokio::test]
async fn the_client_mines_and_reports_rejections() {
    let server = serve().await;
    let (client, mut jobs) = Client::connect(server.addr, "carol.cpu", "test-miner/1").await.unwrap();
    let job = jobs.recv().await.unwrap();
    let proof = mine_until(&job, TIME, Some(0x2000), |hash| job.target.is_met_by(hash));
    client.submit(&job, proof.extranonce2, TIME, proof.header.nonce, 0x2000).await.unwrap();
    let again = client.submit(&job, proof.extranonce2, TIME, proof.header.nonce, 0x2000).await;
    assert!(matches!(again, Err(ClientError::Refused { code: 22, .. })), "{again:?}");
    assert_eq!(server.pool.found()[0].hash, proof.header.block_hash());
    let rejected = Client::connect(server.addr, "mallory", "test-miner/1").await;
    assert!(matches!(rejected, Err(ClientError::Refused { code: 24, .. })));
    let snapshot = server.stats.snapshot();
    assert_eq!(snapshot.connections[0].agent, "test-miner/1");
    assert!(snapshot.connections[0].hashrate_hs > 0.0);
}

#[tokio::test]
async fn a_closed_connection_stays_in_the_totals() {
    let server = serve().await;
    let (mut miner, job) = Raw::start(&server).await;
    assert_eq!(miner.submit(&job, &mine(&job, share_target(), 0)).await, 0);
    drop(miner);
    for _ in 0..100 {
        if server.stats.snapshot().connections.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let snapshot = server.stats.snapshot();
    assert!(snapshot.connections.is_empty());
    assert_eq!((snapshot.totals.accepted, snapshot.connections_taken), (1, 1));
}
