use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bitcoin::hex::DisplayHex;
use clap::Parser;

use node_core::isolation::Reaction;

use super::keys::{self, KEYS};
use super::*;
use node_core::sentence;
use stratum::{CoinbaseLimit, DifficultyRange};

const EXAMPLE: &str = include_str!("../../shoal.example.toml");
const MAIN: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const SIGNET: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    overrides: Overrides,
}

fn flags(arguments: &[&str]) -> Overrides {
    let arguments = ["shoal"].iter().chain(arguments).map(OsString::from);
    Program::try_parse_from(arguments).unwrap().overrides
}

fn load(text: &str, arguments: &[&str]) -> Result<Config, ConfigError> {
    let path = PathBuf::from("shoal.toml");
    let mut settings = file::parse(text, &path)?;
    settings.overlay(flags(arguments).settings());
    resolve::resolve(&settings, Some(path), Some(Path::new("/home/miner")))
}

fn refusal(text: &str, arguments: &[&str]) -> String {
    sentence(&load(text, arguments).unwrap_err())
}

#[test]
fn the_example_names_every_key_and_holds_the_defaults() {
    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line))
        .filter(|line| !line.contains("..."))
        .map(|line| format!("{line}\n"))
        .collect();
    // The file has lists twice, as the default and as an example.
    let lists = [
        "fallback = []\n",
        "listeners = []\n",
        "coinbase_limits = []\n",
        "pause = []\n",
        "peers = []\n",
        "external_address = []\n",
        "cors_origins = []\n",
        "trusted_proxies = []\n",
        "urls = []\n",
        "ntfy = []\n",
        "telegram_chats = []\n",
        "discord = []\n",
        "slack = []\n",
        "mail_to = []\n",
    ];
    let uncommented = lists.iter().fold(uncommented, |text, list| text.replace(list, ""));
    let named = file::parse(&uncommented, Path::new("example")).unwrap();
    let hidden = [
        keys::ADDRESS.name,
        keys::STRATUM_FEE_ADDRESS.name,
        keys::P2P_TOR_PASSWORD.name,
        keys::BITCOIND_PASSWORD.name,
        keys::WEBHOOKS_SECRET.name,
        keys::NOTIFY_NTFY_TOKEN.name,
        keys::NOTIFY_TELEGRAM_TOKEN.name,
        keys::NOTIFY_SMTP_PASSWORD.name,
    ];
    for key in KEYS {
        let last = key.name.rsplit('.').next().unwrap();
        let commented = hidden.contains(&key.name) && EXAMPLE.contains(&format!("# {last} = "));
        assert!(named.text(key).is_some() || commented, "{} is not in the example", key.name);
    }
    let (example, defaults) = (load(EXAMPLE, &[]).unwrap(), load("", &[]).unwrap());
    assert_eq!(format!("{example:?}"), format!("{defaults:?}"));
}

fn is_setting(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(name, _)| KEYS.iter().any(|key| key.name.rsplit('.').next() == Some(name)))
}

#[test]
fn every_key_has_a_flag_and_a_variable_that_follow_from_its_name() {
    for key in KEYS {
        assert_eq!(key.flag, key.name.replace(['.', '_'], "-"));
        assert_eq!(key.env, format!("SHOAL_{}", key.name.replace('.', "_").to_uppercase()));
        let names_a_secret = ["password", "secret", "token"].iter().any(|word| key.name.contains(word));
        // Anyone who knows such a URL can post to it.
        let urls =
            [&keys::ARCHIVE_URL, &keys::WEBHOOKS_URLS, &keys::NOTIFY_NTFY, &keys::NOTIFY_DISCORD, &keys::NOTIFY_SLACK];
        let with_login = [&keys::BITCOIND_FALLBACK];
        let is_secret_url = urls.iter().chain(&with_login).any(|url| url.name == key.name);
        assert_eq!(key.secret, names_a_secret || is_secret_url, "{}", key.name);
    }
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let text = "log = \"debug\"\n[api]\nlisten = \"127.0.0.1:1\"\n";
    let config = load(text, &["--api-listen", "127.0.0.1:2"]).unwrap();
    assert_eq!(config.api.listen.port(), 2);
    assert_eq!(config.log, "debug");
    assert_eq!(config.stratum.listen.port(), 3333);
}

