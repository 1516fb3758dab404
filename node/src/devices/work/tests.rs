use proptest::prelude::*;

use super::*;

const START: u32 = 1_800_000_000;

/// A device with 1 TH/s whose work comes every 30 s.
fn at(hours: u32) -> (Work, u32) {
    let mut work = Work::default();
    for piece in 0..hours * 120 {
        work.add(30.0 * 1e12 / HASHES, START + 30 * piece);
    }
    (work, START + hours * 3_600)
}

fn all(averages: Averages) -> [Option<f64>; 5] {
    let Averages { minute_hs, ten_minutes_hs, hour_hs, day_hs, week_hs } = averages;
    [minute_hs, ten_minutes_hs, hour_hs, day_hs, week_hs]
}

#[test]
fn averages_follow_the_work_of_their_span_alone() {
    for hours in [1, 30, 200] {
        let (mut work, now) = at(hours);
        for average in all(work.averages(START, now)) {
            assert!((average.unwrap() / 1e12 - 1.0).abs() < 0.01, "{hours} h: {average:?}");
        }
        assert!(work.minutes.work.len() <= MINUTES_KEPT && work.hours.work.len() <= HOURS_KEPT);
        // Two hours of silence.
        let later = now + 7_200;
        let [minute, ten, hour, day, _] = all(work.averages(START, later)).map(Option::unwrap);
        assert_eq!((minute, ten, hour), (0.0, 0.0, 0.0));
        let expected = f64::from(hours.min(22)) / f64::from((hours + 2).min(24));
        assert!((day / 1e12 - expected).abs() < 0.01, "{day} {expected}");
        work.add(0.0, later + 8 * 86_400);
        assert_eq!(all(work.averages(START, later + 8 * 86_400)), [Some(0.0); 5]);
    }
    assert_eq!(all(Work::default().averages(START, START + 59)), [None; 5]);
}

proptest! {
    #[test]
    fn no_sequence_of_times_breaks_the_steps_and_a_restart_changes_little(pieces in prop::collection::vec((any::<u32>(), 0.0f64..1e15), 0..50), now in any::<u32>()) {
        let mut work = Work::default();
        for (time, difficulty) in &pieces {
            work.add(*difficulty, *time);
        }
        prop_assert!(work.minutes.work.len() <= MINUTES_KEPT && work.hours.work.len() <= HOURS_KEPT);
        let kept: Work = serde_json::from_slice(&serde_json::to_vec(&work).unwrap()).unwrap();
        for (before, after) in all(work.averages(0, now)).into_iter().zip(all(kept.averages(0, now))) {
            let (before, after) = (before.unwrap_or(0.0), after.unwrap_or(0.0));
            prop_assert!((before - after).abs() <= before * 0.005, "{before} {after}");
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(newest in any::<u32>(), text in ".{0,40}", now in any::<u32>()) {
        if let Ok(steps) = serde_json::from_value::<Steps>(serde_json::json!([newest, text])) {
            let work = Work { minutes: steps.clone(), hours: steps };
            prop_assert!(all(work.averages(0, now)).into_iter().flatten().all(|average| average >= 0.0));
        }
    }
}
