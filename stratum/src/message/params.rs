//! Parses the positional parameters of each method, and tolerates what real firmware sends.

use bitcoin::Target;
use bitcoin::hex::FromHex;
use serde_json::Value;

use super::call::{Call, Configure, Login, ParamError, Submission};
use super::password::password_difficulty;
use crate::limits;
use crate::pool::EXTRANONCE2_BYTES;

/// The most frequent method by far.
pub(super) const SUBMIT: &str = "mining.submit";

/// The methods whose parameters must be a list. Others have none that count, and questions in the dialect of another server are
/// answered.
const METHODS_WITH_LISTS: [&str; 4] = ["mining.configure", "mining.subscribe", "mining.authorize", SUBMIT];

/// Parses the parameters of `method`. Absent parameters count as an empty list, and a single value as a list of one.
pub(super) fn parse_call(method: String, params: &Value) -> Result<Call, ParamError> {
    let list = match params {
        Value::Array(list) => list.as_slice(),
        Value::Null => &[],
        Value::Object(_) if METHODS_WITH_LISTS.contains(&method.as_str()) => return Err(ParamError::NotAList),
        Value::Object(_) => &[],
        single => std::slice::from_ref(single),
    };
    let list = List(list);
    Ok(match method.as_str() {
        "mining.configure" => Call::Configure(configure(list)),
        "mining.subscribe" => Call::Subscribe {
            agent: list.text(0).map(str::to_owned),
            session_id: list.text(1).and_then(|id| FromHex::from_hex(id).ok()),
        },
        "mining.authorize" => Call::Authorize(login(list)?),
        SUBMIT => {
            let is_given = |index| !matches!(list.0.get(index), None | Some(Value::Null));
            // A job id that is no text is another server's, as an empty one is.
            let text = |index| list.text(index).or_else(|| (index == 1 && is_given(index)).then_some(""));
            Call::Submit(submission(text, is_given(5))?)
        }
        "mining.suggest_difficulty" => Call::SuggestDifficulty(difficulty(list).ok_or(ParamError::Suggestion)?),
        "mining.suggest_target" => Call::SuggestDifficulty(target_difficulty(list).ok_or(ParamError::Suggestion)?),
        "mining.get_transactions" => Call::GetTransactions,
        "mining.extranonce.subscribe" => Call::ExtranonceSubscribe,
        "mining.ping" => Call::Ping,
        "pong" | "mining.pong" => Call::Response(None),
        _ => Call::Unknown(method),
    })
}

#[derive(Clone, Copy)]
struct List<'a>(&'a [Value]);

impl<'a> List<'a> {
    fn text(self, index: usize) -> Option<&'a str> {
        self.0.get(index).and_then(Value::as_str)
    }
}

fn required<'a>(text: Option<&'a str>, index: usize, name: &'static str) -> Result<&'a str, ParamError> {
    text.ok_or(ParamError::Wrong { index, name, expected: "a string" })
}

/// Parses 1 to 8 hex digits. Some firmware omits leading zeros.
fn parse_hex_u32(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

/// Parses a finite number above 0, given as a number or a string.
fn positive(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))?;
    (number.is_finite() && number > 0.0).then_some(number)
}

fn configure(list: List<'_>) -> Configure {
    let names = list.0.first().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let option = |name: &str| list.0.get(1).and_then(|options| options.get(name));
    // Braiins OS writes the number as a text.
    let whole = |value: &Value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    let min_bits = option("version-rolling.min-bit-count").and_then(whole);
    Configure {
        extensions: names.iter().filter_map(Value::as_str).take(limits::EXTENSIONS_MAX).map(str::to_owned).collect(),
        mask: option("version-rolling.mask").and_then(Value::as_str).and_then(parse_hex_u32),
        min_bits: min_bits.map(|bits| u32::try_from(bits).unwrap_or(u32::MAX)),
        min_difficulty: option("minimum-difficulty.value").and_then(positive),
    }
}

fn login(list: List<'_>) -> Result<Login, ParamError> {
    Ok(Login {
        user: required(list.text(0), 0, "user name")?.to_owned(),
        difficulty: list.text(1).and_then(password_difficulty),
    })
}

/// Parses a target of 64 hex digits, most significant first, and returns its difficulty.
fn target_difficulty(list: List<'_>) -> Option<f64> {
    let target = <[u8; 32]>::from_hex(list.text(0)?).ok()?;
    let difficulty = Target::from_be_bytes(target).difficulty_float();
    (difficulty.is_finite() && difficulty > 0.0).then_some(difficulty)
}

fn difficulty(list: List<'_>) -> Option<f64> {
    list.0.first().and_then(positive)
}

/// Takes the parameters of `mining.submit` from their texts. `has_bits` says whether there are version bits.
pub(super) fn submission<'a>(
    text: impl Fn(usize) -> Option<&'a str>,
    has_bits: bool,
) -> Result<Submission, ParamError> {
    let hex_u32 = |index, name| {
        let wrong = ParamError::Wrong { index, name, expected: "up to 8 hex digits" };
        parse_hex_u32(required(text(index), index, name)?).ok_or(wrong)
    };
    let extranonce2 = required(text(2), 2, "extranonce2")?;
    if !extranonce2.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ParamError::Wrong { index: 2, name: "extranonce2", expected: "16 hex digits" });
    }
    let extranonce2 = <[u8; EXTRANONCE2_BYTES]>::from_hex(extranonce2).ok();
    Ok(Submission {
        worker: required(text(0), 0, "user name")?.to_owned(),
        job: parse_hex_u32(required(text(1), 1, "job id")?),
        extranonce2,
        time: hex_u32(3, "ntime")?,
        nonce: hex_u32(4, "nonce")?,
        version_bits: if has_bits { Some(hex_u32(5, "version bits")?) } else { None },
    })
}
