use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::Prefix;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn text_is_an_address_or_a_range() {
    for (text, shown) in [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:db8::7", "2001:db8::/64"),
        ("2001:db8::7/128", "2001:db8::7/128"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
    ] {
        assert_eq!(text.parse::<Prefix>().unwrap().to_string(), shown);
    }
    for text in
        ["", "203.0.113", "203.0.113.7/33", "203.0.113.7/", "203.0.113.7/+8", "::/129", "host.example", "1.2.3.4/8/8"]
    {
        text.parse::<Prefix>().unwrap_err();
    }
}

#[test]
fn an_address_cannot_hide_in_another_notation() {
    let range: Prefix = "203.0.113.0/24".parse().unwrap();
    for inside in ["203.0.113.9", "::ffff:203.0.113.9", "64:ff9b::203.0.113.9", "2002:cb00:7109::1"] {
        assert!(range.contains(ip(inside)), "{inside}");
    }
    for outside in ["203.0.114.9", "::203.0.113.9", "2001:db8::1"] {
        assert!(!range.contains(ip(outside)), "{outside}");
    }
}

proptest! {
    #[test]
    fn text_round_trips(bits in any::<u128>(), four in any::<bool>(), length in 0_u8..=128) {
        let ip = if four { IpAddr::V4(Ipv4Addr::from_bits(bits as u32)) } else { IpAddr::V6(Ipv6Addr::from_bits(bits)) };
        if let Some(range) = Prefix::new(ip, length) {
            prop_assert_eq!(range.to_string().parse(), Ok(range));
            prop_assert!(range.contains(ip));
        }
    }

    #[test]
    fn a_range_has_what_shares_its_bits(range in any::<u32>(), other in any::<u32>(), length in 0_u8..=32) {
        let prefix = Prefix::new(IpAddr::V4(Ipv4Addr::from_bits(range)), length).unwrap();
        let shares = (range ^ other).leading_zeros() >= u32::from(length);
        prop_assert_eq!(prefix.contains(IpAddr::V4(Ipv4Addr::from_bits(other))), shares);
    }
}