#[test]
fn listeners_have_options() {
    let text = "[stratum]\nlisteners = [\"127.0.0.1:1\", \"[::1]:2 proxy=10.0.0.5,2001:db8::/32 min=2000 max=1e6\", \"0.0.0.0:3 tls start=7 max=8\", \"0.0.0.0:4 max=9 v2\"]\n\
                tls_certificate = \"~/c.pem\"\ntls_key = \"/k.pem\"\n";
    let config = load(text, &[]).unwrap();
    assert_eq!(config.stratum.tls, Some(("/home/miner/c.pem".into(), "/k.pem".into())));
    let all: Vec<_> = config.stratum.all().collect();
    let ranges: Vec<_> = all.iter().map(|listener| listener.difficulty).collect();
    assert_eq!((all[0].address.port(), ranges[0]), (3333, DifficultyRange::default()));
    assert_eq!((all[1].address.port(), ranges[1]), (1, DifficultyRange::default()));
    assert_eq!(ranges[2], DifficultyRange { start: 2_000.0, min: 2_000.0, max: 1e6 });
    assert_eq!(ranges[3], DifficultyRange { start: 7.0, min: 0.0, max: 8.0 });
    let kinds: Vec<_> = all.iter().map(|listener| (listener.proxies.len(), listener.tls, listener.v2)).collect();
    let expected = [(0, false, false), (0, false, false), (2, false, false), (0, true, false), (0, false, true)];
    assert_eq!(kinds, expected);
}

#[test]
fn coinbase_limits_are_by_program() {
    let text = "[stratum]\ncoinbase_limits = [\"Antminer S19 = 755\", \"nicehash=any\"]";
    let limit = |agent: &str, bytes| CoinbaseLimit { agent: agent.to_owned(), bytes };
    let expected = [limit("Antminer S19", Some(755)), limit("nicehash", None)];
    assert_eq!(load(text, &[]).unwrap().stratum.coinbase_limits, expected);
    for wrong in ["755", "s19=", "=755", "s19=0", "s19=-1", "s19=many"] {
        let said = refusal(&format!("[stratum]\ncoinbase_limits = [\"{wrong}\"]"), &[]);
        assert!(said.contains("write the beginning of a user agent"), "{said}");
    }
}

#[test]
fn refused_listeners_say_what_to_write() {
    for (wrong, expected) in [
        ("x", "an address and options, like"),
        ("127.0.0.1", "an address and options, like"),
        ("", "an address and options, like"),
        ("127.0.0.1:1 min=0", "difficulties above 0 with min <= start <= max"),
        ("127.0.0.1:1 max=inf", "difficulties above 0"),
        ("127.0.0.1:1 min=5 max=4", "min <= start <= max"),
        ("127.0.0.1:1 start=9 max=4", "min <= start <= max"),
        ("127.0.0.1:1 fast", "each of the options start=, min=, max=, tls, v2 and proxy= at most once"),
        ("127.0.0.1:1 tls=1", "each of the options"),
        ("127.0.0.1:1 tls tls", "each of the options"),
        ("127.0.0.1:1 v2 v2", "each of the options"),
        ("127.0.0.1:1 v2 tls", "v2 without tls: Stratum v2 has an encryption of its own"),
        ("127.0.0.1:1 min=5 min=5", "each of the options"),
        ("127.0.0.1:1 proxy", "the address or range of your load balancer, like proxy=10.0.0.5"),
        ("127.0.0.1:1 proxy=", "the address or range of your load balancer"),
        ("127.0.0.1:1 proxy=balancer.example", "the address or range of your load balancer"),
        ("127.0.0.1:3333", "another port: an earlier listener or `stratum.listen` has this one"),
    ] {
        let text = format!("[stratum]\nlisteners = [\"{wrong}\"]");
        let said = refusal(&text, &[]);
        assert!(said.contains("`stratum.listeners` cannot be") && said.contains(expected), "{wrong}: {said}");
    }
    let twice = refusal("[stratum]\nlisteners = [\"127.0.0.1:1\", \"[::]:1 min=7\"]", &[]);
    assert!(twice.contains("cannot be \"[::]:1\"; write another port"), "{twice}");
    let without = refusal("[stratum]\nlisteners = [\"127.0.0.1:1 tls\"]", &[]);
    assert!(without.contains("`stratum.listeners` needs `stratum.tls_certificate`"), "{without}");
    let half = refusal("[stratum]\ntls_key = \"/k.pem\"", &[]);
    assert!(half.contains("`stratum.tls_key` needs `stratum.tls_certificate`"), "{half}");
}

