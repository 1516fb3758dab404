//! Methods about the network and addresses.

use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, Network};
use serde_json::{Value, json};

use super::failure::Answer;
use super::params::Params;

pub(super) fn network_info() -> Answer {
    Ok(json!({
        "version": 290_000,
        "subversion": concat!("/Shoal-embedded:", env!("CARGO_PKG_VERSION"), "/"),
        "protocolversion": 70_016,
        "localservices": "0000000000000000",
        "localservicesnames": [],
        "localrelay": false,
        "timeoffset": 0,
        "networkactive": false,
        "connections": 0,
        "connections_in": 0,
        "connections_out": 0,
        "networks": [],
        "relayfee": 0.00001,
        "incrementalfee": 0.00001,
        "localaddresses": [],
        "warnings": [],
    }))
}

pub(super) fn validate_address(params: &Params<'_>) -> Answer {
    let text = params.text(0, "address")?;
    let parsed = text.parse::<Address<NetworkUnchecked>>();
    let address = parsed
        .map_err(|error| error.to_string())
        .and_then(|address| address.require_network(Network::Signet).map_err(|error| error.to_string()));
    let address = match address {
        Ok(address) => address,
        Err(error) => {
            return Ok(json!({ "isvalid": false, "error_locations": [], "error": error }));
        }
    };
    let script = address.script_pubkey();
    let mut fields = json!({
        "isvalid": true,
        "address": address.to_string(),
        "scriptPubKey": script.to_hex_string(),
        // A taproot output hides a script, so bitcoind counts it as one.
        "isscript": script.is_p2sh() || script.is_p2wsh() || script.is_p2tr(),
        "iswitness": script.is_witness_program(),
    });
    if let (Some(program), Value::Object(fields)) = (address.witness_program(), &mut fields) {
        fields.insert("witness_version".to_owned(), json!(program.version().to_num()));
        let bytes = program.program().as_bytes();
        let hex = bitcoin::hex::DisplayHex::to_lower_hex_string(bytes);
        fields.insert("witness_program".to_owned(), json!(hex));
    }
    Ok(fields)
}
