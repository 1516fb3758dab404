use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Power, Rest, Switch, is_named};
use crate::config::{Config, PowerConfig};

/// Monday 2026-06-01 00:00 UTC.
const MONDAY: u32 = 1_780_272_000;
const HOUR: u32 = 3_600;

fn power(text: &str) -> Power {
    let config = Config::of_text(&format!("[power]\n{text}"), &PathBuf::from("shoal.toml")).unwrap();
    Power::load(config.power, &PathBuf::from("/nonexistent"))
}

/// The end of the pause that holds this many hours after Monday's midnight.
fn end(power: &Power, user: &str, hour: u32) -> Option<u32> {
    let at = MONDAY + hour * HOUR;
    let rest = power.rest(user, at);
    assert!(rest.is_none() || power.may_rest(at));
    rest.map(|rest| (rest.until.unwrap() - MONDAY) / HOUR)
}

#[test]
fn a_schedule_pauses_by_the_time_of_day_over_midnight_and_by_the_day() {
    let night = power("pause = [\"18:00-08:00\"]\ntime_zone = \"+00:00\"\n");
    for (hour, expected) in [(7, Some(8)), (8, None), (17, None), (18, Some(32)), (31, Some(32)), (32, None)] {
        assert_eq!(end(&night, "a.rig1", hour), expected, "hour {hour}");
    }
    assert_eq!(end(&night, "a.rig1", 0), Some(8), "it began on Sunday");
    let week = power("pause = [\"22:00-06:00 fri-sat\", \"00:00-00:00 mon workers=rig1\"]\ntime_zone = \"+02:00\"\n");
    // In this zone, Monday begins at 22:00 UTC on Sunday, and ends at 22:00 UTC on Monday.
    assert_eq!(end(&week, "a.rig1", 1), Some(22));
    assert_eq!(end(&week, "a.rig2", 1), None);
    assert_eq!(end(&week, "a.rig1", 23), None);
    // Friday, 22:00 in the zone.
    let friday = 4 * 24 + 20;
    assert_eq!((end(&week, "a.rig2", friday - 1), end(&week, "a.rig2", friday)), (None, Some(friday + 8)));
    assert_eq!(end(&week, "a.rig2", friday + 30), Some(friday + 32), "Saturday's night ends on Sunday");
}

/// On 2026-03-29 at 01:00 UTC, clocks in Berlin go from 2:00 to 3:00. On 2026-10-25 at 01:00 UTC, they go back.
#[test]
fn a_change_of_the_clocks_changes_the_length_of_a_night() {
    let night = power("pause = [\"22:00-08:00\"]\ntime_zone = \"Europe/Berlin\"\n");
    let (spring, autumn) = (1_774_746_000, 1_792_890_000);
    for (change, before, after) in [(spring, 4 * HOUR, 5 * HOUR), (autumn, 5 * HOUR, 6 * HOUR)] {
        let begin = change - before;
        assert_eq!(night.rest("a", begin - 1), None);
        assert_eq!(night.rest("a", begin), Some(Rest { until: Some(change + after) }));
        assert_eq!(night.rest("a", change + after), None);
    }
}

#[test]
fn a_cap_runs_each_device_for_its_part_and_not_all_at_once() {
    let half = power("pause = [\"00:00-00:00 run=25%\"]\n");
    let names: Vec<_> = (0..40).map(|number| format!("a.rig{number}")).collect();
    let (mut fewest, mut most) = (usize::MAX, 0);
    let mut ran = vec![0; names.len()];
    for minute in 0..23 * 60 {
        let mut running = 0;
        for (name, ran) in names.iter().zip(&mut ran) {
            let now = MONDAY + minute * 60;
            match half.rest(name, now) {
                None => {
                    running += 1;
                    *ran += 1;
                }
                // The pause lasts as long as the owner asked.
                Some(rest) => assert!(rest.until.unwrap() > now && half.rest(name, rest.until.unwrap()).is_none()),
            }
        }
        (fewest, most) = (fewest.min(running), most.max(running));
    }
    assert!(ran.iter().all(|minutes| (320..=370).contains(minutes)), "a quarter of the time each: {ran:?}");
    assert!(fewest >= 2 && most <= 22, "{fewest} to {most} of 40 at once");
}

