//! State commitments.

use bitcoin::Script;
use serde_json::Value;
use sharechain::payout::{in_coinbase_order, select};
use sharechain::state::{History, HistoryLink, State, of_weights};
use sharechain::{ChainParams, Height, ShareId, Timestamp, U256, Weight, Work};

use crate::files::{Case, unhex};
use crate::signals::counted;

fn weights(value: &Value) -> Vec<(Vec<u8>, Weight)> {
    let weight = |entry: &Value| Weight(entry["weight"].as_str().unwrap().parse().unwrap());
    let script = |entry: &Value| unhex(entry["script"].as_str().unwrap());
    value.as_array().unwrap().iter().map(|entry| (script(entry), weight(entry))).collect()
}

fn link(value: &Value) -> HistoryLink {
    let number = |field: &str| value[field].as_u64().unwrap();
    let big = |field: &str| U256::from_str_radix(value[field].as_str().unwrap(), 16).unwrap();
    HistoryLink {
        height: Height(number("height") as u32),
        id: ShareId(unhex(value["id"].as_str().unwrap()).try_into().unwrap()),
        target: big("link_target"),
        time: Timestamp(number("time") as u32),
        chain_work: Work(big("chain_work")),
        proofs: number("proofs"),
        snapshot: Height(number("snapshot_height") as u32),
    }
}

pub(super) fn check(case: &mut Case) {
    case.text("name");
    let main = ChainParams::main();
    let outputs_max = case.number("outputs_max") as usize;
    let params = ChainParams { outputs_max, output_floor_sat: case.number("output_floor_sat"), ..main };
    let seed = case.array("seed");
    let dues = weights(case.get("dues"));
    let dues = || dues.iter().map(|(script, weight)| (Script::from_bytes(script), *weight));
    let exact = select(dues(), &seed, case.number("subsidy_sat"), &params).unwrap().map(|selection| selection.exact());
    let window = exact.map(|exact| of_weights(in_coinbase_order(dues(), exact, &seed)).unwrap()).unwrap_or_default();
    let mut credits = weights(case.get("credits"));
    credits.sort();
    let credits = of_weights(credits.iter().map(|(script, weight)| (Script::from_bytes(script), *weight))).unwrap();
    let links = case.get("links").as_array().unwrap().iter().map(link);
    let history = links.fold(History::default(), |history, link| history.with(&link).unwrap()).commitment().unwrap();
    let signals = counted(case.get("patterns")).0.commitment();
    assert_eq!(window.encode(), case.bytes("window_commitment"));
    assert_eq!(credits.encode(), case.bytes("credits_commitment"));
    assert_eq!(history.encode(), case.bytes("history_commitment"));
    assert_eq!(signals, case.array("signals_commitment"));
    assert_eq!(State { window, credits, history, signals }.root(), case.array("state_root"));
}