#[test]
fn lists_and_switches_come_as_flags_too() {
    let config = load(
        "",
        &[
            "--p2p-peers=/ip4/192.0.2.1/tcp/1,/ip4/192.0.2.2/tcp/2",
            "--p2p-peers=/ip4/192.0.2.3/udp/3/quic-v1",
            "--new-pool",
            "--p2p-mdns=false",
        ],
    )
    .unwrap();
    assert_eq!(config.p2p.peers.len(), 3);
    assert!(config.new_pool);
    assert!(!config.p2p.mdns);
}

#[test]
fn miners_stop_unless_the_operator_chose_solo_work() {
    let of = |config: &super::Config| (config.on_isolation, config.on_censorship);
    assert_eq!(of(&load("", &[]).unwrap()), (Reaction::Stop, Reaction::Stop));
    let solo = load("on_isolation = \"solo\"", &["--on-censorship", "stop"]).unwrap();
    assert_eq!(of(&solo), (Reaction::Solo, Reaction::Stop));
}

#[test]
fn each_network_has_its_own_defaults() {
    let config = load("network = \"local\"", &[]).unwrap();
    assert_eq!(config.bitcoind.url.as_str(), "http://127.0.0.1:38332/");
    assert_eq!(config.data_dir, Path::new("/home/miner/.shoal/local"));
    let BitcoindAuth::Cookie(cookie) = config.bitcoind.auth else { panic!("no cookie") };
    assert_eq!(cookie, Path::new("/home/miner/.bitcoin/signet/.cookie"));
}

#[test]
fn pools_and_their_outputs_have_share_chains_and_folders_of_their_own() {
    let mut ids = std::collections::BTreeSet::new();
    for (text, folder, name) in [
        ("", "testnet4", "testnet4"),
        ("network = \"main\"", "main", "main"),
        ("pool = \"garage\"", "testnet4.garage", "testnet4"),
        ("network = \"local\"\noutputs = \"standard\"\npool = \"\"", "local", "local"),
        ("network = \"local\"\npool = \"wide\"", "local.wide", "local"),
        ("network = \"local\"\noutputs = \"wide\"", "local-wide", "local-wide"),
        ("network = \"local\"\noutputs = \"wide\"\npool = \"garage\"", "local-wide.garage", "local-wide"),
        ("network = \"signet\"\noutputs = \"wide\"", "signet-wide", "signet-wide"),
    ] {
        let config = load(text, &[]).unwrap();
        assert_eq!(config.data_dir, Path::new("/home/miner/.shoal").join(folder));
        assert_eq!(config.chain_params().name, name);
        assert!(ids.insert(config.chain_params().consensus_id()), "{text} has an id of its own");
        assert!(config.require_launched().is_ok());
    }
    for network in Network::ALL {
        let name = network.chain_params(Outputs::Standard).name;
        assert_eq!(network.chain_params(Outputs::Wide).name, format!("{name}-wide"));
        assert_eq!(
            load("outputs = \"wide\"", &["--network", name]).unwrap().require_launched().is_ok(),
            name != "main"
        );
    }
}

#[test]
fn unknown_keys_are_refused_with_place_and_nearest_name() {
    for (text, line, name, nearest) in [
        ("\n\nnetwrok = \"main\"", 3, "netwrok", "network"),
        ("[bitcoind]\nurl = \"http://a:1\"\ncookie = \"x\"", 3, "bitcoind.cookie", "bitcoind.cookie_file"),
        ("[strtum]\nlisten = \"0.0.0.0:1\"", 1, "strtum", "stratum"),
        ("mdns = true", 1, "mdns", "p2p.mdns"),
        ("stratum = 5", 1, "stratum", "stratum"),
    ] {
        let refusal = refusal(text, &[]);
        let start = format!("shoal.toml line {line}: unknown key `{name}`; did you mean `{nearest}");
        assert!(refusal.starts_with(&start), "{refusal}");
    }
}

