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
        job: Some(0x1a),
        extranonce2: Some([0x99, 2, 0, 0, 0, 0, 0, 1]),
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
    let wild = [
        ("D=5", Some(5.0)),
        ("d= 5", Some(5.0)),
        ("d =5 x", Some(5.0)),
        ("diff:5", Some(5.0)),
        ("x;Diff = 8k", Some(8e3)),
        ("mindiff=1M,x", Some(1e6)),
        ("min_diff=2", Some(2.0)),
        ("minimum-difficulty: 3", Some(3.0)),
        ("difficulty=7&x", Some(7.0)),
        ("md=6", Some(6.0)),
        ("e=9 d=5", Some(5.0)),
        ("c=BTC,mc=LTC,d=16,sd=4", Some(16.0)),
        ("d=x,d=9", Some(9.0)),
        ("password=5", None),
        ("bad=5", None),
        ("d5", None),
        ("d=k", None),
        ("d=0", None),
        ("::==d", None),
    ];
    for (password, difficulty) in cases.into_iter().chain(more).chain(wild) {
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
fn params_must_be_a_list_or_a_single_value() {
    let request = Request::parse(r#"{"id":1,"method":"mining.submit","params":{"a":1}}"#).expect("a request");
    assert_eq!(request.call, Err(ParamError::NotAList));
    let single = r#"{"id":1,"method":"mining.suggest_difficulty","params":1000}"#;
    assert_eq!(call(single), Call::SuggestDifficulty(1_000.0));
    assert_eq!(call(&single.replace("1000", "\"1000\"")), Call::SuggestDifficulty(1_000.0));
}

#[test]
fn a_suggested_target_is_a_difficulty() {
    let target = format!("00000000ffff{}", "0".repeat(52));
    let line = json!({"id": 1, "method": "mining.suggest_target", "params": [target]}).to_string();
    assert_eq!(call(&line), Call::SuggestDifficulty(1.0));
    for wrong in ["", "zz", &"0".repeat(64)] {
        let line = json!({"id": 1, "method": "mining.suggest_target", "params": [wrong]}).to_string();
        assert!(Request::parse(&line).expect("a request").call.is_err(), "{wrong}");
    }
}

#[test]
fn jobs_and_extranonces_of_other_servers_are_not_malformed() {
    for (job, extranonce2) in
        [("69b4f8c10000a30a", "00"), ("job_5", "00000000"), ("", ""), ("1x", "000000000000000000")]
    {
        let params = json!(["w", job, extranonce2, "64b1f10f", "00000000"]);
        let line = json!({"id": 1, "method": "mining.submit", "params": params}).to_string();
        let Call::Submit(submission) = call(&line) else { panic!("a submission") };
        assert_eq!((submission.job, submission.extranonce2), (None, None), "{job}");
    }
}

#[test]
fn a_session_id_is_an_extranonce_or_ignored() {
    let line = |id: &str| json!({"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.12", id]}).to_string();
    let agent = Some("cgminer/4.12".to_owned());
    let session_id = Some([0xaa, 0xbb, 0, 0, 0, 0, 0, 1]);
    assert_eq!(call(&line("aabb000000000001")), Call::Subscribe { agent: agent.clone(), session_id });
    for other in ["", "aabb", "zz", "ae6812eb4cd7735a302a8a9dd95cf71f"] {
        assert_eq!(call(&line(other)), Call::Subscribe { agent: agent.clone(), session_id: None }, "{other}");
    }
}

/// Contents of a `mining.submit`, in usual forms and others.
fn any_submit() -> impl Strategy<Value = String> {
    let id = prop_oneof![Just("9"), Just("null"), Just("\"a\""), Just("1.5"), Just("[]"), Just("{}")];
    let param = prop_oneof![
        6 => "[0-9a-fA-F]{0,17}".prop_map(|text| format!("\"{text}\"")),
        2 => Just("\"addr.w\"".to_owned()),
        1 => Just("\"\\u0061ddr\"".to_owned()),
        1 => Just("null".to_owned()),
        1 => Just("7".to_owned()),
    ];
    let method = prop_oneof![4 => Just("mining.submit"), 1 => Just("mining.ping")];
    let more =
        prop_oneof![4 => Just(""), 1 => Just(r#","ttl":2"#), 1 => Just(r#","id":3"#), 1 => Just(r#","params":[]"#)];
    (id, method, prop::collection::vec(param, 0..8), more, any::<bool>()).prop_map(
        |(id, method, params, more, is_list)| {
            let params = params.join(",");
            if is_list {
                format!(r#"[{id},"{method}",[{params}]]"#)
            } else {
                format!(r#"{{"params":[{params}],"id":{id},"method":"{method}"{more}}}"#)
            }
        },
    )
}

#[test]
fn a_usual_submission_is_parsed_without_a_tree_of_values() {
    for line in [
        r#"{"id":5,"method":"mining.submit","params":["addr.w","1a","9902000000000001","64b1f10f","2402812d","00006000"]}"#,
        r#"{"method": "mining.submit", "params": ["a", "1", "00", "0", "0"], "id": "x", "ttl": 2}"#,
    ] {
        assert_eq!(Request::parse_submit(line), Request::parse_any(line).ok());
        assert!(Request::parse_submit(line).is_some());
    }
}

proptest! {
    #[test]
    fn both_ways_to_parse_a_submission_agree(line in any_submit()) {
        if let Some(request) = Request::parse_submit(&line) {
            prop_assert_eq!(Request::parse_any(&line).ok(), Some(request));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(line in ".*") {
        let _parsed = Request::parse(&line);
    }

    #[test]
    fn no_parameters_make_the_parser_panic(
        method in "mining\\.(submit|configure|subscribe|authorize|suggest_difficulty|suggest_target)",
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
