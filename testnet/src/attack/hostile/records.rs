//! Attacks by node records.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ed25519_dalek::SigningKey;
use futures::future::join_all;
use p2p_proto::limits::{
    RECORD_ADDRESSES_MAX, RECORD_CLOCK_S, RECORD_LIFE_S_MAX, RECORDS_MAX, RECORDS_TOLD_MAX, USER_AGENT_BYTES_MAX,
};
use p2p_proto::message::{Request, Response};
use p2p_proto::record::{Address, Place, Record, Transport};
use sharechain::ChainParams;

use super::client::{self, Answer, Over, random};
use super::context::{Context, count};

/// Port of the attacker's node.
const PORT: u16 = 3381;

/// Time that the victim has to dial the attacker's node before the flood.
const HEAD_START: Duration = Duration::from_millis(1_500);

/// Pause between two messages of one connection: the same as an honest peer's.
const PAUSE: Duration = Duration::from_millis(500);

/// Messages of one identity.
const MESSAGES: usize = 2;

fn key() -> SigningKey {
    SigningKey::from_bytes(&random())
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn at(ip: Ipv4Addr, port: u16) -> Address {
    Address::of_ip(ip.into(), port, Transport::Tcp)
}

/// An unused address on the internet.
fn anywhere() -> Ipv4Addr {
    let [a, b, c, d] = random();
    Ipv4Addr::new(20 + a % 64, b, c, d)
}

/// A nonexistent onion service, which a node without a proxy cannot dial.
fn onion() -> Address {
    let mut name: [u8; 35] = random();
    name[34] = 3;
    Address { place: Place::Onion(name), port: PORT, transport: Transport::Tcp, relay: None }
}

fn signed(key: &SigningKey, addresses: &[Address], dates: (u64, u64)) -> io::Result<Record> {
    let agent = "x".repeat(USER_AGENT_BYTES_MAX);
    let record = Record::sign(key, ChainParams::local().consensus_id(), addresses, &agent, dates);
    record.map(|record| Record::clone(&record)).ok_or_else(|| io::Error::other("a record without addresses"))
}

fn fresh(key: &SigningKey, addresses: &[Address]) -> io::Result<Record> {
    signed(key, addresses, (now_s(), RECORD_LIFE_S_MAX))
}

/// As large as records may be, at its own place.
fn largest() -> io::Result<Record> {
    let addresses: Vec<Address> = (0..RECORD_ADDRESSES_MAX).map(|_| at(anywhere(), PORT)).collect();
    fresh(&key(), &addresses)
}

/// Answers with the largest records, different ones each time.
fn liar() -> Answer {
    Arc::new(|request| match request {
        Request::Records => (0..RECORDS_MAX).map(|_| largest().ok()).collect::<Option<_>>().map(Response::Records),
        Request::NewRecords(_) => Some(Response::NewRecords),
        _ => None,
    })
}

/// Floods with records that the attacker made itself: unasked by many identities, and as a node that the victim dials
/// and asks.
pub(super) async fn flood(mut context: Context) -> io::Result<()> {
    context.target.answer = liar();
    let (node, address) = (key(), context.from(0, 1));
    let listening = client::listen(&context.target, &node, (address, PORT).into());
    let told = async {
        let client = context.connect_as(&node, address, Over::Tcp).await;
        client.ask(&Request::NewRecords(vec![fresh(&node, &[at(address, PORT)])?])).await?;
        drop(client);
        tokio::time::sleep(HEAD_START).await;
        let records = |key: &SigningKey| -> io::Result<Vec<Record>> {
            // Its own, and those of other nonexistent nodes.
            let own = fresh(key, &[at(anywhere(), PORT)]);
            std::iter::once(own).chain((1..RECORDS_TOLD_MAX).map(|_| largest())).collect()
        };
        join_all((0..24).map(|number| tell(&context, number, records))).await.into_iter().collect::<io::Result<()>>()
    };
    tokio::select! {
        ended = listening => ended,
        ended = told => ended,
    }
}

/// Makes the victim dial a third party: each identity claims that party's address.
pub(super) async fn third_party(context: Context) -> io::Result<()> {
    let records = |key: &SigningKey| -> io::Result<Vec<Record>> {
        let third = (0..7).map(|port| at(context.third, 1_000 + port));
        // The first address decides the place in the book.
        Ok(vec![fresh(key, &std::iter::once(onion()).chain(third).collect::<Vec<_>>())?])
    };
    join_all((0..24).map(|number| tell(&context, number, records))).await.into_iter().collect()
}

/// Sends records that are stale, replayed, expired, dated ahead, of another pool, or forged, and requests the victim's
/// all the time.
pub(super) async fn bad(context: Context) -> io::Result<()> {
    let known = key();
    let replayed = fresh(&known, &[at(anywhere(), PORT)])?;
    let records = |_: &SigningKey| -> io::Result<Vec<Record>> {
        let (now_s, place) = (now_s(), [at(anywhere(), PORT)]);
        let good = fresh(&key(), &place)?;
        let doubtful = [
            signed(&known, &place, (now_s - 3_600, RECORD_LIFE_S_MAX))?,
            replayed.clone(),
            signed(&key(), &place, (now_s - RECORD_LIFE_S_MAX - 2 * RECORD_CLOCK_S, RECORD_LIFE_S_MAX))?,
            signed(&key(), &place, (now_s + 2 * RECORD_CLOCK_S, RECORD_LIFE_S_MAX))?,
        ];
        let mut foreign = good.clone();
        foreign.pool[0] ^= 1;
        let mut forged = good.clone();
        forged.signature[0] ^= 1;
        let mut stolen = good;
        stolen.peer.0[0] ^= 1;
        let certain = [foreign, forged, stolen];
        let one = certain.get(usize::from(random::<1>()[0] % 6)).cloned();
        Ok(doubtful.into_iter().chain(one).take(RECORDS_TOLD_MAX).collect())
    };
    let telling = join_all((0..16).map(|number| tell(&context, number, records)));
    let asking = join_all((16..32).map(|number| ask(&context, number)));
    let (told, ()) = tokio::join!(telling, async { asking.await.into_iter().collect() });
    told.into_iter().collect()
}

/// Sends records, by one identity after another.
async fn tell(
    context: &Context,
    number: usize,
    records: impl Fn(&SigningKey) -> io::Result<Vec<Record>>,
) -> io::Result<()> {
    let counts = context.counts();
    loop {
        let key = key();
        let client = context.connect_as(&key, context.from(number, 32), Over::Tcp).await;
        for _ in 0..MESSAGES {
            count(&counts.messages);
            if client.ask(&Request::NewRecords(records(&key)?)).await.is_ok() {
                count(&counts.answers);
            }
            if client.is_closed() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Asks for records, as often as the victim answers.
async fn ask(context: &Context, number: usize) {
    let counts = context.counts();
    loop {
        let client = context.connect(context.from(number, 32), Over::Tcp).await;
        while !client.is_closed() {
            count(&counts.messages);
            match client.ask(&Request::Records).await {
                Ok(_) => count(&counts.answers),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}
