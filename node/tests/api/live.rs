//! Server-sent events: current events, and those that a reader missed.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, Proof, ShareId, U256};
use tokio::time::timeout;

use crate::pool::{Pool, miner};
use crate::server::Api;

/// Time that an event may take on a busy machine.
const SOON: Duration = Duration::from_secs(20);

struct Told {
    id: Option<String>,
    name: String,
    data: Value,
}

/// A reader of the stream.
struct Reader {
    response: Response,
    text: String,
}

impl Reader {
    async fn of(api: &Api, last: Option<&str>) -> Self {
        let headers: Vec<_> = last.map(|last| ("last-event-id", last)).into_iter().collect();
        let response = api.ask("/api/v1/events", &headers).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(response.headers().get("content-encoding").is_none());
        Self { response, text: String::new() }
    }

    async fn next(&mut self) -> Told {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let start = format!("{name}: ");
                    event.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
                };
                let told = field("event").map(|name| Told {
                    id: field("id"),
                    name,
                    data: serde_json::from_str(&field("data").unwrap()).unwrap(),
                });
                self.text = rest.to_owned();
                if let Some(told) = told {
                    return told;
                }
                continue;
            }
            let chunk = timeout(SOON, self.response.chunk()).await.expect("an event comes soon").unwrap();
            self.text.push_str(std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap());
        }
    }

    /// The next event with this name. Skips others.
    async fn next_of(&mut self, name: &str) -> Told {
        loop {
            let told = self.next().await;
            if told.name == name {
                return told;
            }
        }
    }
}

/// Gives a proof to the running engine, as a miner of this node does.
async fn insert(api: &Api, proof: Proof, list: Vec<ShareId>) {
    let outcome = api.engine.call(move |engine| {
        let bound = BoundProof::bind(proof, U256::MAX, engine.chain().consensus_id()).unwrap();
        engine.insert(bound, Some(list), Source::default(), node::clock::now())
    });
    assert!(matches!(outcome.await.unwrap(), Outcome::Accepted(_)));
}

#[tokio::test]
async fn a_reader_hears_of_shares_links_and_tips_and_gets_what_it_missed() {
    let mut pool = Pool::new();
    pool.link(&miner(1));
    let (share, link) = pool.next_share_and_link(&miner(2));
    let (share_id, link_id) = (share.0.id().to_string(), link.0.id().to_string());
    let api = Api::of(pool).await;
    let mut reader = Reader::of(&api, None).await;
    let hello = reader.next_of("hello").await;
    let start = hello.id.unwrap();

    insert(&api, share.0, share.1).await;
    let told = reader.next_of("share").await;
    assert_eq!((&told.data["id"], &told.data["own"]), (&share_id.clone().into(), &true.into()));
    assert_eq!(told.data["height"], Value::Null);
    insert(&api, link.0, link.1).await;
    let told = reader.next_of("link").await;
    assert_eq!((&told.data["id"], &told.data["height"]), (&link_id.clone().into(), &2.into()));
    let tip = reader.next_of("tip").await;
    assert_eq!((&tip.data["tip"], &tip.data["reorganisation"]), (&link_id.clone().into(), &0.into()));

    let mut late = Reader::of(&api, Some(&start)).await;
    assert_eq!(late.next_of("share").await.data["id"], share_id);
    assert_eq!(late.next_of("link").await.data["id"], link_id);
    let mut later = Reader::of(&api, told.id.as_deref()).await;
    assert_eq!(later.next_of("tip").await.data["tip"], link_id);
    for unknown in ["0", "18446744073709551615", "nothing"] {
        let mut lost = Reader::of(&api, Some(unknown)).await;
        assert_eq!(lost.next().await.name, "reset", "{unknown}");
    }
}

#[tokio::test]
async fn a_reader_sees_the_status_and_the_event_log() {
    let api = Api::of(Pool::new()).await;
    let mut reader = Reader::of(&api, None).await;
    let status = reader.next_of("status").await;
    assert!(status.id.is_none(), "only the newest matters");
    assert_eq!(status.data["height"], 0);
    let event = node::history::Event::new(node::history::EventKind::Work, "miners get work");
    api.history.event_log().note(event);
    assert_eq!(reader.next_of("log").await.data["sentence"], "miners get work");
}
