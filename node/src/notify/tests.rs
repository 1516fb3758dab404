use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::*;
use crate::history::{EventKind, History};
use crate::store::Store;

const SECRET: &str = "a word that both know";

/// How long an event may take: a busy machine is slow.
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

/// A receiver that refuses some events first, and where it listens.
async fn receiver(refusals: u32) -> (Arc<Inbox>, Url) {
    let inbox = Arc::new(Inbox { refusals_left: Mutex::new(refusals), ..Inbox::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?key=private", listener.local_addr().unwrap()).parse().unwrap();
    let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&inbox));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (inbox, url)
}

#[tokio::test]
async fn events_arrive_in_their_order_signed_and_after_refusals() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(Arc::new(Store::open(&folder.path().join("db"), [7; 32]).unwrap())).unwrap();
    let event_log = history.event_log().clone();
    let (inbox, url) = receiver(2).await;
    let events = vec![EventKind::Block, EventKind::Worker];
    let config = WebhooksConfig { urls: vec![url], secret: Secret::new(SECRET), events };
    let (_settings, config) = watch::channel(Some(config));
    let sending = tokio::spawn(Receivers { config, proxy: None, network: "local" }.run(event_log.clone()));
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
    // Made with Python: hmac.new(b"key", b"1700000000.{}", hashlib.sha256).
    let expected = "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae";
    assert_eq!(signature(&Secret::new("key"), 1_700_000_000, "{}"), expected);
}

#[tokio::test]
async fn new_settings_take_effect_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(Arc::new(Store::open(&folder.path().join("db"), [7; 32]).unwrap())).unwrap();
    let event_log = history.event_log().clone();
    let (settings, config) = watch::channel(None);
    let sending = tokio::spawn(Receivers { config, proxy: None, network: "local" }.run(event_log.clone()));
    while event_log.listeners() == 0 {
        tokio::task::yield_now().await;
    }
    event_log.note(Event::new(EventKind::Block, "nobody wants to know"));
    let (inbox, url) = receiver(0).await;
    let secret = Secret::new(SECRET);
    settings.send_replace(Some(WebhooksConfig { urls: vec![url], secret, events: vec![EventKind::Worker] }));
    while settings.receiver_count() > 0 && inbox.taken.lock().unwrap().is_empty() {
        event_log.note(Event::new(EventKind::Worker, "a miner is back"));
        let _ = tokio::time::timeout(Duration::from_millis(50), inbox.news.notified()).await;
    }
    sending.abort();
    let taken = inbox.taken.lock().unwrap();
    assert!(taken.iter().all(|(headers, _)| headers["shoal-event"] == "worker"));
    assert!(!taken.is_empty());
}
