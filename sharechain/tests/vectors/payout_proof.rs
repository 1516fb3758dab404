//! Payout proofs.

use sharechain::ChainParams;
use sharechain::payout_proof::{Finding, PayoutProof, ProofFault};

use crate::files::Case;

fn shown(bytes: &[u8]) -> Result<Finding, ProofFault> {
    let proof = PayoutProof::decode(bytes)?;
    assert_eq!(proof.encode(), bytes);
    let params = ChainParams::all().into_iter().find(|params| params.consensus_id() == proof.consensus_id);
    Ok(proof.verify(&proof.header, &params.ok_or(ProofFault::OtherPool)?)?.finding)
}

pub(super) fn check(case: &mut Case) {
    let name = case.text("name");
    let found = shown(&case.bytes("proof"));
    let (finding, output) = match &found {
        Ok(Finding::Exact { output, .. }) => (Some("exact"), Some(output)),
        Ok(Finding::Drawn { output, .. }) => (Some("drawn"), Some(output)),
        Ok(Finding::NotDrawn { .. }) => (Some("not_drawn"), None),
        Ok(Finding::Absent) => (Some("absent"), None),
        Ok(Finding::Finder { output }) => (Some("finder"), Some(output)),
        Ok(Finding::OtherFinder) => (Some("other_finder"), None),
        Err(_) => (None, None),
    };
    assert_eq!(finding, case.get("finding").as_str(), "{name}: {found:?}");
    assert_eq!(output.map_or(0, |output| output.value_sat), case.number("value_sat"), "{name}");
    assert_eq!(output.map(|output| output.index as u64), case.get("output").as_u64(), "{name}");
}
