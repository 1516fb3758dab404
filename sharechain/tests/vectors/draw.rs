//! Selection, draw and amounts.

use bitcoin::{Script, ScriptBuf};
use serde_json::{Value, json};
use sharechain::payout::select;
use sharechain::{ChainParams, Weight};

use crate::files::{Case, hex, unhex};

fn params(outputs_max: usize) -> ChainParams {
    ChainParams { outputs_max, ..ChainParams::main() }
}

fn script(number: u16) -> ScriptBuf {
    let [low, high] = number.to_le_bytes();
    ScriptBuf::from_bytes([&[0x00, 0x14][..], &[low, high], &[0x5a; 18]].concat())
}

fn case(weights: &[u128], seed: [u8; 32], outputs_max: usize, subsidy_sat: u64, value_sat: u64) -> Value {
    let scripts: Vec<ScriptBuf> = (0..weights.len() as u16).map(script).collect();
    let dues = scripts.iter().map(ScriptBuf::as_script).zip(weights.iter().copied().map(Weight));
    let selection = select(dues, &seed, subsidy_sat, &params(outputs_max)).unwrap().unwrap();
    let outputs = selection.amounts(value_sat).unwrap();
    let entry = |(due, output): (&sharechain::payout::Due, &bitcoin::TxOut)| json!({ "script": hex(due.script.as_bytes()), "weight": due.weight.0.to_string(), "value_sat": output.value.to_sat() });
    let due = |(script, weight): (&ScriptBuf, &u128)| json!({ "script": hex(script.as_bytes()), "weight": weight.to_string() });
    json!({
        "outputs_max": outputs_max,
        "output_floor_sat": params(outputs_max).output_floor_sat,
        "subsidy_sat": subsidy_sat,
        "value_sat": value_sat,
        "seed": hex(&seed),
        "dues": scripts.iter().zip(weights).map(due).collect::<Vec<_>>(),
        "total": selection.total().0.to_string(),
        "outputs": selection.entries().iter().zip(&outputs).map(entry).collect::<Vec<_>>(),
    })
}

pub(super) fn make() -> Vec<Value> {
    const SUBSIDY: u64 = 312_500_000;
    let (a, b) = ([0x0a; 32], core::array::from_fn(|index| index as u8));
    let block = 1_u128 << 64;
    let falling: Vec<u128> = (1..=60_u128).map(|rank| block / (rank * rank)).collect();
    let many: Vec<u128> = (0..120_u128).map(|number| 1_000_003 * (number % 7 + 1)).collect();
    vec![
        case(&[1], a, 48, SUBSIDY, SUBSIDY + 1_234),
        case(&[5, 0, 3, 2], a, 48, SUBSIDY, SUBSIDY + 7),
        case(&[7, 7, 7], b, 48, SUBSIDY, SUBSIDY + 1),
        case(&[100, 50, 10, 9, 8, 7, 6, 5], a, 4, SUBSIDY, SUBSIDY),
        case(&[100, 50, 10, 9, 8, 7, 6, 5], b, 4, SUBSIDY, SUBSIDY),
        case(&falling, a, 48, SUBSIDY, 2 * SUBSIDY - 1),
        case(&falling, b, 10, SUBSIDY, SUBSIDY + 999_999),
        case(&many, a, 48, SUBSIDY, SUBSIDY),
        case(&many, b, 48, 100_000, 4_100_000),
        case(&[block, block, 1], b, 48, SUBSIDY, SUBSIDY),
        case(&many, a, 1, SUBSIDY, SUBSIDY),
        case(&falling, b, 48, 0, 12_345),
    ]
}

pub(super) fn check(case: &mut Case) {
    let params = params(case.number("outputs_max") as usize);
    assert_eq!(case.number("output_floor_sat"), params.output_floor_sat);
    let text = |value: &Value, field: &str| value[field].as_str().unwrap().to_owned();
    let weight = |value: &Value| Weight(text(value, "weight").parse().unwrap());
    let script = |value: &Value| unhex(&text(value, "script"));
    let dues: Vec<(Vec<u8>, Weight)> =
        case.get("dues").as_array().unwrap().iter().map(|due| (script(due), weight(due))).collect();
    let claims = dues.iter().map(|(script, weight)| (Script::from_bytes(script), *weight));
    let selection = select(claims, &case.array("seed"), case.number("subsidy_sat"), &params).unwrap().unwrap();
    assert_eq!(selection.total().0.to_string(), case.text("total"));
    let amounts = selection.amounts(case.number("value_sat")).unwrap();
    let found = selection.entries().iter().zip(amounts).map(|(due, output)| {
        assert_eq!(due.script, output.script_pubkey);
        (due.script.to_bytes(), due.weight, output.value.to_sat())
    });
    let expected = case.get("outputs").as_array().unwrap().iter();
    assert!(found.eq(expected.map(|output| (script(output), weight(output), output["value_sat"].as_u64().unwrap()))));
}