#[test]
fn the_switch_goes_before_the_schedule_and_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[power]\npause = [\"18:00-08:00\"]\ntime_zone = \"+00:00\"\n";
    let config = Config::of_text(text, &PathBuf::from("shoal.toml")).unwrap().power;
    let power = Power::load(config.clone(), folder.path());
    let noon = MONDAY + 12 * HOUR;
    assert_eq!(power.rest("a.rig1", noon), None);
    assert!(!power.may_rest(noon));
    power.set("pause workers=rig1,rig2 until=1780318800".parse().unwrap()).unwrap();
    assert_eq!(power.rest("a.rig1", noon), Some(Rest { until: Some(noon + HOUR) }));
    assert_eq!((power.rest("a.rig3", noon), power.rest("a.rig1", noon + HOUR)), (None, None));
    // Another run reads the same file.
    let again = Power::load(config.clone(), folder.path());
    assert_eq!(again.switch(noon), power.switch(noon));
    // A script writes it.
    std::fs::write(folder.path().join("power"), "run\n").unwrap();
    again.reload();
    assert_eq!(again.rest("a.rig1", MONDAY), None, "the schedule does not hold");
    std::fs::write(folder.path().join("power"), "off\n").unwrap();
    again.reload();
    assert_eq!(again.switch(noon), Switch::Run { until: None }, "nonsense changes nothing");
    std::fs::remove_file(folder.path().join("power")).unwrap();
    again.reload();
    assert_eq!(again.switch(noon), Switch::Schedule);
    again.set("pause".parse().unwrap()).unwrap();
    assert_eq!(again.rest("x", noon), Some(Rest { until: None }));
    assert!(again.words(Rest { until: None }).ends_with("pauses this device"));
    assert!(again.words(Rest { until: Some(noon) }).contains("2026-06-01 12:00"));
    again.set(Switch::Schedule).unwrap();
    assert!(!folder.path().join("power").exists());
}

/// Opening a pipe waits for its writer, so the node did not start, or did not stop.
#[test]
fn what_is_no_file_in_place_of_the_switch_holds_nothing_up_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("power");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (loaded, is_loaded) = mpsc::channel();
    let data = folder.path().to_owned();
    thread::spawn(move || loaded.send(Power::load(PowerConfig::default(), &data)));
    let power = is_loaded.recv_timeout(Duration::from_secs(20)).expect("it does not wait for a writer");
    assert_eq!(power.switch(MONDAY), Switch::Schedule);
    std::fs::remove_file(&path).unwrap();
    // If a list of names were cut at the bound, it would end with a part of a name.
    std::fs::write(&path, format!("pause workers={}\n", "rig,".repeat(5_000))).unwrap();
    power.reload();
    assert_eq!(power.switch(MONDAY), Switch::Schedule);
}

#[test]
fn a_switch_that_is_still_written_pauses_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let power = Power::load(PowerConfig::default(), folder.path());
    let write = |text: &str| std::fs::write(folder.path().join("power"), text).unwrap();
    for text in ["", "pause", "pause workers=rig1"] {
        write(text);
        power.reload();
        assert_eq!(power.rest("a.rig2", MONDAY), None, "{text:?}");
    }
    write("pause workers=rig1\n");
    power.reload();
    assert_eq!((power.rest("a.rig1", MONDAY), power.rest("a.rig2", MONDAY)), (Some(Rest { until: None }), None));
    // Without an end of line, the text counts once it stays the same.
    write("pause");
    power.reload();
    assert_eq!(power.rest("a.rig2", MONDAY), None);
    power.reload();
    assert_eq!(power.rest("a.rig2", MONDAY), Some(Rest { until: None }));
}

#[test]
fn a_switch_reads_what_it_writes_and_nothing_else() {
    for text in ["", "run", "run until=7", "pause", "pause run=50% workers=a,b until=1800000000", "pause workers=x"] {
        assert_eq!(text.parse::<Switch>().unwrap().to_string(), text);
    }
    for text in
        ["off", "pause now", "pause run=100", "run workers=a", "pause workers=", "pause until=x", "pause run=5 run=5"]
    {
        text.parse::<Switch>().unwrap_err();
    }
    for (user, worker, named) in [
        ("addr.rig1", "rig1", true),
        ("addr.rig1", "addr.rig1", true),
        ("addr.rig11", "rig1", false),
        ("addr.xrig1", "rig1", false),
    ] {
        assert_eq!(is_named(user, worker), named, "{user} {worker}");
    }
}

#[test]
fn wrong_pauses_are_refused_with_what_to_write() {
    for wrong in [
        "18:00",
        "18:00-25:00",
        "18-20",
        "18:00-08:00 funday",
        "18:00-08:00 run=100%",
        "18:00-08:00 mon tue",
        "18:00-08:00 workers=",
    ] {
        let text = format!("[power]\npause = [\"{wrong}\"]\n");
        let error = Config::of_text(&text, &PathBuf::from("shoal.toml")).unwrap_err().to_string();
        assert!(error.contains("power.pause") && error.contains("like \"18:00-08:00\""), "{error}");
    }
    for zone in ["Nowhere/Town", "+25:00", "2"] {
        let text = format!("[power]\npause = [\"18:00-08:00\"]\ntime_zone = \"{zone}\"\n");
        let error = Config::of_text(&text, &PathBuf::from("shoal.toml")).unwrap_err().to_string();
        assert!(error.contains("power.time_zone") && error.contains("tzdata"), "{error}");
    }
    let config =
        Config::of_text("[power]\npause = [\"18:00-08:00 sat-mon run=50 workers=a,b\"]\n", &PathBuf::from("x"))
            .unwrap();
    assert_eq!(config.power.pauses[0].to_string(), "18:00-08:00 mon,sat,sun run=50% workers=a,b");
}
