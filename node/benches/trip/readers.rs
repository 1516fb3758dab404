//! Readers of the API: ten clients, each with its own address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bitcoin::{Address, BlockHash};
use sharechain::ShareId;
use tokio::task::JoinSet;

use crate::chain::{Grown, script};

/// Requests per second of all clients together.
pub(crate) const RATE: u32 = 500;

/// Number of clients, at 127.0.0.2 and the next addresses.
pub(crate) const CLIENTS: u8 = 10;

/// Names that requests may contain.
pub(crate) struct Known {
    proofs: Vec<ShareId>,
    links: Vec<ShareId>,
    blocks: Vec<BlockHash>,
}

impl Known {
    /// The names in the chain at the start.
    pub(crate) fn of(grown: &Grown) -> Self {
        let ids = |links: bool| {
            let some = grown.found.iter().filter(move |(_, list)| !links || list.is_some());
            some.map(|(proof, _)| proof.id()).collect()
        };
        Self { proofs: ids(false), links: ids(true), blocks: grown.blocks() }
    }

    /// The path of a request, for random miners, links and shares. Ten in eleven are the most common requests of the
    /// pages, mixed as in the benchmark `api`. The eleventh is each of the other routes in turn.
    fn path(&self, number: u32) -> String {
        let spread = (number as usize).wrapping_mul(7_919);
        let share = self.proofs[spread % self.proofs.len()];
        let address = Address::from_script(&script(number), bitcoin::Network::Signet).expect("it has one");
        // The clients take turns, so each of them requests every route.
        let (client, turn) = (number % u32::from(CLIENTS), number / u32::from(CLIENTS));
        let often = (client + turn) % 11;
        let path = match if often < 10 { often } else { 10 + (client + turn / 11) % 10 } {
            0 => "status".to_owned(),
            1 => "pool".to_owned(),
            2 => format!("links?from={}&limit=20", number % 2_000),
            3 => format!("miners/{address}"),
            4 => format!("miners/{address}/shares"),
            5 => format!("miners/{address}/history?step=3600"),
            6 => format!("shares/{share}"),
            7 => "pool/history".to_owned(),
            8 => format!("search?q={share}"),
            9 => format!("window?from={}&limit=50", number % 900),
            10 => "graph".to_owned(),
            11 => format!("links/{}", self.links[spread % self.links.len()]),
            12 => format!("miners/{address}/payments"),
            13 => "blocks".to_owned(),
            // A short chain may have none.
            14 => match self.blocks.get(spread % self.blocks.len().max(1)) {
                Some(block) => format!("blocks/{block}"),
                None => "blocks".to_owned(),
            },
            15 => "peers".to_owned(),
            16 => "log".to_owned(),
            17 => "reorganisations".to_owned(),
            18 => "metrics".to_owned(),
            _ => "openapi.json".to_owned(),
        };
        format!("api/v1/{path}")
    }
}

/// Sends requests at a steady rate, regardless of answers. Returns the time that each took from the moment it was due.
pub(crate) async fn ask(api: SocketAddr, known: Arc<Known>, span: Duration) -> Vec<Duration> {
    let clients: Vec<_> = (2..2 + CLIENTS).map(client).collect();
    let start = tokio::time::Instant::now();
    let mut asked = JoinSet::new();
    for (number, client) in (0_u32..).zip(clients.iter().cycle()) {
        let after = Duration::from_secs(1) * number / RATE;
        if after >= span {
            break;
        }
        let due = start + after;
        tokio::time::sleep_until(due).await;
        let request = client.get(format!("http://{api}/{}", known.path(number)));
        asked.spawn(async move {
            let answer = request.send().await.expect("the node answers");
            assert!(answer.status().is_success(), "{} {}", answer.status(), answer.url());
            answer.bytes().await.expect("the whole answer comes");
            due.elapsed()
        });
    }
    asked.join_all().await
}

fn client(last: u8) -> reqwest::Client {
    let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
    reqwest::Client::builder().no_proxy().local_address(from).build().expect("the settings are right")
}
