use clap::{CommandFactory, Parser};

use super::Cli;
use super::parse::{parse_delay, parse_hashrate};

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn hash_rates_are_read_as_people_write_them() {
    assert_eq!(parse_hashrate("400k"), Ok(400_000.0));
    assert_eq!(parse_hashrate("1.5M"), Ok(1_500_000.0));
    assert_eq!(parse_hashrate("5000"), Ok(5_000.0));
    for wrong in ["", "k", "-1k", "0", "inf", "many", "4 k", "é"] {
        assert!(parse_hashrate(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn delays_name_a_miner() {
    assert_eq!(parse_delay("m2=2000"), Ok(("m2".to_owned(), 2_000)));
    for wrong in ["m2", "m2=", "m2=2s", "=m2"] {
        assert!(parse_delay(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn lines_are_described_with_units() {
    let up = |options: &[&str]| Cli::try_parse_from([&["shoal-testnet", "up"][..], options].concat());
    assert!(up(&["--latency", "150ms", "--loss", "1%", "--rate", "10mbit", "--latency-of", "B=1s"]).is_ok());
    for (options, hint) in [
        (["--latency", "150"], "150ms"),
        (["--loss", "0.01"], "1%"),
        (["--rate", "10"], "10mbit"),
        (["--latency-of", "1s"], "B=1s"),
    ] {
        let said = up(&options).unwrap_err().to_string();
        assert!(said.contains(hint) && said.contains(options[0]), "{said}");
    }
    assert!(up(&["--latency", "1s", "--mdns"]).is_err(), "mDNS does not cross namespaces");
}
