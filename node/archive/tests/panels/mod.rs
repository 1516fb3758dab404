//! The dashboard's panels as Grafana asks for them: its macros replaced by a range of time.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Title and statement of each panel, for a range of time like `2026-11-05T00:00:00Z`.
pub(crate) fn panels(from: &str, to: &str) -> Vec<(String, String)> {
    let path = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("grafana.json");
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().map(|panel| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let sql = text(&panel["targets"][0]["rawSql"]).replace(", $__interval)", ")").replace("$__interval", "60s");
        let sql = replaced(&sql, "$__timeGroupAlias(", |column| format!("date_bin('60s', {column}, 'epoch') as time"));
        let sql = replaced(&sql, "$__timeFilter(", |column| format!("{column} between '{from}' and '{to}'"));
        let sql = sql.replace("$__timeFrom()", &format!("'{from}'")).replace("$__timeTo()", &format!("'{to}'"));
        assert!(!sql.contains("$__"), "no macro is left: {sql}");
        (text(&panel["title"]), sql)
    });
    panels.collect()
}

/// A statement with a macro of one argument replaced.
fn replaced(sql: &str, name: &str, value: impl Fn(&str) -> String) -> String {
    let mut parts = sql.split(name);
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |sql, part| {
        let (argument, rest) = part.split_once(')').unwrap();
        sql + &value(argument) + rest
    })
}
