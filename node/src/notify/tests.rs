use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::receiver::signature;
use super::*;
use crate::config::{Route, Secret, SecretUrl};
use crate::history::{EventKind, Found, History, Paid};
use crate::store::Store;

const SECRET: &str = "a word that both know";

/// Time that an event may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Inbox {
    taken: Mutex<Vec<(HeaderMap, String)>>,
    refusals_left: Mutex<u32>,
    news: Notify,
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: String) -> StatusCode {
    let mut refusals = inbox.refusals_left.lock().unwrap();
    if *refusals > 0 {
        *refusals -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    inbox.taken.lock().unwrap().push((headers, body));
    inbox.news.notify_one();
    StatusCode::NO_CONTENT
}

/// A receiver that refuses the first events, and its address.
async fn receiver(refusals: u32) -> (Arc<Inbox>, SecretUrl) {
    let inbox = Arc::new(Inbox { refusals_left: Mutex::new(refusals), ..Inbox::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?key=private", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&inbox));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (inbox, SecretUrl::new(url.parse().unwrap()))
}

/// A webhook that gets events of these kinds.
fn to(url: SecretUrl, events: Vec<EventKind>) -> NotifyConfig {
    let receiver = ReceiverConfig::Webhook { url, secret: Secret::new(SECRET) };
    NotifyConfig { routes: vec![Route { receiver, events }], pages_url: Some(pages()) }
}

fn pages() -> Url {
    "http://192.0.2.7:3380".parse().unwrap()
}

fn receivers(config: watch::Receiver<NotifyConfig>) -> Receivers {
    Receivers { config, proxy: None, network: "local", pages: "127.0.0.1:3380".parse().unwrap() }
}

#[tokio::test]
async fn events_arrive_in_their_order_signed_and_after_refusals() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(Arc::new(Store::open(&folder.path().join("db"), [7; 32]).unwrap())).unwrap();
    let event_log = history.event_log().clone();
    let (inbox, url) = receiver(2).await;
    let events = vec![EventKind::Block, EventKind::Worker];
    let (_settings, config) = watch::channel(to(url, events));
    let sending = tokio::spawn(receivers(config).run(event_log.clone()));
    while event_log.listeners() == 0 {
        tokio::task::yield_now().await;
    }
    event_log.note(Event::new(EventKind::Block, "the pool found a Bitcoin block"));
    event_log.note(Event::new(EventKind::Peers, "this one was not asked for"));
    event_log.note(Event::new(EventKind::Worker, "a miner is back"));
    while inbox.taken.lock().unwrap().len() < 2 {
        tokio::time::timeout(SOON, inbox.news.notified()).await.expect("the events arrive");
    }
    sending.abort();
    let taken = inbox.taken.lock().unwrap();
    let kinds: Vec<_> = taken.iter().map(|(headers, _)| headers["shoal-event"].to_str().unwrap()).collect();
    assert_eq!(kinds, ["block", "worker"]);
    for (headers, body) in taken.iter() {
        let given = headers["shoal-signature"].to_str().unwrap();
        let time: u64 = given.strip_prefix("t=").unwrap().split(',').next().unwrap().parse().unwrap();
        assert_eq!(given, signature(&Secret::new(SECRET), time, body));
        assert_ne!(given, signature(&Secret::new("another"), time, body));
        let told: Value = serde_json::from_str(body).unwrap();
        assert_eq!(told["network"], "local");
        assert!(told["id"].is_u64() && told["sentence"].is_string(), "{told}");
    }
}

#[test]
fn the_signature_is_that_of_rfc_2104() {
    // Computed in Python: hmac.new(b"key", b"1700000000.{}", hashlib.sha256).
    let expected = "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae";
    assert_eq!(signature(&Secret::new("key"), 1_700_000_000, "{}"), expected);
}

#[tokio::test]
async fn new_settings_take_effect_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(Arc::new(Store::open(&folder.path().join("db"), [7; 32]).unwrap())).unwrap();
    let event_log = history.event_log().clone();
    let (settings, config) = watch::channel(NotifyConfig::default());
    let sending = tokio::spawn(receivers(config).run(event_log.clone()));
    while event_log.listeners() == 0 {
        tokio::task::yield_now().await;
    }
    event_log.note(Event::new(EventKind::Block, "no receiver wants it"));
    let (inbox, url) = receiver(0).await;
    settings.send_replace(to(url, vec![EventKind::Worker]));
    while settings.receiver_count() > 0 && inbox.taken.lock().unwrap().is_empty() {
        event_log.note(Event::new(EventKind::Worker, "a miner is back"));
        let _ = tokio::time::timeout(Duration::from_millis(50), inbox.news.notified()).await;
    }
    sending.abort();
    let taken = inbox.taken.lock().unwrap();
    assert!(taken.iter().all(|(headers, _)| headers["shoal-event"] == "worker"));
    assert!(!taken.is_empty());
}

#[test]
fn events_carry_fields_for_programs_and_full_links() {
    let hash = "00000000000000000000000000000000000000000000000000000000000000aa".parse().unwrap();
    let event = Event::new(EventKind::Block, "the pool found a block").at(format!("/blocks/{hash}"));
    let found = Event { id: 7, time: 1_800_000_000, block: Some(Found { hash, height: 9 }), ..event };
    let told = serde_json::to_value(Message::new("local", &found, &pages())).unwrap();
    assert_eq!(
        told,
        serde_json::json!({
            "network": "local", "id": 7, "kind": "block", "time_unix_s": 1_800_000_000, "sentence": "the pool found a block",
            "link": format!("http://192.0.2.7:3380/blocks/{hash}"), "block": hash.to_string(), "block_height": 9,
        })
    );
    let paid = Paid { address: "tb1q".to_owned(), value_sat: 5_000, block: hash, height: 9 };
    let event = Event { paid: Some(paid), worker: Some("rig".to_owned()), ..Event::new(EventKind::Payment, "paid") };
    let told = serde_json::to_value(Message::new("local", &event, &pages())).unwrap();
    let fields = ["paid_sat", "address", "worker", "block", "block_height", "link"].map(|name| told[name].clone());
    assert_eq!(serde_json::json!(fields), serde_json::json!([5_000, "tb1q", "rig", hash.to_string(), 9, null]));
}

#[test]
fn a_long_sentence_is_cut_for_people_and_its_link_stays() {
    let event = Event::new(EventKind::Worker, "\u{e9}".repeat(5_000)).at("/miners/x");
    let text = Message::new("local", &event, &pages()).text();
    assert_eq!(text.chars().filter(|letter| *letter == '\u{e9}').count(), crate::limits::NOTIFY_CHARS_MAX - 1);
    assert!(text.starts_with('\u{c9}') && text.ends_with("\nhttp://192.0.2.7:3380/miners/x"), "{text}");
}

/// Any miner of this node chooses a user name.
#[tokio::test]
async fn a_user_name_calls_nobody_in_a_chat() {
    let (inbox, url) = receiver(0).await;
    let event = Event::new(EventKind::Worker, "device <!channel> @everyone & co is silent");
    let message = Message::new("local", &event, &pages());
    let way = Way::new(None).unwrap();
    for receiver in [ReceiverConfig::Slack { url: url.clone() }, ReceiverConfig::Discord { url }] {
        receiver::send(&receiver, &way, &message).await.unwrap();
    }
    let taken = inbox.taken.lock().unwrap();
    let bodies: Vec<Value> = taken.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(bodies[0]["text"], "*Shoal: a device*\nDevice &lt;!channel&gt; @everyone &amp; co is silent");
    assert_eq!(bodies[1]["allowed_mentions"], serde_json::json!({ "parse": [] }), "Discord mentions no one then");
}

#[tokio::test]
async fn a_user_name_is_no_link_in_a_chat() {
    let (inbox, url) = receiver(0).await;
    let event = Event::new(EventKind::Worker, "device [claim](https://evil.example) is silent").at("/");
    let message = Message::new("local", &event, &pages());
    receiver::send(&ReceiverConfig::Discord { url }, &Way::new(None).unwrap(), &message).await.unwrap();
    let taken = inbox.taken.lock().unwrap();
    let body: Value = serde_json::from_str(&taken[0].1).unwrap();
    // Discord shows a character after a backslash literally. The node's own link stays a link.
    let text = r"Device \[claim\]\(https\://evil.example\) is silent";
    assert_eq!(body["content"], format!("**Shoal: a device**\n{text}\nhttp://192.0.2.7:3380/"));
}
