use super::*;

const CALM: &str = include_str!("../../../scenarios/calm.toml");
const EXAMPLES: [&str; 7] = [
    CALM,
    include_str!("../../../scenarios/storm.toml"),
    include_str!("../../../scenarios/hundred.toml"),
    include_str!("../../../scenarios/selfish.toml"),
    include_str!("../../../scenarios/recorded.toml"),
    include_str!("../../../scenarios/cut.toml"),
    include_str!("../../../scenarios/week.toml"),
];

/// Returns the parser's error for the calm example with a text added or replaced.
fn complaint(from: &str, to: &str) -> String {
    assert!(CALM.contains(from));
    Scenario::parse(&CALM.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn examples_are_read_and_written_again() {
    for text in EXAMPLES {
        let scenario = Scenario::parse(text).unwrap();
        assert_eq!(Scenario::parse(&scenario.to_toml()).unwrap(), scenario);
    }
}

#[test]
fn errors_name_the_field_and_what_is_allowed() {
    let unknown = complaint("part = 1.0", "part = 1.0\nspeed = 3");
    assert!(unknown.contains("speed") && unknown.contains("`part`") && unknown.contains("line"), "{unknown}");
    let strategy = complaint("part = 1.0", "part = 1.0\nstrategy = \"greedy\"");
    assert!(strategy.starts_with("miners.home.strategy: `greedy`") && strategy.contains("selfish"), "{strategy}");
    let line = complaint("\"datacenter\"", "\"carrier-pigeon\"");
    assert!(line.contains("carrier-pigeon") && line.contains("`tor`"), "{line}");
    let part = complaint("part = 1.0", "part = -1");
    assert_eq!(part, "miners.home.part: -1 is not allowed; it must be from 0 to 1000000");
    let who = complaint(
        "name = \"calm\"",
        "name = \"calm\"\nfaults = [{ kind = \"crash\", at_s = 1, for_s = 1, who = [10] }]",
    );
    assert_eq!(who, "faults[0].who: 10 is not allowed; it must be below 10, the number of nodes");
    let fault = complaint("name = \"calm\"", "name = \"calm\"\nfaults = [{ kind = \"crush\", at_s = 1 }]");
    assert!(fault.contains("crush") && fault.contains("`crash`"), "{fault}");
    let field = complaint("name = \"calm\"", "name = \"calm\"\nfaults = [{ kind = \"heal\", at_s = 1, for_s = 2 }]");
    assert!(field.contains("for_s"), "{field}");
}

#[test]
fn random_scenarios_are_sound_and_repeatable() {
    for seed in 0..300 {
        let scenario = Scenario::random(seed);
        scenario.check().unwrap();
        assert_eq!(scenario, Scenario::random(seed));
        assert_eq!(Scenario::parse(&scenario.to_toml()).unwrap(), scenario);
        assert!((6..=12).contains(&scenario.node_count()));
    }
    assert_ne!(Scenario::random(1), Scenario::random(2));
}

#[test]
fn shrinks_are_sound_smaller_and_come_to_an_end() {
    let mut scenario = Scenario::parse(EXAMPLES[1]).unwrap();
    let size = |scenario: &Scenario| scenario.to_toml().len();
    let mut rounds = 0;
    // A failure that survives every step ends with an almost empty scenario.
    while let Some(smaller) = scenario.shrinks().into_iter().find(|variant| {
        assert!(variant.check().is_ok());
        *variant != scenario
    }) {
        scenario = smaller;
        rounds += 1;
        assert!(rounds < 200, "{}", scenario.to_toml());
    }
    assert!(scenario.faults.is_empty() && scenario.node_count() <= 2, "{}", scenario.to_toml());
    assert!(size(&scenario) < 500);
}

#[test]
fn shrinks_keep_what_refers_to_each_other_in_order() {
    for seed in 0..50 {
        for variant in Scenario::random(seed).shrinks() {
            assert_eq!(Scenario::parse(&variant.to_toml()).unwrap(), variant);
        }
    }
}

#[test]
fn constants_are_changed_by_name() {
    let text = CALM.replacen("[[nodes]]", "[constants]\nlink_interval_s = 5\nwindow_blocks = 0.5\n\n[[nodes]]", 1);
    let scenario = Scenario::parse(&text).unwrap();
    let mut params = sharechain::ChainParams::main();
    scenario.constants.apply(&mut params);
    assert_eq!(params.link_interval_s, 5);
    assert_eq!(params.window_weight.0, 1 << 63);
    assert_eq!(params.shares_per_link, sharechain::ChainParams::main().shares_per_link);
    let unknown = Scenario::parse(&text.replacen("link_interval_s", "link_interval_sec", 1)).unwrap_err().to_string();
    assert!(unknown.contains("link_interval_sec") && unknown.contains("`link_interval_s`"), "{unknown}");
}
