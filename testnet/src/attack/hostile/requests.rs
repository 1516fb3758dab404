//! Attacks by requests and answers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use p2p_proto::Request;
use p2p_proto::message::{Response, TipInfo};
use sharechain::{Height, Proof, ShareId, U256, Work};

use super::client::{Client, Over};
use super::context::{Context, count};

/// Pause between two checks of a connection.
const LOOK: Duration = Duration::from_millis(100);

/// Claims an endless chain, but shows nothing of it.
pub(super) async fn false_tip(mut context: Context) -> io::Result<()> {
    context.target.answer = Arc::new(|request| {
        matches!(request, Request::Tip).then(|| {
            Response::Tip(TipInfo {
                tip: ShareId([9; 32]),
                height: Height(1_000_000),
                work: Work(U256::MAX >> 1),
                lowest_shown: Height(1),
                bitcoin_height: 1_000_000,
                user_agent: "shoal/0.1.0".to_owned(),
            })
        })
    });
    loop {
        let client = context.connect(context.from(0, 1), Over::Tcp).await;
        while !client.is_closed() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Requests everything, as often as the node answers.
pub(super) async fn history(context: Context) -> io::Result<()> {
    let ids: Arc<[ShareId]> = context.first_links(256).await?.iter().map(|item| item.proof.id()).collect();
    join_all((0..24).map(|number| one_reader(&context, number, Arc::clone(&ids)))).await;
    Ok(())
}

async fn one_reader(context: &Context, number: usize, ids: Arc<[ShareId]>) {
    loop {
        let client = context.connect(context.from(number, 3), Over::Tcp).await;
        join_all((0..4).map(|_| read_all(context, &client, &ids))).await;
    }
}

async fn read_all(context: &Context, client: &Client, ids: &[ShareId]) {
    let counts = context.counts();
    let questions = [
        Request::LinkHeaders { locator: Vec::new(), limit: 1_024 },
        Request::Proofs { ids: ids.to_vec() },
        Request::Rows { first: Height(1), limit: 512 },
    ];
    for question in questions.iter().cycle() {
        count(&counts.messages);
        match client.ask(question).await {
            Ok(_) => count(&counts.answers),
            Err(_) if client.is_closed() => return,
            // Refused by a limit.
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Sends requests beyond every limit.
pub(super) async fn flood(context: Context) -> io::Result<()> {
    let proofs = context.first_links(64).await?;
    let ids: Arc<[ShareId]> = proofs.iter().map(|item| Proof::id(&item.proof)).collect();
    join_all((0..8).map(|number| flood_once(&context, number, Arc::clone(&ids)))).await;
    Ok(())
}

async fn flood_once(context: &Context, number: usize, ids: Arc<[ShareId]>) {
    let counts = context.counts();
    loop {
        let client = Arc::new(context.connect(context.from(number, 1), Over::Tcp).await);
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        let mut asked = tokio::task::JoinSet::new();
        while !client.is_closed() {
            ticks.tick().await;
            while asked.try_join_next().is_some() {}
            if asked.len() >= 32 {
                continue;
            }
            let request = match asked.len() % 4 {
                0 => Request::Tip,
                1 => Request::Pending,
                2 => Request::Proofs { ids: ids.to_vec() },
                _ => Request::Beginning,
            };
            let (client, counts) = (Arc::clone(&client), Arc::clone(&counts));
            count(&counts.messages);
            asked.spawn(async move {
                if client.ask(&request).await.is_ok() {
                    count(&counts.answers);
                }
            });
        }
    }
}
