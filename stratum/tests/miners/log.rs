//! What the log tells the owner of a node about miners.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::common::{Raw, serve};

/// The lines of the crate at the level `info` and above.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

/// The fields of a line.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("stratum") && *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[tokio::test]
async fn the_log_says_whose_login_was_rejected_and_why_a_connection_closed() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let server = serve().await;
    let mut miner = Raw::connect(&server).await;
    miner.ask(r#"{"id":1,"method":"mining.subscribe","params":["cgminer/4.11"]}"#).await;
    let login = r#"{"id":2,"method":"mining.authorize","params":["mallory.rig","x"]}"#;
    assert_eq!(miner.ask(login).await["error"][0], 24);
    miner.send("not Stratum").await;
    while miner.line().await.is_some() {}
    let deadline = Instant::now() + Duration::from_secs(10);
    for words in [
        ["login rejected", "127.0.0.1", "\"cgminer/4.11\"", "\"mallory.rig\"", "another network"],
        ["miner's connection closed", "127.0.0.1:", "\"cgminer/4.11\"", "user=", "not a Stratum message"],
    ] {
        let has_all = |line: &String| words.iter().all(|word| line.contains(word));
        while !log.0.lock().unwrap().iter().any(has_all) {
            assert!(Instant::now() < deadline, "{:?}", log.0.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
