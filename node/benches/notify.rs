//! The time from a new template to the first `mining.notify` on a real Stratum socket, during which miners keep working
//! on the old one. Prints the median with its target.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, absolute, transaction};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use node::config::Network;
use node::miners::Miners;
use node_core::jobs::{BlockTemplate, Contents, JobPosition, JobTemplate, TemplateTransaction};
use testkit::{World, miner};
use tokio::runtime::Runtime;

/// Number of transactions in the template.
const TRANSACTIONS: u32 = 5_000;

/// Number of outputs that the coinbase pays.
const OUTPUTS: usize = 48;

/// Target for this size.
const TARGET: Duration = Duration::from_millis(5);

fn chained(previous: &mut Txid) -> TemplateTransaction {
    let input = TxIn {
        previous_output: OutPoint { txid: *previous, vout: 0 },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[vec![7_u8; 107]]),
    };
    let output = TxOut { value: Amount::from_sat(1_000), script_pubkey: ScriptBuf::from_bytes(vec![0x51; 22]) };
    let transaction = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![input],
        output: vec![output.clone(), output],
    };
    *previous = transaction.compute_txid();
    TemplateTransaction {
        raw: serialize(&transaction).into(),
        txid: transaction.compute_txid(),
        wtxid: transaction.compute_wtxid(),
        fee: Amount::from_sat(100),
        weight: transaction.weight().to_wu(),
        sigops_cost: 1,
    }
}

fn template_of(world: &World) -> BlockTemplate {
    let tip = world.bitcoin_tip.block_hash();
    let known = world.chain.bitcoin().get(&tip).expect("the chain knows its tip");
    let subsidy = world.chain.params().bitcoin.subsidy_sat(known.height + 1);
    let mut previous = Txid::all_zeros();
    BlockTemplate {
        version: 0x2000_0000,
        prev_block: tip,
        height: known.height + 1,
        bits: world.bitcoin_tip.bits,
        time: world.now.0,
        min_time: known.median_time.0 + 1,
        coinbase_value: Amount::from_sat(subsidy + 100 * u64::from(TRANSACTIONS)),
        witness_commitment: None,
        transactions: (0..TRANSACTIONS).map(|_| Arc::new(chained(&mut previous))).collect(),
        weight_limit: 4_000_000,
        sigops_limit: 80_000,
        long_poll_id: None,
        signet_challenge: None,
    }
}

fn job_template(world: &mut World, block: &Arc<BlockTemplate>, contents: Option<&Arc<Contents>>) -> Arc<JobTemplate> {
    let position = JobPosition::find(&mut world.chain, &block.prev_block).expect("the chain has a position");
    let contents = contents.map_or_else(|| Arc::new(Contents::fit(block, position.coinbase_cost())), Arc::clone);
    let template =
        JobTemplate::new(&mut world.chain, Arc::clone(block), contents, position, world.now).expect("the amounts fit");
    template.check(&mut world.chain, world.now).expect("peers would accept it");
    template
}

fn notify(c: &mut Criterion) {
    let mut world = World::new();
    world.grow(40, 60);
    let template = template_of(&world);
    let position = JobPosition::find(&mut world.chain, &template.prev_block).expect("the chain has a position");
    let outputs = position.outputs();
    assert_eq!(outputs, OUTPUTS, "the bench measures a full coinbase");
    let runtime = Runtime::new().expect("the system gives threads");
    let (miners, _found) = Miners::new(Network::Local, None);
    let miners = Arc::new(miners);
    let base = Arc::new(template.clone());
    miners.set_template(Some(job_template(&mut world, &base, None)));
    let (client, mut jobs) = runtime.block_on(async {
        let config = stratum::Config::new("127.0.0.1:0".parse().expect("an address"));
        let server = stratum::Server::bind(config, Arc::clone(&miners) as _).await.expect("a free port");
        let address = server.local_addrs()[0];
        tokio::spawn(server.run(std::future::pending()));
        let user =
            bitcoin::Address::from_script(&miner(1), bitcoin::Network::Signet).expect("a script with an address");
        stratum::Client::connect(address, &user.to_string(), "bench").await.expect("the server takes it")
    });
    runtime.block_on(jobs.recv()).expect("the first job");
    let mut times = Vec::new();
    c.bench_function("notify/template with 5,000 transactions to the socket, 48 outputs (target 5 ms)", |b| {
        b.iter_custom(|rounds| {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                let fresh = Arc::new(template.clone());
                let started = Instant::now();
                miners.set_template(Some(job_template(&mut world, &fresh, None)));
                black_box(runtime.block_on(jobs.recv()).expect("the server notifies"));
                times.push(started.elapsed());
                spent += *times.last().expect("it was just pushed");
            }
            spent
        });
    });
    drop(client);
    times.sort_unstable();
    let median = times[times.len() / 2];
    let met = if median <= TARGET { "met" } else { "MISSED" };
    println!("template to notify: median {median:.2?} of {} rounds, target {TARGET:?}: {met}", times.len());

    let contents = Arc::new(Contents::fit(&base, position.coinbase_cost()));
    c.bench_function("notify/job template on a new link, contents known (no target)", |b| {
        b.iter_batched(|| (), |()| job_template(&mut world, &base, Some(&contents)), BatchSize::SmallInput);
    });
    c.bench_function("notify/contents of 5,000 transactions alone (no target)", |b| {
        b.iter(|| Contents::fit(black_box(&base), position.coinbase_cost()));
    });
}

criterion_group!(benches, notify);
criterion_main!(benches);
