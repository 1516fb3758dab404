use std::net::Ipv4Addr;

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;

const POOL: [u8; 32] = [7; 32];
const NOW_S: u64 = 1_800_000_000;
const DAY_S: u64 = 86_400;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn ip4(a: u8, b: u8, c: u8, d: u8) -> Address {
    Address::of_ip(Ipv4Addr::new(a, b, c, d).into(), 3381, Transport::Tcp)
}

fn signed(signed_at_s: u64, life_s: u64) -> Record {
    Record::sign(&key(1), POOL, &[ip4(8, 8, 8, 8)], "shoal/1", (signed_at_s, life_s)).unwrap().0.as_ref().clone()
}

pub(crate) fn address() -> impl Strategy<Value = Address> {
    let transport = prop_oneof![Just(Transport::Tcp), Just(Transport::Quic)];
    let relay = prop::option::weighted(0.2, any::<[u8; 32]>().prop_map(PeerId));
    let ip = (any::<std::net::IpAddr>(), 1_u16.., transport, relay)
        .prop_map(|(ip, port, transport, relay)| Address { relay, ..Address::of_ip(ip, port, transport) });
    let onion = (any::<[u8; 32]>(), any::<[u8; 2]>(), 1_u16..).prop_map(|(key, checksum, port)| {
        let mut name = [3; ONION_BYTES];
        name[..32].copy_from_slice(&key);
        name[32..34].copy_from_slice(&checksum);
        Address { place: Place::Onion(name), port, transport: Transport::Tcp, relay: None }
    });
    prop_oneof![4 => ip, 1 => onion]
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    let addresses = prop::collection::vec(address(), 1..=RECORD_ADDRESSES_MAX);
    (any::<u8>(), addresses, "[ -~]{0,64}", NOW_S - DAY_S..NOW_S, 1..=RECORD_LIFE_S_MAX).prop_map(
        |(seed, addresses, agent, at_s, life_s)| {
            Record::sign(&key(seed), POOL, &addresses, &agent, (at_s, life_s)).unwrap().0.as_ref().clone()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn records_decode_to_themselves_within_their_bound(record in record()) {
        let bytes = record.encode();
        prop_assert!(bytes.len() <= RECORD_BYTES_MAX);
        prop_assert_eq!(Record::decode(&bytes), Ok(record.clone()));
        let signed_at_s = record.signed_at_s;
        prop_assert!(record.check(&POOL, signed_at_s).is_ok_and(|record| !record.addresses.is_empty()));
    }

    #[test]
    fn a_record_of_another_is_not_altered(record in record(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = record.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(altered) = Record::decode(&bytes) {
            // The checks of time and pool come before that of the signature, and catch some alterations first.
            prop_assert!(altered.check(&POOL, NOW_S).is_err());
        }
    }

    #[test]
    fn no_bytes_but_the_canonical_ones_are_a_record(record in record(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = record.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(decoded) = Record::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes.clone());
        }
        bytes.push(0);
        prop_assert!(Record::decode(&bytes).is_err());
    }

    #[test]
    fn addresses_are_read_as_they_are_written(address in address(), peer in any::<[u8; 32]>()) {
        let peer = PeerId(peer);
        prop_assert_eq!(Address::parse(&address.to_string()), Some((address, None)));
        prop_assert_eq!(Address::parse(&format!("{address}/p2p/{peer}")), Some((address, Some(peer))));
    }

    #[test]
    fn noise_is_no_record(bytes in prop::collection::vec(any::<u8>(), 0..700), text in "\\PC{0,80}") {
        let _ = (Record::decode(&bytes), Address::parse(&text));
    }
}

#[test]
fn a_signature_of_another_key_is_refused() {
    let mut record = signed(NOW_S, DAY_S);
    record.peer = PeerId(key(2).verifying_key().to_bytes());
    assert_eq!(record.check(&POOL, NOW_S), Err(RecordError::Signature));
}

#[test]
fn a_record_of_another_pool_is_refused() {
    assert_eq!(signed(NOW_S, DAY_S).check(&[8; 32], NOW_S), Err(RecordError::OtherPool));
}

#[test]
fn a_wrong_clock_is_tolerated_within_two_hours_and_no_more() {
    let judge = |signed_at_s, life_s| signed(signed_at_s, life_s).check(&POOL, NOW_S).err();
    assert_eq!(judge(NOW_S + RECORD_CLOCK_S, DAY_S), None);
    assert_eq!(judge(NOW_S + RECORD_CLOCK_S + 1, DAY_S), Some(RecordError::Future));
    assert_eq!(judge(NOW_S - DAY_S - RECORD_CLOCK_S, DAY_S), None);
    assert_eq!(judge(NOW_S - DAY_S - RECORD_CLOCK_S - 1, DAY_S), Some(RecordError::Expired));
    assert!(!RecordError::Future.is_certain() && !RecordError::Expired.is_certain());
}

#[test]
fn nobody_signs_for_more_than_a_week() {
    assert_eq!(signed(NOW_S, 2 * RECORD_LIFE_S_MAX).expires_at_s, NOW_S + RECORD_LIFE_S_MAX);
    let mut long = signed(NOW_S, DAY_S);
    long.expires_at_s = NOW_S + RECORD_LIFE_S_MAX + 1;
    assert_eq!(long.clone().check(&POOL, NOW_S), Err(RecordError::Life));
    long.expires_at_s = 0;
    assert_eq!(long.check(&POOL, NOW_S), Err(RecordError::Life));
}

#[test]
fn addresses_are_bounded_and_each_is_there_once() {
    let many: Vec<_> = (1..=20).map(|last| ip4(8, 8, 8, last)).collect();
    let record = Record::sign(&key(1), POOL, &many, "", (NOW_S, DAY_S)).unwrap();
    assert_eq!(record.addresses, many[..RECORD_ADDRESSES_MAX]);
    let with = |addresses: Vec<Address>| Record { addresses, ..signed(NOW_S, DAY_S) }.encode();
    let too_many = WireError::TooMany { count: 9, max: RECORD_ADDRESSES_MAX };
    assert_eq!(Record::decode(&with(many[..9].to_vec())), Err(too_many));
    assert_eq!(Record::decode(&with(vec![ip4(8, 8, 8, 8); 2])), Err(WireError::Address));
    assert_eq!(Record::decode(&with(Vec::new())), Err(WireError::Address));
    assert_eq!(Record::decode(&with(vec![Address { port: 0, ..ip4(8, 8, 8, 8) }])), Err(WireError::Address));
    assert!(Record::sign(&key(1), POOL, &[], "", (NOW_S, DAY_S)).is_none());
}

#[test]
fn scopes_follow_the_tables_of_special_addresses() {
    let scope = |text: &str| Address::of_ip(text.parse().unwrap(), 1, Transport::Tcp).scope();
    for public in ["8.8.8.8", "2600::1", "2002:808:808::1", "::ffff:8.8.8.8"] {
        assert_eq!(scope(public), Some(Scope::Public), "{public}");
    }
    for private in ["10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.1.1", "100.64.0.1", "fd00::1", "2002:a00:1::"] {
        assert_eq!(scope(private), Some(Scope::Private), "{private}");
    }
    for loopback in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(scope(loopback), Some(Scope::Loopback), "{loopback}");
    }
    for none in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::", "ff02::1", "fe80::1", "2001:db8::1"] {
        assert_eq!(scope(none), None, "{none}");
    }
}

#[test]
fn names_and_broken_addresses_are_no_addresses() {
    for text in ["", "/", "/dns4/pool.example/tcp/1", "/ip4/8.8.8.8/tcp/0", "/ip4/8.8.8.8/udp/1", "/onion3/short:1"] {
        assert_eq!(Address::parse(text), None, "{text}");
    }
    let tor = "/onion3/2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid:80";
    assert_eq!(Address::parse(tor).unwrap().0.to_string(), tor);
    let wrong_version = tor.replace("53wid", "53wie");
    assert_eq!(Address::parse(&wrong_version), None);
}
