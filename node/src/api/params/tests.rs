use super::*;

fn read(query: &[(&str, &str)]) -> Result<Paging, String> {
    let fields: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Paging::read(&fields).map_err(|error| error.to_string())
}

#[test]
fn paging_takes_what_it_documents() {
    assert_eq!(read(&[]), Ok(Paging { from: None, limit: None }));
    assert_eq!(read(&[("from", "7"), ("limit", "500")]), Ok(Paging { from: Some(7), limit: Some(500) }));
    assert_eq!(Paging::default().items(), PAGE);
}

#[test]
fn a_list_is_shortened_by_its_limit_alone() {
    let read = |name: &str, value: &str| Most::read(&[(name.to_owned(), value.to_owned())]);
    assert_eq!(read("limit", "20").ok(), Some(Most { limit: Some(20) }));
    assert_eq!(Most::read(&[]).ok(), Some(Most { limit: None }));
    for (name, value) in [("limit", "0"), ("limit", "501"), ("from", "1")] {
        assert!(read(name, value).is_err(), "{name}={value}");
    }
}

#[test]
fn paging_refuses_everything_else_by_name() {
    for (name, value) in [("limit", "0"), ("limit", "501"), ("limit", "-1"), ("limit", ""), ("limit", "1e2")] {
        let sentence = read(&[(name, value)]).unwrap_err();
        assert!(sentence.contains("`limit`") && sentence.contains("1 to 500"), "{sentence}");
    }
    for value in ["-1", "x", "", "18446744073709551616"] {
        assert!(read(&[("from", value)]).unwrap_err().contains("`from`"));
    }
    assert!(read(&[("page", "2")]).unwrap_err().contains("`from` and `limit`"));
}

#[test]
fn a_callers_words_are_cut_and_cleaned() {
    let echoed = echo(&"\u{1b}[31m".repeat(1_000));
    assert_eq!(echoed.chars().count(), super::super::limits::ECHO_CHARS_MAX);
    assert!(!echoed.contains('\u{1b}'));
}
