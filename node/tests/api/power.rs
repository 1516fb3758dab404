//! The owner's power switch, over the API, as a file, and with the command `shoal power`.

use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::pool::Pool;
use crate::server::{Api, sentence};

async fn request(api: &Api, method: &str, query: &str, token: &str) -> (u16, Value) {
    let request = format!(
        "{method} /api/v1/power{query} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: {token}\r\n\r\n"
    );
    let answer = api.raw(request.as_bytes()).await;
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap())
}

#[tokio::test]
async fn the_owner_pauses_devices_and_a_stranger_does_not() {
    let api = Api::of(Pool::new()).await;
    let (_, token) = api.token();
    let (status, shown) = request(&api, "GET", "", &token).await;
    assert_eq!(
        (status, &shown["switch"], &shown["workers"], &shown["resting"]),
        (200, &json!("schedule"), &json!([]), &json!(0))
    );
    let (status, shown) =
        request(&api, "POST", "?what=pause&workers=rig1,rig2&run_percent=50&for_s=3600", &token).await;
    assert_eq!((status, &shown["switch"], &shown["run_percent"]), (200, &json!("pause"), &json!(50)), "{shown}");
    assert_eq!(shown["workers"], json!(["rig1", "rig2"]));
    let file = api.folder().join("power");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert_eq!(kept, format!("pause run=50% workers=rig1,rig2 until={}\n", shown["until_unix_s"]));

    for method in ["GET", "POST", "DELETE"] {
        let (status, refused) = request(&api, method, "", "Bearer 00").await;
        assert!(status == 401 && sentence(&refused.to_string()).contains("api-token"), "{refused}");
    }
    for (query, words) in [
        ("", "`what`"),
        ("?what=off", "`what`"),
        ("?what=run&workers=a", "without workers"),
        ("?what=pause&run_percent=100", "0 to 99"),
        ("?what=pause&for_s=0", "31536000"),
        ("?what=pause&workers=a,,b", "comma"),
        ("?what=pause&worker=a", "`workers`"),
    ] {
        let (status, refused) = request(&api, "POST", query, &token).await;
        assert!(status == 400 && sentence(&refused.to_string()).contains(words), "{query}: {refused}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), kept, "what is refused changes nothing");
    let (_, shown) = request(&api, "POST", "?what=run", &token).await;
    assert_eq!((&shown["switch"], &shown["until_unix_s"]), (&json!("run"), &Value::Null));
    let (_, shown) = request(&api, "DELETE", "", &token).await;
    assert!(shown["switch"] == "schedule" && !file.exists());
}

/// Runs `shoal power` as its own process, with the node's data folder or another one.
async fn shoal_power(api: &Api, folder: &std::path::Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    command.env_clear().env("HOME", "/nonexistent").arg("power").args(args).arg("--network=local");
    command.arg(format!("--api-listen={}", api.address)).arg(format!("--data-dir={}", folder.display()));
    command.output().await.unwrap()
}

#[tokio::test]
async fn the_command_sets_the_switch_and_tells_what_holds() {
    let api = Api::of(Pool::new()).await;
    let file = api.folder().join("power");
    let said = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let cases: [(&[&str], Option<&str>, &str); 8] = [
        (&[], None, "follows the schedule"),
        (&["off"], Some("pause"), "off: all devices\n"),
        (&["off", "--workers", "rig1,rig2"], Some("pause workers=rig1,rig2"), "off: rig1, rig2"),
        (&["cap", "50%", "--workers=rig1"], Some("pause run=50% workers=rig1"), "cap: rig1 run 50% of the time"),
        (&["off", "--for", "2h"], Some("pause until="), "off: all devices, for another "),
        (&["on", "--for", "30m"], Some("run until="), "on: all devices, regardless of the schedule, for another "),
        (&["on"], Some("run"), "on: all devices"),
        (&["schedule"], None, "follows the schedule"),
    ];
    for (args, kept, words) in cases {
        let output = shoal_power(&api, api.folder(), args).await;
        assert!(output.status.success() && said(&output).contains(words), "{args:?}: {output:?}");
        let text = std::fs::read_to_string(&file).ok();
        assert_eq!(text.is_some(), kept.is_some(), "{args:?}");
        assert!(text.unwrap_or_default().starts_with(kept.unwrap_or_default()), "{args:?}");
    }
    let json = shoal_power(&api, api.folder(), &["--json"]).await;
    assert_eq!(serde_json::from_slice::<Value>(&json.stdout).unwrap()["switch"], "schedule");
    // What is refused changes nothing: by the command line itself, by the node, and without the token.
    let elsewhere = tempfile::tempdir().unwrap();
    let cases: [(&std::path::Path, &[&str], i32, &str); 4] = [
        (api.folder(), &["cap", "100%"], 2, "write 1% to 99%"),
        (api.folder(), &["off", "--workers", "a,,b"], 1, "comma"),
        (api.folder(), &["off", "--for", "104w"], 1, "31536000"),
        (elsewhere.path(), &["off"], 1, "api-token"),
    ];
    for (folder, args, code, words) in cases {
        let output = shoal_power(&api, folder, args).await;
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && told.contains(words), "{args:?}: {told}");
        assert!(!file.exists(), "{args:?}");
    }
}