#[test]
fn bad_values_are_refused_with_place_and_remedy() {
    for (text, arguments, parts) in [
        (
            "network = \"testnet\"",
            &[][..],
            ["shoal.toml line 1", "main, signet, local, testnet4, regtest or rehearsal"],
        ),
        ("", &["--network", "mainnet"], ["the flag --network", "main, signet, local, testnet4, regtest or rehearsal"]),
        ("on_isolation = \"go on\"", &[], ["line 1: `on_isolation` cannot be \"go on\"", "write stop or solo"]),
        ("", &["--on-censorship=Solo"], ["the flag --on-censorship", "stop or solo"]),
        ("new_pool = \"yes\"", &[], ["`new_pool`", "true or false, not string"]),
        ("[p2p]\npeers = \"/ip4/1.2.3.4/tcp/1\"", &[], ["line 2", "a list of strings"]),
        ("[p2p]\npeers = [\"1.2.3.4:5\"]", &[], ["line 2", "a multiaddr like"]),
        ("[bitcoind]\ntimeout_s = 0", &[], ["\"0\"", "from 1 to 600"]),
        ("[bitcoind]\nuser = \"a\"", &[], ["`bitcoind.user` needs", "`bitcoind.password`"]),
        ("[bitcoind]\nurl = \"ftp://a\"", &[], ["line 2", "http://127.0.0.1:8332"]),
        ("log_format = \"xml\"", &[], ["line 1", "text or json"]),
        ("log = \"info,=\"", &[], ["line 1", "a level like info"]),
        ("network = ", &[], ["line 1", "not valid TOML"]),
        ("data_dir = \"\"", &[], ["line 1", "path"]),
        (
            "pool = \"My pool\"",
            &[],
            ["shoal.toml line 1: `pool` cannot be \"My pool\"", "1 to 32 characters from a-z, 0-9 and -"],
        ),
        ("", &["--pool=a_b"], ["the flag --pool", "1 to 32 characters"]),
        ("\noutputs = \"large\"", &[], ["shoal.toml line 2: `outputs` cannot be \"large\"", "write standard or wide"]),
    ] {
        let refusal = refusal(text, arguments);
        assert!(parts.iter().all(|part| refusal.contains(part)), "{refusal}");
        assert!(!refusal.contains('\n'), "more than one line: {refusal}");
    }
}

