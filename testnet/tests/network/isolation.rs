//! Nodes that lose their peers: one stops its miners, the other one lets them mine solo. Both are back by themselves.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::watched::{SUBSCRIBE, Watched, ask};
use crate::harness::{Up, node, tips, working};

/// Restarts both nodes with these settings instead of `new_pool`, with which a node may work alone.
fn restart_with(up: &Up, settings: [(&str, &str); 2]) {
    for (name, setting) in settings {
        let path = up.dir().join(format!("node-{name}/shoal.toml"));
        let text = std::fs::read_to_string(&path).unwrap().replace("new_pool = true", "new_pool = false");
        std::fs::write(&path, format!("{setting}\n{text}")).unwrap();
        up.must(&["restart", name]);
    }
}

#[test]
fn miners_stop_or_work_solo_without_peers_and_are_back_with_them() {
    let mut up = Up::start(&["--nodes", "2", "--miners", "2", "--hashrate", "800k", "--duration", "300"]);
    up.wait_for("both working", Duration::from_secs(60), |status| working(status) == 2 && tips(status).len() == 1);
    restart_with(&up, [("A", ""), ("B", "on_isolation = \"solo\"")]);
    let seen = up.wait_for("both working again", Duration::from_secs(60), |status| working(status) == 2);
    let (a, b) = (Watched::of(&up, "A"), Watched::of(&up, "B"));
    b.wait_for("pool work", Duration::from_secs(30), |status| {
        status["work"] == "pool" && status["states"] == serde_json::json!([])
    });

    up.must(&["partition", "A|B"]);
    let cut = Instant::now();
    let stopped = a.wait_for("A stops", Duration::from_secs(60), |status| status["work"] == "none");
    // 30 links of a second, less what the command took.
    assert!(cut.elapsed() >= Duration::from_secs(25), "{:?}", cut.elapsed());
    assert!(
        stopped["no_work_because"].as_str().unwrap().starts_with("no peer has been connected for 30 s"),
        "{stopped:#}"
    );
    assert_eq!((&stopped["states"][0]["kind"], &stopped["miners_connected"]), (&"no_peers".into(), &0.into()));
    let refused = ask(a.stratum, SUBSCRIBE);
    assert!(
        refused.contains("this node has no work: "),
        "miners are refused with the reason, so that they fail over: {refused}"
    );
    assert!(!refused.contains("mining.notify"), "{refused}");
    let height = stopped["height"].as_u64();

    let solo = b.wait_for("B works solo", Duration::from_secs(60), |status| status["work"] == "solo");
    assert!(solo["solo_because"].as_str().unwrap().starts_with("no peer has been connected for 30 s"), "{solo:#}");
    assert_eq!((&solo["handing_out_work"], &solo["miners_connected"]), (&true.into(), &1.into()));
    let began = Instant::now();
    let paid = loop {
        let found = b.events("payment").into_iter().find(|sentence| sentence.contains("in solo work"));
        if let Some(sentence) = found {
            break sentence;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "no solo block: {}", up.log());
        std::thread::sleep(Duration::from_millis(300));
    };
    let miner = up.processes().into_iter().find(|line| line.contains(&b.stratum.to_string())).unwrap();
    let user = miner.split("--user ").nth(1).unwrap().split('.').next().unwrap();
    assert!(paid.contains(&format!("to {user} alone")), "{paid} for {miner}");
    assert_eq!(b.get("/status")["height"], solo["height"], "solo work adds no link");
    assert_eq!(a.get("/status")["height"].as_u64(), height, "and no work adds none");

    up.must(&["heal"]);
    let healed = Instant::now();
    up.wait_for("one chain that grows", Duration::from_secs(60), |status| {
        let grows = node(status, "A")["height"].as_u64() > node(&seen, "A")["height"].as_u64();
        working(status) == 2 && tips(status).len() == 1 && grows
    });
    for node in [&a, &b] {
        let back = |status: &Value| status["work"] == "pool" && status["states"] == serde_json::json!([]);
        node.wait_for("the pool, and a new link", Duration::from_secs(60), |status| {
            back(status) && status["miners_connected"] == 1 && status["height"].as_u64() > height
        });
        let told = node.events("isolation");
        let begun = told.iter().position(|sentence| sentence.starts_with("no peer is connected")).unwrap();
        let over = |sentence: &String| sentence.starts_with("over after") && sentence.contains("without peers");
        assert!(told[..begun].iter().any(over), "{told:?}");
    }
    println!("stopped after {:?}, back after {:?}", cut.elapsed(), healed.elapsed());
    assert_eq!(b.events("work")[0], "miners work for the pool again");
    assert!(ask(a.stratum, SUBSCRIBE).contains("mining.notify"), "miners are served again");
}
