use super::{GroupError, parse, show};
use crate::network::{NetworkOptions, Plan};

fn plan(mdns: bool) -> Plan {
    Plan::new(&NetworkOptions { mdns, ..NetworkOptions::of(5, 1) }).unwrap()
}

#[test]
fn unnamed_nodes_form_one_more_group() {
    let plan = plan(false);
    let groups = |text| parse(text, &plan).map(|groups| show(&groups, &plan));
    assert_eq!(groups("A,B|C,D,E").unwrap(), "A,B|C,D,E");
    assert_eq!(groups(" a , b | c ").unwrap(), "A,B|C|D,E");
    assert_eq!(groups("E").unwrap(), "E|A,B,C,D");
}

#[test]
fn what_separates_nothing_is_refused() {
    let plan = plan(false);
    assert_eq!(parse("A,B,C,D,E", &plan), Err(GroupError::OneGroup));
    assert_eq!(parse("", &plan), Err(GroupError::OneGroup));
    assert_eq!(parse("A|F", &plan), Err(GroupError::UnknownNode { name: "F".to_owned() }));
    assert_eq!(parse("A,B|B", &plan), Err(GroupError::Twice { name: "B".to_owned() }));
}

#[test]
fn nodes_that_find_each_other_cannot_be_separated() {
    assert_eq!(parse("A|B", &plan(true)), Err(GroupError::NoLines));
}
