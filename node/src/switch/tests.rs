use super::*;

fn view(switch: &str, run_percent: Option<u8>) -> PowerView {
    PowerView {
        switch: switch.to_owned(),
        run_percent,
        workers: Vec::new(),
        until_unix_s: None,
        schedule: Vec::new(),
        time_zone: "Europe/Berlin".to_owned(),
        resting: 0,
    }
}

#[test]
fn a_part_of_the_time_is_a_percentage() {
    assert_eq!(["1", "50%", "99%"].map(percent), [Ok(1), Ok(50), Ok(99)]);
    for wrong in ["", "%", "0", "100%", "-1", "1.5%", "50%%", "half", "256"] {
        percent(wrong).unwrap_err();
    }
}

#[test]
fn each_command_asks_for_what_it_says() {
    let query = |change: Change| {
        let (method, pairs) = change.request();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{method} {}", pairs.join("&"))
    };
    let who = |workers: Option<&str>, for_s| Who { workers: workers.map(str::to_owned), for_s };
    assert_eq!(query(Change::Off(who(None, None))), "POST what=pause");
    assert_eq!(query(Change::Off(who(Some("rig1,rig2"), Some(60)))), "POST what=pause&workers=rig1,rig2&for_s=60");
    assert_eq!(query(Change::Cap { part: 50, who: who(None, Some(60)) }), "POST what=pause&run_percent=50&for_s=60");
    assert_eq!(query(Change::On { for_s: None }), "POST what=run");
    assert_eq!(query(Change::On { for_s: Some(3_600) }), "POST what=run&for_s=3600");
    assert_eq!(query(Change::Schedule), "DELETE ");
}

#[test]
fn the_switch_is_told_in_words() {
    let now = 1_800_000_000;
    let first = |view: &PowerView| in_words(view, now).lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        in_words(&view("schedule", None), now),
        "switch    follows the schedule\nschedule  none\nresting   0 devices\n"
    );
    assert_eq!(first(&view("run", None)), "switch    on: all devices, regardless of the schedule");
    let ends = PowerView { until_unix_s: Some(now + 7_500), ..view("pause", Some(0)) };
    assert_eq!(first(&ends), "switch    off: all devices, for another 2 h 5 min");
    let some = PowerView {
        workers: vec!["rig1".to_owned(), "rig\u{1b}2".to_owned()],
        schedule: vec!["18:00-08:00".to_owned()],
        resting: 1_234,
        ..view("pause", Some(50))
    };
    assert_eq!(
        in_words(&some, now),
        "switch    cap: rig1, rig\u{fffd}2 run 50% of the time\nschedule  off 18:00-08:00 (Europe/Berlin)\nresting   1,234 devices\n"
    );
}
