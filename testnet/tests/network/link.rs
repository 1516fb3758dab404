//! Nodes on lines that delay, lose and pace packets.

use std::time::Duration;

use crate::harness::Up;

/// `make soak NAME=link` runs the same for half an hour with ten nodes.
#[test]
fn nothing_is_lost_on_bad_lines() {
    let lines = ["--latency", "150ms", "--loss", "1%", "--rate", "10mbit"];
    let mut up = Up::start(&[&["--nodes", "4", "--duration", "45"][..], &lines].concat());
    assert!(up.end(Duration::from_secs(150)).success(), "{}", up.log());
    up.must_be_gone(Duration::from_secs(15));
    // A lost packet comes again after the time of a round trip and more; a second one lost doubles that.
    up.check(&["--agreed", "--lost-max", "0", "--expired-max", "0", "--p99-max", "3000"]);

    let link = &up.report()["link"];
    println!("{link}");
    let count = |name: &str| link[name].as_f64().unwrap();
    let lost = count("packets_lost") / (count("packets_lost") + count("packets_delivered"));
    assert!((0.005..0.015).contains(&lost), "of 1%, {lost} were lost: {link}");
    let ms = |name: &str| link["propagation"][name].as_u64().unwrap();
    assert!(ms("samples") > 200, "{link}");
    assert!(
        ms("floor_p50_ms") >= 150 && ms("p50_ms") >= ms("floor_p50_ms"),
        "nothing is faster than the lines: {link}"
    );
    assert!(ms("p50_ms") < 2 * ms("floor_p50_ms"), "{link}");
}
