//! The reader accepts exactly what the format allows, and the writer writes what the reader accepts.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use recording::{Line, ReadError, Reader, Start, Writer};
use serde_json::{Value, json};
use sharechain::ChainParams;
use sharechain::bitcoin_headers::Root;

const ID: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

fn start() -> Start {
    let params = ChainParams::local();
    let root = Root::genesis(&params.bitcoin);
    Start { params, root }
}

/// Error in a line that follows a first line, if there is one.
fn complaint(line: &str) -> Option<String> {
    let text = format!("{}\n{line}\n", start().line(None));
    let (_, mut reader) = Reader::new(text.as_bytes()).unwrap();
    match reader.next_line() {
        Ok(read) => {
            assert!(matches!(read, Some((2, _))));
            assert!(reader.next_line().unwrap().is_none());
            None
        }
        Err(ReadError::Bad { line: 2, problem }) => Some(problem),
        Err(other) => panic!("{other}"),
    }
}

/// Error in a first line that was changed.
fn complaint_of_first(change: impl FnOnce(&mut Value)) -> Option<String> {
    let mut first: Value = serde_json::from_str(&start().line(Some("for people"))).unwrap();
    change(&mut first);
    match Reader::new(format!("{first}\n").as_bytes()) {
        Ok((read, _)) => {
            assert_eq!(read, start());
            None
        }
        Err(ReadError::Bad { line: 1, problem }) => Some(problem),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn lines_that_the_format_allows_are_read_and_written_again() {
    let header = "00".repeat(80);
    let script = format!("0014{}", "aa".repeat(20));
    let row = json!([script, "340282366920938463463374607431768211455", 3]);
    let number = "ff".repeat(32);
    let lines = [
        json!({"header": header}),
        json!({"header": header, "verdict": "invalid"}),
        json!({"proof": ""}),
        json!({"proof": "00ff", "list": [], "verdict": "SC-301", "list_verdict": "ignored"}),
        json!({"list_of": ID, "list": [ID, ID], "list_verdict": "complete"}),
        json!({"now": u32::MAX}),
        json!({"claim": "tip", "id": ID, "height": 7, "chain_work": number}),
        json!({"claim": "link", "id": ID, "height": 7, "rows": [row]}),
        json!({"claim": "window", "snapshot": ID, "oldest": 0, "newest": 0, "proofs": u64::MAX, "total": "0", "sums": [row]}),
        json!({"claim": "outputs", "parent": ID, "previous_block": ID, "payout": script, "coinbase_value": u64::MAX,
               "outputs": [[script, 1]]}),
        json!({"claim": "state", "parent": ID, "previous_block": ID, "list": [ID], "state_root": ID}),
        json!({"claim": "proof", "id": ID, "verdict": "unlistable", "list_verdict": "SC-407"}),
    ];
    for line in lines {
        assert_eq!(complaint(&line.to_string()), None, "{line}");
        let read = Line::parse(line.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), line);
    }
}

#[test]
fn other_lines_are_refused() {
    let header = "00".repeat(80);
    let cases = [
        (String::new(), "EOF"),
        ("[]".into(), "invalid"),
        ("{}".into(), "is none of"),
        (r#"{"now":1,"header":"00"}"#.into(), "or several"),
        (r#"{"now":1,"later":2}"#.into(), "unknown field `later`"),
        (r#"{"now":1,"now":2}"#.into(), "duplicate field"),
        (r#"{"now":1.0}"#.into(), "floating point"),
        (r#"{"now":-1}"#.into(), "integer `-1`"),
        (r#"{"now":4294967296}"#.into(), "4294967296"),
        (r#"{"now":"1"}"#.into(), "string"),
        (r#"{"now":1} {"now":2}"#.into(), "trailing"),
        (format!(r#"{{"header":"{}"}}"#, "00".repeat(79)), "79 bytes"),
        (format!(r#"{{"header":"{}"}}"#, "0A".repeat(80)), "lowercase"),
        (format!(r#"{{"header":"{header}","verdict":null}}"#), "expected value"),
        (format!(r#"{{"header":"{header}","verdict":"SC-301"}}"#), "SC-301"),
        (format!(r#"{{"proof":"{}"}}"#, "00".repeat(4_097)), "4097 bytes"),
        (r#"{"proof":"0"}"#.into(), "lowercase"),
        (r#"{"proof":"00","verdict":"complete"}"#.into(), "verdict"),
        (r#"{"proof":"00","verdict":"SC-30"}"#.into(), "verdict"),
        (r#"{"proof":"00","list_verdict":"held"}"#.into(), "without a list"),
        (format!(r#"{{"list_of":"{ID}"}}"#), "missing field `list`"),
        (format!(r#"{{"claim":"fork","id":"{ID}"}}"#), "unknown variant"),
        (format!(r#"{{"claim":"tip","claim":"tip","id":"{ID}","height":1,"chain_work":"{ID}"}}"#), "duplicate"),
        (format!(r#"{{"claim":"tip","id":"{ID}","height":1,"chain_work":"{ID}","rows":1}}"#), "unknown field"),
        (format!(r#"{{"claim":"link","id":"{ID}","height":1,"rows":[["0014","1",1]]}}"#), "2 bytes"),
        (
            format!(
                r#"{{"claim":"window","snapshot":"{ID}","oldest":0,"newest":0,"proofs":0,"total":"01","sums":[]}}"#
            ),
            "leading zeros",
        ),
    ];
    for (line, words) in cases {
        let complaint = complaint(&line).unwrap_or_else(|| panic!("{line} is taken"));
        assert!(complaint.contains(words), "{line}: {complaint}");
    }
}

#[test]
fn first_lines_are_checked() {
    assert_eq!(complaint_of_first(|_| {}), None);
    let refused = |change: fn(&mut Value), words: &str| {
        let complaint = complaint_of_first(change).unwrap_or_else(|| panic!("{words} is taken"));
        assert!(complaint.contains(words), "{complaint}");
    };
    refused(|first| first["shoal_recording"] = json!(1), "version 1");
    refused(|first| first["more"] = json!(1), "unknown field `more`");
    refused(|first| first["about"] = json!("a".repeat(1_001)), "about");
    refused(|first| first["network"] = json!("moon"), "moon");
    refused(|first| first["network"] = json!("main"), "consensus_id");
    refused(|first| first["consensus_id"] = json!(ID), "consensus_id");
    refused(|first| first["root"]["headers"] = json!([]), "headers");
    refused(|first| first["root"]["height"] = json!(5), "root");
    refused(|first| first["root"]["headers"] = json!(["00".repeat(80)]), "nBits");
}

/// A recording of any network but the three known ones has the network's constants in its first line.
#[test]
fn parameters_come_back() {
    let params = ChainParams { name: "custom", outputs_max: 7, ..ChainParams::signet() };
    let root = Root::genesis(&params.bitcoin);
    let mut start = Start { params, root };
    start.params.bitcoin.start_height = 1;
    let first = start.line(None);
    let (read, _) = Reader::new(format!("{first}\n").as_bytes()).unwrap();
    assert_eq!(read, start);
    let mut line: Value = serde_json::from_str(&first).unwrap();
    for name in ["retarget_blocks", "median_span", "outputs_max", "pow_limit_bits"] {
        let kept = line["parameters"][name].take();
        line["parameters"][name] = json!(0);
        // The consensus id no longer fits, but the reader checks it later.
        let problem = Reader::new(format!("{line}\n").as_bytes()).unwrap_err().to_string();
        assert!(problem.contains(name), "{problem}");
        line["parameters"][name] = kept;
    }
    line["network"] = json!("local");
    let problem = Reader::new(format!("{line}\n").as_bytes()).unwrap_err().to_string();
    assert!(problem.contains("the parameters are those of custom"), "{problem}");
}

/// A private pool has the constants of a known network under the network's own name. Nothing else may differ.
#[test]
fn the_name_of_a_pool_comes_back() {
    for mut params in ChainParams::all() {
        params.pool = "garage-2".parse().unwrap();
        let start = Start { root: Root::genesis(&params.bitcoin), params };
        let first = start.line(None);
        let (read, _) = Reader::new(format!("{first}\n").as_bytes()).unwrap();
        assert_eq!(read, start);
        let mut line: Value = serde_json::from_str(&first).unwrap();
        assert_eq!(line["parameters"]["pool"], "garage-2");
        line["parameters"]["outputs_max"] = json!(49);
        let problem = Reader::new(format!("{line}\n").as_bytes()).unwrap_err().to_string();
        assert!(problem.contains("the parameters differ"), "{problem}");
        line["parameters"]["pool"] = json!("Garage");
        let problem = Reader::new(format!("{line}\n").as_bytes()).unwrap_err().to_string();
        assert!(problem.contains("parameters.pool"), "{problem}");
    }
}

#[test]
fn a_file_that_was_cut_is_told_from_a_whole_one() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, &start(), None).unwrap();
    writer.line(&Line::parse(br#"{"now":1}"#).unwrap()).unwrap();
    assert_eq!(writer.finish().unwrap(), 2);
    let whole = |bytes: &[u8]| -> Result<(), ReadError> {
        let (_, mut reader) = Reader::new(bytes)?;
        while reader.next_line()?.is_some() {}
        Ok(())
    };
    whole(&bytes).unwrap();
    assert!(matches!(whole(&bytes[..bytes.len() - 1]), Err(ReadError::Bad { line: 2, .. })));
    assert!(matches!(whole(&bytes[..40]), Err(ReadError::Bad { line: 1, .. })));
    assert!(matches!(whole(b""), Err(ReadError::Empty)));
}
