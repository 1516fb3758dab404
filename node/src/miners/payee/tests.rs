use bitcoin::hashes::Hash;
use bitcoin::{Address, ScriptBuf, WPubkeyHash};
use proptest::prelude::*;

use super::Payee;
use crate::config::Network;

fn script(number: u8) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([number; 20]))
}

fn address(number: u8) -> String {
    Address::from_script(&script(number), bitcoin::Network::Signet).unwrap().to_string()
}

fn parse(user: &str, default: Option<u8>) -> Option<(ScriptBuf, String)> {
    let default = default.map(script);
    Payee::parse(user, Network::Local, default.as_ref()).ok().map(|payee| (payee.script, payee.worker))
}

#[test]
fn a_user_name_is_an_address_and_a_worker() {
    let known = address(1);
    for (user, worker) in [
        (known.clone(), ""),
        (format!("{known}.rig1"), "rig1"),
        (format!(" {known}.rig1"), "rig1"),
        (format!("{known} .rig1"), "rig1"),
        (format!("{known}. rig1 "), "rig1"),
        (format!("{}.rig1", known.to_uppercase()), "rig1"),
        (format!("{known}.rig.1"), "rig.1"),
        (format!("{known}..rig"), ".rig"),
        (format!("{known}_rig1"), "rig1"),
        (format!("{known}/rig1"), "rig1"),
        (format!("{known}:rig1"), "rig1"),
        (format!("{known}+512"), "512"),
        (format!("{known} rig1"), "rig1"),
        (format!("{known}\t_ rig_1"), "rig_1"),
        (format!("{known}–é"), "é"),
        (format!("bitcoin:{known}.rig1"), "rig1"),
        (format!("BITCOIN:{}?label=x", known.to_uppercase()), "label=x"),
    ] {
        assert_eq!(parse(&user, None), Some((script(1), worker.to_owned())), "{user:?}");
    }
    for wrong in ["", "rig1", ".rig1", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig1"] {
        assert_eq!(parse(wrong, None), None, "{wrong:?}");
    }
}

#[test]
fn a_name_without_an_address_is_paid_to_the_nodes_own() {
    assert_eq!(parse(" rig1 ", Some(9)), Some((script(9), "rig1".to_owned())));
    let mut mistyped = address(1);
    mistyped.pop();
    assert_eq!(parse(&mistyped, Some(9)), None);
    assert_eq!(parse("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq.rig1", Some(9)), None);
}

#[test]
fn addresses_that_anyone_could_spend_from_are_refused() {
    let address = |version: u8, bytes: usize| {
        let program = [&[0x50 + version, bytes as u8][..], &vec![7; bytes]].concat();
        Address::from_script(&ScriptBuf::from_bytes(program), bitcoin::Network::Signet).unwrap().to_string()
    };
    let refusal = |address: String| Payee::parse(&address, Network::Local, Some(&script(9))).unwrap_err().to_string();
    for version in 2..=16 {
        assert!(refusal(address(version, 32)).contains("anyone could spend"), "{version}");
        assert!(refusal(address(version, 20)).contains("cannot pay"), "{version}");
    }
    assert!(Payee::parse(&address(1, 32), Network::Local, None).is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(user in ".{0,80}", default in prop::option::of(any::<u8>())) {
        let _parsed = parse(&user, default);
    }

    #[test]
    fn blanks_and_separators_change_nothing(before in " {0,3}", middle in " {0,3}", after in " {0,3}", separator in "[-._/:;,|+#@!~=&%$* ]", worker in "[a-z0-9]{1,9}") {
        let user = format!("{before}{}{middle}{separator}{after}{worker}{before}", address(3));
        prop_assert_eq!(parse(&user, None), Some((script(3), worker)));
    }
}
