use bitcoin::hashes::Hash;
use bitcoin::{Address, ScriptBuf, WPubkeyHash};
use proptest::prelude::*;

use super::Payee;
use crate::config::Network;
use crate::miners::account::{account_of, parts_of};

fn script(number: u8) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([number; 20]))
}

fn address(number: u8) -> String {
    Address::from_script(&script(number), bitcoin::Network::Signet).unwrap().to_string()
}

fn parse(user: &str, default: Option<u8>) -> Option<(ScriptBuf, String)> {
    let default = default.map(script);
    Payee::parse(user, Network::Local, default.as_ref()).ok().map(|payee| {
        assert_eq!((payee.parts.len(), payee.parts[0].percent), (1, 100));
        (payee.parts[0].script.clone(), payee.worker)
    })
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

/// Percentages by script and the worker, or the sentence that the miner gets.
fn split(user: &str, default: Option<u8>) -> Result<(Vec<(ScriptBuf, u8)>, String), String> {
    let payee = Payee::parse(user, Network::Local, default.map(script).as_ref()).map_err(|error| error.to_string())?;
    let account = account_of(&payee.parts);
    let mut parts: Vec<_> = payee.parts.into_iter().map(|part| (part.script, part.percent)).collect();
    parts.sort();
    let kept: Vec<_> = parts_of(&account).into_iter().map(|part| (part.script, part.percent)).collect();
    assert_eq!(kept, parts, "the account says the same");
    Ok((parts, payee.worker))
}

#[test]
fn a_user_name_may_split_its_work_between_addresses() {
    let [a, b, c] = [1, 2, 3].map(address);
    let mut two = vec![(script(1), 70), (script(2), 30)];
    two.sort();
    for (user, worker) in [
        (format!("{a}:70,{b}:30.rig1"), "rig1"),
        (format!("{b}:30,{a}:70_rig1"), "rig1"),
        (format!(" {a} : 70 , {b} :30 . rig1 "), "rig1"),
        (format!("{a}:70%,{b}:30%.rig.1"), "rig.1"),
        (format!("bitcoin:{}:70,{b}:30", a.to_uppercase()), ""),
    ] {
        assert_eq!(split(&user, Some(9)), Ok((two.clone(), worker.to_owned())), "{user}");
    }
    let three = split(&format!("{a}:1,{b}:2,{c}:97"), None).unwrap();
    assert_eq!(three.0.iter().map(|part| u32::from(part.1)).sum::<u32>(), 100);
    // A name with a number and without a comma means the same as before splits existed.
    assert_eq!(parse(&format!("{a}:70"), None), Some((script(1), "70".to_owned())));
}

#[test]
fn as_many_addresses_as_a_split_may_have_fit_a_user_name() {
    let taproot = |number: u8, network| {
        let script = ScriptBuf::from_bytes([&[0x51, 32][..], &[number; 32]].concat());
        (Address::from_script(&script, network).unwrap().to_string(), script)
    };
    // The longest addresses are those of regtest.
    for (network, kind) in [(Network::Regtest, bitcoin::Network::Regtest), (Network::Main, bitcoin::Network::Bitcoin)] {
        let parts: Vec<_> = (1..=5u8).map(|number| taproot(number, kind)).collect();
        let name = |count: usize| {
            let percent = |at: usize| if at == 0 { 100 - 10 * (count - 1) } else { 10 };
            let named =
                parts.iter().take(count).enumerate().map(|(at, (address, _))| format!("{address}:{}", percent(at)));
            named.collect::<Vec<_>>().join(",")
        };
        let room = stratum::limits::USER_BYTES_MAX - name(4).len() - 1;
        assert!(room >= 240, "{room}");
        let user = format!("{}.{}", name(4), "w".repeat(room));
        assert_eq!(user.len(), stratum::limits::USER_BYTES_MAX);
        let payee = Payee::parse(&user, network, None).unwrap();
        assert_eq!((payee.parts.len(), payee.worker.len()), (4, room));
        assert!(parts.iter().take(4).all(|(_, script)| payee.parts.iter().any(|part| part.script == *script)));
        assert!(format!("{}.{}", name(3), "w".repeat(40)).len() <= 255, "Stratum v2 holds three");
        assert!(Payee::parse(&name(5), network, None).unwrap_err().to_string().contains("at most 4"));
    }
}

#[test]
fn a_split_in_another_syntax_pays_nobody() {
    let [a, b] = [1, 2].map(address);
    for user in [
        format!("{a}:７０,{b}:３０.rig"),
        format!("{a}:70，{b}:30"),
        format!("{a}：70,{b}：30"),
        format!("{a}:70;{b}:30"),
        format!("{a}:70/{b}:30.rig"),
        format!("{a}=70,{b}=30"),
        format!("{a} 70, {b} 30"),
        format!("{a}:7O,{b}:30"),
        format!("{a}:-70,{b}:170"),
        format!("{a}:1e1,{b}:90"),
        format!("{a}:7\u{200b}0,{b}:30"),
        format!("{a},{b}"),
        format!("{a}:70;bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4:30"),
    ] {
        for default in [None, Some(9)] {
            let refusal = split(&user, default).unwrap_err();
            assert!(
                refusal.contains("in another way") && refusal.starts_with("user name must be "),
                "{user}: {refusal}"
            );
        }
    }
    assert!(split(&format!("rig1.{a}"), Some(9)).unwrap_err().contains("in another way"), "the other way around");
    // Repeated addresses and long names have no meaning.
    assert_eq!(parse(&format!("{a}.{a}"), None), Some((script(1), a.clone())));
    let long = "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d";
    assert_eq!(parse(&format!("{a}.{long}"), None), Some((script(1), long.to_owned())));
    assert_eq!(split(&format!("{a}:70,{b}:30rig"), None).unwrap().1, "rig");
}

#[test]
fn a_wrong_split_is_refused_with_a_sentence_and_never_paid_to_one_address() {
    let [a, b, c, d, e] = [1, 2, 3, 4, 5].map(address);
    for (user, words) in [
        (format!("{a}:70,{b}:20.rig"), "add up to 90, not to 100"),
        (format!("{a}:70,{b}:40.rig"), "add up to 110"),
        (format!("{a}:100,{b}:0"), "1 to 99"),
        (format!("{a}:70,{b}"), "has none"),
        (format!("{a}:70,{b}.rig"), "has none"),
        (format!("{a}:70,rig"), "has none"),
        (format!("{a}:70,"), "has none"),
        (format!("{a}:99999999999999999999,{b}:1"), "1 to 99"),
        (format!("{a}:69.5,{b}:30.5"), "add up to 69"),
        (format!("{a}:50,{a}:50"), "twice"),
        (format!("{a}:70,bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4:30"), "another network"),
        (format!("{a}x:70,{b}:30"), "checksum"),
        (format!("{a}:20,{b}:20,{c}:20,{d}:20,{e}:20"), "at most 4"),
    ] {
        for default in [None, Some(9)] {
            let refusal = split(&user, default).unwrap_err();
            assert!(refusal.contains(words) && refusal.starts_with("user name must be "), "{user}: {refusal}");
        }
    }
}
