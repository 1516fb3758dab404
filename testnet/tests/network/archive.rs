//! A network whose nodes stream into one PostgreSQL.

use std::time::{Duration, Instant};

use archive::ArchiveUrl;

use crate::harness::{Up, working};

const OPTIONS: [&str; 3] = ["--nodes", "2", "--archive"];

/// Time in which processes must exit.
const SOON: Duration = Duration::from_secs(15);

/// Deletes the first share of an archive, when both nodes have written enough not to write it again.
fn delete_first_share(url: &str) {
    let url: ArchiveUrl = url.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let client = url.connect().await.unwrap();
        let began = Instant::now();
        loop {
            // Until a node has connected, there is no such table. Up to 144 Bitcoin headers come before the first share.
            let rows = client.query("select from source where position > 190", &[]).await.unwrap_or_default();
            if rows.len() == 2 {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{} nodes stream", rows.len());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let sql = "delete from share where key = (select key from share order by height, key limit 1)";
        assert_eq!(client.execute(sql, &[]).await.unwrap(), 1);
    });
}

#[test]
fn a_share_that_the_archive_lacks_is_told_and_comes_back_with_the_next_run() {
    let mut up = Up::start(&OPTIONS);
    let status = up.wait_for("both nodes working", Duration::from_secs(60), |status| working(status) == 2);
    delete_first_share(status["archive"].as_str().unwrap());
    up.must(&["stop"]);
    assert_eq!(up.end(Duration::from_secs(90)).code(), Some(1), "{}", up.log());
    let told = "it lacks 1 shares, has 0 that no node has, and has 0 twice";
    assert!(up.log().contains(told), "{}", up.log());
    up.must_be_gone(SOON);

    // A node that starts writes its newest records again.
    let mut again = Up::start_in(up.dir().to_owned(), &OPTIONS);
    again.wait_for("both nodes working again", Duration::from_secs(60), |status| working(status) == 2);
    again.must(&["stop"]);
    assert!(again.end(Duration::from_secs(90)).success(), "{}", again.log());
    let log = again.log();
    let shares =
        log.lines().find_map(|line| line.split_once("the archive has all ")?.1.split_once(' ')?.0.parse().ok());
    assert!(shares.is_some_and(|shares: u64| shares > 20), "{log}");
    again.must_be_gone(SOON);
}
