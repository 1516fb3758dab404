//! Selection, draw and amounts.

use bitcoin::Script;
use serde_json::Value;
use sharechain::payout::select;
use sharechain::{ChainParams, Weight};

use crate::files::{Case, unhex};

pub(super) fn check(case: &mut Case) {
    let (outputs_max, output_floor_sat) = (case.number("outputs_max") as usize, case.number("output_floor_sat"));
    let params = ChainParams { outputs_max, output_floor_sat, ..ChainParams::main() };
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
