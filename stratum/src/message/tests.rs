use proptest::prelude::*;
use serde_json::json;

use super::{Call, Configure, Login, ParamError, ParseError, Request, Submission};

fn call(line: &str) -> Call {
    Request::parse(line).expect("a request").call.expect("good parameters")
}

#[test]
fn submit_with_and_without_version_bits() {
    let line = r#"{"id":5,"method":"mining.submit","params":["addr.w","1a","9902000000000001","64b1f10f","2402812d","00006000"]}"#;
    let expected = Submission {
        worker: "addr.w".to_owned(),
        job: 0x1a,
        extranonce2: [0x99, 2, 0, 0, 0, 0, 0, 1],
        time: 0x64b1_f10f,
        nonce: 0x2402_812d,
        version_bits: Some(0x6000),
    };
    assert_eq!(call(line), Call::Submit(expected.clone()));
    let without = line.replace(r#","00006000""#, "");
    assert_eq!(call(&without), Call::Submit(Submission { version_bits: None, ..expected }));
}

#[test]
fn numbers_must_be_plain_hex() {
    for nonce in ["+2402812", "0x2402812", "", "123456789", "-1", "zz"] {
        let params = json!(["w", "1", "0000000000000000", "64b1f10f", nonce]);
        let line = json!({"id": 1, "method": "mining.submit", "params": params}).to_string();
        let error = Request::parse(&line).expect("a request").call.expect_err("not hex");
        assert_eq!(error, ParamError::Wrong { index: 4, name: "nonce", expected: "up to 8 hex digits" });
    }
}

#[test]
fn the_password_may_set_a_minimum_difficulty() {
    let cases = [("x", None), ("d=4096", Some(4096.0)), ("x,diff=0.5", Some(0.5)), ("a; d=12", Some(12.0))];
    let more = [("d=", None), ("d=-1", None), ("d=inf", None), ("d=NaN", None), ("dd=5", None)];
    for (password, difficulty) in cases.into_iter().chain(more) {
        let line = json!({"id": 1, "method": "mining.authorize", "params": ["a.b", password]}).to_string();
        assert_eq!(call(&line), Call::Authorize(Login { user: "a.b".to_owned(), difficulty }), "{password}");
    }
}

#[test]
fn configure_without_options_requests_all_bits() {
    let line = r#"{"id":1,"method":"mining.configure","params":[["version-rolling"]]}"#;
    let expected = Configure { extensions: vec!["version-rolling".to_owned()], ..Configure::default() };
    assert_eq!(call(line), Call::Configure(expected));
}

#[test]
fn ids_are_strings_integers_or_null() {
    for id in ["7", "-1", "null", "\"abc\""] {
        assert!(Request::parse(&format!(r#"{{"id":{id},"method":"mining.ping"}}"#)).is_ok(), "{id}");
    }
    assert!(Request::parse(r#"{"method":"mining.ping"}"#).is_ok());
    let long = "x".repeat(65);
    for id in ["1.5", "true", "[]", "{}", &format!("\"{long}\"")] {
        let error = Request::parse(&format!(r#"{{"id":{id},"method":"mining.ping"}}"#)).expect_err(id);
        assert!(matches!(error, ParseError::BadId));
    }
}

#[test]
fn params_must_be_a_list() {
    let request = Request::parse(r#"{"id":1,"method":"mining.submit","params":{"a":1}}"#).expect("a request");
    assert_eq!(request.call, Err(ParamError::NotAList));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(line in ".*") {
        let _parsed = Request::parse(&line);
    }

    #[test]
    fn no_parameters_make_the_parser_panic(
        method in "mining\\.(submit|configure|subscribe|authorize|suggest_difficulty)",
        params in prop::collection::vec(any_json(), 0..8),
    ) {
        let line = json!({"id": 1, "method": method, "params": params}).to_string();
        prop_assert!(Request::parse(&line).is_ok());
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        any::<u64>().prop_map(|value| json!(value)),
        ".{0,12}".prop_map(|value| json!(value)),
        "[0-9a-f]{0,20}".prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!(list)),
            prop::collection::vec(("[a-z.-]{1,24}", inner), 0..4)
                .prop_map(|fields| json!(fields.into_iter().collect::<std::collections::HashMap<_, _>>())),
        ]
    })
}
