use super::named;
use super::registry::names;

fn options(text: &str) -> toml::Table {
    text.parse().unwrap()
}

#[test]
fn every_name_makes_a_strategy_without_options() {
    for name in names() {
        named(name, &toml::Table::new()).unwrap();
    }
}

#[test]
fn options_are_read_over_the_defaults_of_the_name() {
    let trail = named("stubborn-trail", &options("trail = 3\nlead = true")).unwrap();
    let text = format!("{trail:?}");
    assert!(text.contains("trail: 3") && text.contains("lead: true") && text.contains("fork: false"), "{text}");
    let flood = named("flood", &options("kinds = ['unknown-parent']")).unwrap();
    assert!(format!("{flood:?}").contains("per_second: 5, kinds: [UnknownParent]"));
}

#[test]
fn errors_say_what_there_is() {
    let error = named("selfless", &toml::Table::new()).unwrap_err().to_string();
    assert!(error.contains("selfless") && error.contains("stubborn-lead"), "{error}");
    for (name, text) in [("hoard", "margin = 3"), ("honest", "much = true"), ("surge", "factor = 'big'")] {
        let error = named(name, &options(text)).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn scenarios_may_name_each_of_them() {
    let known: Vec<_> = names().collect();
    assert_eq!(known, crate::scenario::STRATEGIES);
}
