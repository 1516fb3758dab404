use proptest::prelude::*;

use super::*;

const BIT: u32 = 1 << 5;

/// Another period after the link at `height`. Its last `links` links set [`BIT`].
fn period(before: &Signals, height: u32, links: u32) -> Signals {
    let sets = |number: u32| if number >= PERIOD_LINKS - links { BIT } else { 0 };
    (0..PERIOD_LINKS).fold(before.clone(), |signals, number| signals.after(Height(height + 1 + number), sets(number)))
}

/// State of [`BIT`] after each of these periods, from genesis on.
fn states_after(periods: &[u32]) -> Vec<Option<State>> {
    let mut signals = Signals::default();
    let mut height = 0;
    let state_after = |links: &u32| {
        signals = period(&signals, height, *links);
        height += PERIOD_LINKS;
        signals.states(Height(height)).next().map(|(bit, state)| {
            assert_eq!(bit, 5);
            state
        })
    };
    periods.iter().map(state_after).collect()
}

fn locked_in(state: &Option<State>) -> bool {
    matches!(state, Some(State::LockedIn { .. }))
}

fn active(state: &Option<State>) -> bool {
    matches!(state, Some(State::Active { .. }))
}

#[test]
fn twelve_periods_of_nine_tenths_lock_a_bit_in() {
    // 11 x 1,814 + 1,819 is one link above nine tenths.
    let just = [vec![1_814; 11], vec![1_819]].concat();
    let states = states_after(&just);
    assert!(states[..11].iter().all(|state| matches!(state, Some(State::Counting { .. }))));
    assert_eq!(states[11], Some(State::LockedIn { since: Height(12 * PERIOD_LINKS), good_periods: 0 }));
    let short = [vec![1_814; 11], vec![1_818]].concat();
    assert!(!locked_in(&states_after(&short)[11]));
}

#[test]
fn a_burst_in_one_period_forces_nothing() {
    let states = states_after(&[2_016, 2_016, 2_016, 0, 0, 0]);
    assert!(states.iter().all(|state| !locked_in(state)));
    assert_eq!(states[3], None, "and leaves nothing behind");
}

#[test]
fn a_short_burst_against_it_delays_by_twelve_periods_at_most() {
    // One link more than half of a period's links do not set the bit.
    let periods = [vec![2_016; 11], vec![1_007], vec![2_016; 12]].concat();
    let states = states_after(&periods);
    assert!(states[..23].iter().all(|state| !locked_in(state)));
    assert!(locked_in(&states[23]));
}

#[test]
fn a_tenth_against_it_cannot_block_for_good() {
    let states = states_after(&[1_512; 240]);
    assert!(!locked_in(&states[118]) && locked_in(&states[119]));
    assert!(!active(&states[238]) && active(&states[239]));
    assert!(states_after(&[[1_512; 119].as_slice(), &[1_511]].concat()).iter().all(|state| !locked_in(state)));
    // The other periods outweigh bursts against the bit, unless a burst takes half of a period.
    let burst = [1_700, 1_700, 1_700, 1_700, 1_008].repeat(24);
    assert!(locked_in(&states_after(&burst)[119]));
}

#[test]
fn it_takes_the_same_again_to_become_active() {
    let states = states_after(&[2_016; 25]);
    assert!(locked_in(&states[11]) && locked_in(&states[22]));
    assert_eq!(states[23], Some(State::Active { from: Height(24 * PERIOD_LINKS + 1) }));
    assert_eq!(states[24], states[23], "permanently");
}

#[test]
fn a_lock_in_lapses_and_may_begin_again() {
    let periods = [vec![2_016; 20], vec![1_007], vec![2_016; 24], vec![0]].concat();
    let states = states_after(&periods);
    assert!(locked_in(&states[19]));
    assert_eq!(states[20], Some(State::Counting { links: 1_007, of: PERIOD_LINKS, good_periods: 0 }));
    assert!(locked_in(&states[32]) && active(&states[44]) && active(&states[45]));
}