#[test]
fn addresses_are_of_the_network_and_payable() {
    assert!(load(&format!("address = \"{MAIN}\""), &["--network=main"]).is_ok());
    assert!(load("network = \"local\"", &["--address", SIGNET]).is_ok());
    for (address, words) in [
        (SIGNET, "an address of another network; this node runs on main"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "not a valid Bitcoin address"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3tI", "not a valid Bitcoin address"),
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T5", "not a valid Bitcoin address"),
        ("bc1pfeessrawgf", "Shoal cannot pay bc1pfeessrawgf"),
        ("", "not a valid Bitcoin address"),
    ] {
        let refusal = refusal(&format!("\naddress = \"{address}\""), &["--network=main"]);
        assert!(refusal.starts_with("shoal.toml line 2: `address`"), "{refusal}");
        assert!(refusal.contains(words), "{refusal}");
        for library in ["base58", "bech32", "decode", "parse"] {
            assert!(!refusal.contains(library), "a library's word: {refusal}");
        }
    }
}

/// A split in the config would pay its first address for all of the work.
#[test]
fn an_address_of_the_config_is_one_address() {
    const OTHER: &str = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy";
    for separator in [":70,", ";", ", ", " ", "\\t"] {
        for key in ["address", "stratum.fee_address"] {
            let config = format!("{key} = \"{MAIN}{separator}{OTHER}\"\nstratum.fee_percent = 1");
            let refusal = refusal(&config, &["--network=main"]);
            assert!(refusal.contains("names several addresses; enter one"), "{refusal}");
        }
    }
}

/// Texts that people paste: a miner's user name, with spaces, as a phone capitalizes it, or from a wallet's link.
#[test]
fn an_address_is_found_in_what_people_paste() {
    let capital = format!("B{}", &MAIN[1..]);
    let halves = format!("{} {}", &MAIN[..20], &MAIN[20..]);
    for text in [
        format!("{MAIN}.rig1"),
        // As Stratum reads user names, any character may separate the worker's name.
        format!("{MAIN}_rig1"),
        format!("{MAIN} rig1"),
        format!(" {MAIN} .rig1"),
        format!("{MAIN}/rig1"),
        format!("{MAIN}:70,3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy:30.rig1"),
        format!("  {MAIN}\n"),
        MAIN.to_uppercase(),
        capital,
        halves,
        format!("bitcoin:{MAIN}?amount=0.1"),
        format!("BITCOIN:{}", MAIN.to_uppercase()),
    ] {
        let found = parse_address(&text, Network::Main).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(found.to_string(), MAIN, "{text:?}");
    }
    for (text, words) in [
        (MAIN.replacen('w', "q", 1), "a character is wrong, missing or added"),
        (MAIN[..30].to_owned(), "a character is wrong, missing or added"),
        ("1BoatSLRHtKNngkdXEeobR76b53LETtpyX".to_owned(), "a character is wrong, missing or added"),
        ("hello".to_owned(), "start with bc1, 1 or 3"),
        ("\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}".to_owned(), "start with bc1, 1 or 3"),
    ] {
        let refusal = sentence(&parse_address(&text, Network::Main).unwrap_err());
        assert!(refusal.contains(words) && refusal.starts_with('"'), "{text:?}: {refusal}");
    }
}

#[test]
fn unknown_variables_are_refused_with_the_nearest_name() {
    let check = |names: &[&str]| environment::check(names.iter().map(OsString::from));
    let known = KEYS.iter().map(|key| key.env).chain(["SHOAL_CONFIG", "SHOAL_BIN", "SHOALS", "PATH"]);
    assert!(check(&known.collect::<Vec<_>>()).is_ok());
    for (name, nearest) in [
        ("SHOAL_NETWROK", "SHOAL_NETWORK"),
        ("SHOAL_BITCOIND_COOKIE", "SHOAL_BITCOIND_COOKIE_FILE"),
        ("SHOAL_CONF", "SHOAL_CONFIG"),
        ("SHOAL_network", "SHOAL_NETWORK"),
    ] {
        let refusal = sentence(&check(&["HOME", name]).unwrap_err());
        assert_eq!(refusal, format!("unknown environment variable {name}; did you mean {nearest}?"));
    }
}

#[test]
fn cookie_and_user_exclude_each_other() {
    let text = "[bitcoind]\ncookie_file = \"/c\"\n";
    let refusal = refusal(text, &["--bitcoind-user=u", "--bitcoind-password=hunter2"]);
    assert!(refusal.contains("the flag --bitcoind-user: `bitcoind.user` excludes"), "{refusal}");
    assert!(refusal.contains("shoal.toml line 2"), "{refusal}");
}

#[test]
fn no_message_shows_a_password() {
    let text = "[bitcoind]\nuser = \"u\"\npassword = \"hunter2\"\n";
    let config = load(text, &[]).unwrap();
    let overrides = flags(&["--bitcoind-user=u", "--bitcoind-password=hunter2"]);
    let shown = format!("{config:?} {overrides:?} {}", Secret::new("hunter2"));
    assert!(!shown.contains("hunter2"), "{shown}");
    let in_url = refusal("[bitcoind]\nurl = \"http://u:hunter2@h\"", &[]);
    assert!(!in_url.contains("hunter2"), "{in_url}");
}

#[test]
fn signets_are_told_apart_by_their_challenge() {
    let challenge = Network::Local.chain_params(Outputs::Standard).bitcoin.signet_challenge;
    assert!(Network::Local.verify_challenge(&format!("{:x}", challenge.as_hex())).is_ok());
    assert!(Network::Local.verify("signet", Some("51")).is_ok());
    assert!(Network::Local.verify("signet", None).is_ok());
    let other = Network::Signet.verify("signet", Some("51"));
    assert!(matches!(other, Err(NetworkMismatch::Challenge { .. })));
    let other = Network::Main.verify("signet", Some("51"));
    assert!(matches!(other, Err(NetworkMismatch::Chain { expected: "main", .. })));
}

#[test]
fn testnet4_and_regtest_have_bitcoinds_ports_folders_and_addresses() {
    for (name, port, legacy, segwit) in [
        ("testnet4", 48_332, "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"),
        ("regtest", 18_443, "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"),
    ] {
        for address in [legacy, segwit] {
            let config = load(&format!("network = \"{name}\"\naddress = \"{address}\""), &[]).unwrap();
            assert_eq!(config.bitcoind.url.as_str(), format!("http://127.0.0.1:{port}/"));
            let BitcoindAuth::Cookie(cookie) = config.bitcoind.auth else { panic!("no cookie") };
            assert_eq!(cookie, Path::new(&format!("/home/miner/.bitcoin/{name}/.cookie")));
            assert_eq!(config.network.chain_params(Outputs::Standard).name, name);
            assert!(config.network.verify(name, None).is_ok());
        }
        for wrong in ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"] {
            let refusal = refusal(&format!("network = \"{name}\"\naddress = \"{wrong}\""), &[]);
            assert!(refusal.contains("another network") && refusal.contains("m, n or 2"), "{refusal}");
        }
    }
}

