//! The owner's power switch, over the API and as a file.

use serde_json::{Value, json};

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
        ("?what=pause&workers=a,,b", "commas"),
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