#[test]
fn a_run_of_65535_periods_grows_no_further() {
    // Too few links for either way to carry a bit.
    let after = |before: Progress| before.after_period(Height(1), 1_511).unwrap();
    let mut run = Progress::new(5, Stage::Counting);
    for periods in 1..=u16::MAX {
        run = after(run);
        assert_eq!((run.good, run.sum), (periods, 1_511 * u32::from(periods)));
    }
    let longer = run.after_period(Height(1), 2_016).unwrap();
    assert_eq!((longer.good, longer.sum), (run.good, run.sum));
    assert_eq!(longer.counts.last(), Some(&2_016), "its last periods count on");
    let carried = (1..CARRYING_PERIODS).fold(longer, |run, _| run.after_period(Height(1), 2_016).unwrap());
    assert_eq!(carried.stage, Stage::LockedIn(Height(1)));
}

#[test]
fn a_program_that_does_not_know_an_active_bit_is_too_old() {
    let mut signals = Signals::default();
    for number in 0..24 {
        assert_eq!(signals.too_old(), None);
        signals = period(&signals, number * PERIOD_LINKS, PERIOD_LINKS);
    }
    assert_eq!(signals.too_old(), Some(5));
    assert_eq!(period(&signals, 24 * PERIOD_LINKS, 0).too_old(), Some(5));
}

proptest! {
    /// The counts of a period are those of a plain sum, for every bit.
    #[test]
    fn counts_are_plain_sums(headers in prop::collection::vec(any::<u32>(), 1..40), first in 1_u32..PERIOD_LINKS - 40) {
        let after = |signals: Signals, (number, bits): (usize, &u32)| signals.after(Height(first + number as u32), *bits);
        let signals = headers.iter().enumerate().fold(Signals::default(), after);
        let last = Height(first + headers.len() as u32 - 1);
        for (bit, state) in signals.states(last) {
            let links = headers.iter().filter(|bits| *bits >> bit & 1 == 1).count() as u32;
            prop_assert_eq!(state, State::Counting { links, of: last.0, good_periods: 0 });
        }
    }

    /// A second, slow implementation of SC-602 that looks back over all periods.
    #[test]
    fn states_equal_those_of_a_second_reading(periods in prop::collection::vec(prop_oneof![
        8 => 1_800_u32..=2_016, 3 => 1_008_u32..=1_830, 1 => 0_u32..=1_010,
    ], 1..60)) {
        let mut since = 0;
        let mut stage = 0;
        for (number, state) in states_after(&periods).iter().enumerate() {
            let counts = &periods[since..=number];
            let good = counts.iter().rev().take_while(|links| **links >= 1_008).count();
            let sum: u32 = counts.iter().rev().take(good).sum();
            let last_12: u32 = counts.iter().rev().take(12).sum();
            if stage < 2 {
                if good >= 120 && sum >= 1_512 * good as u32 || good >= 12 && last_12 * 10 >= 9 * 12 * 2_016 {
                    (stage, since) = (stage + 1, number + 1);
                } else if stage == 1 && good == 0 {
                    (stage, since) = (0, number + 1);
                }
            }
            let found = if active(state) { 2 } else { i32::from(locked_in(state)) };
            prop_assert_eq!(found, stage, "after period {}", number);
        }
    }
}

#[test]
fn each_state_of_the_bits_has_one_encoding() {
    let encoded = |signals: &Signals| {
        let mut bytes = Vec::new();
        signals.encode_into(&mut bytes);
        bytes
    };
    let read = |bytes: &[u8]| {
        let mut reader = Reader(bytes);
        Signals::read(&mut reader).and_then(|signals| reader.end().map(|()| signals))
    };
    let signals = (1..=9).fold(Signals::default(), |signals, height| signals.after(Height(height), 0b101));
    let whole = encoded(&signals);
    assert_eq!(read(&whole), Ok(signals));
    let (first, second) = whole[1..].split_at((whole.len() - 1) / 2);
    let with = |bits: &[&[u8]]| [&[bits.len() as u8], bits.concat().as_slice()].concat();
    assert_eq!(with(&[first, second]), whole);
    let mut counting_since = first.to_vec();
    counting_since[2] = 1;
    let mut unknown_state = first.to_vec();
    unknown_state[1] = 3;
    let mut says_nothing = first.to_vec();
    says_nothing[first.len() - 2] = 0;
    let wrong: [&[&[u8]]; 6] = [
        &[second, first],
        &[first, first],
        &[&counting_since, second],
        &[&unknown_state, second],
        &[&says_nothing, second],
        &[&[&[32], &first[1..]].concat(), second],
    ];
    for bits in wrong {
        assert_eq!(read(&with(bits)), Err(RuleError::Overflow), "{bits:?}");
    }
}