#[test]
fn sites_that_may_read_the_api_are_origins() {
    let config = load("[api]\ncors_origins = [\"https://pool.example\", \"http://127.0.0.1:8000\"]\n", &[]).unwrap();
    assert_eq!(config.api.cors_origins, ["https://pool.example", "http://127.0.0.1:8000"]);
    for wrong in ["*", "pool.example", "https://pool.example/", "https://pool.example/a", "null", ""] {
        let error = load(&format!("[api]\ncors_origins = [\"{wrong}\"]\n"), &[]).unwrap_err().to_string();
        assert!(error.contains("an origin like https://example.org"), "{wrong}: {error}");
    }
    for wrong in ["0", "100001", "-1", "many"] {
        assert!(load("", &[&format!("--api-requests-a-second={wrong}")]).is_err(), "{wrong}");
    }
}

#[test]
fn webhooks_need_a_secret_and_known_kinds() {
    let urls = "[webhooks]\nurls = [\"https://example.org/shoal\"]\n";
    let error = load(urls, &[]).unwrap_err().to_string();
    assert!(error.contains("webhooks.secret"), "{error}");
    let config = load(&format!("{urls}secret = \"hush\"\n"), &["--webhooks-events=block"]).unwrap();
    assert!(!format!("{config:?}").contains("hush"));
    assert!(
        matches!(&config.notify.routes[..], [Route { receiver: ReceiverConfig::Webhook { .. }, events }] if events.len() == 1)
    );
    assert!(load("[webhooks]\nsecret = \"hush\"\n", &[]).unwrap().notify.routes.is_empty());
    for wrong in ["ftp://example.org", "example.org", "https://"] {
        assert!(load(&format!("[webhooks]\nurls = [\"{wrong}\"]\nsecret = \"hush\"\n"), &[]).is_err(), "{wrong}");
    }
    let error = load("[webhooks]\nevents = [\"blocks\"]\n", &[]).unwrap_err().to_string();
    assert!(error.contains("a kind of event: start, block"), "{error}");
}

#[test]
fn limits_of_listeners_change_and_their_addresses_do_not() {
    let stratum = |text: &str| load(&format!("[stratum]\n{text}"), &[]).unwrap().stratum;
    let old = stratum("listeners = [\"127.0.0.1:3334 start=10\", \"127.0.0.1:3335 min=5\"]\n");
    let new = "listeners = [\"127.0.0.1:3336\", \"127.0.0.1:3334 start=20 max=30\"]\ncoinbase_limits = [\"x=700\"]\n";
    let limited = old.limited_as(&stratum(new));
    let limits = limited.limits();
    let found: Vec<_> = limits.difficulties.iter().map(|(at, range)| (at.port(), range.start, range.max)).collect();
    let plain = DifficultyRange::default();
    let unchanged = [3333, 3335].map(|port| (port, plain.start, plain.max));
    assert_eq!(found, [unchanged[0], (3334, 20.0, 30.0), unchanged[1]]);
    assert_eq!(limits.coinbase_limits[..], [CoinbaseLimit { agent: "x".to_owned(), bytes: Some(700) }]);
}
