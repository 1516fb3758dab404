use proptest::prelude::*;

use super::*;

const HALF: Weight = Weight(1 << 40);

/// One period from `first` on, in which each link credits these proofs.
fn period(before: &Signals, first: u32, credited: &[(u32, Weight)]) -> Signals {
    (first..first + PERIOD_LINKS)
        .fold(before.clone(), |signals, height| signals.after(Height(height), credited.iter().copied()))
}

#[test]
fn nine_tenths_of_the_weight_lock_a_bit_in() {
    let just = period(&Signals::default(), 1, &[(1 << 5, Weight(9 * HALF.0)), (0, HALF)]);
    let from = Height(PERIOD_LINKS * (1 + GRACE_PERIODS) + 1);
    assert_eq!(just.states(Height(PERIOD_LINKS)).collect::<Vec<_>>(), [(5, State::LockedIn { from })]);
    let short = period(&Signals::default(), 1, &[(1 << 5, Weight(9 * HALF.0 - 1)), (0, HALF)]);
    assert!(short.states(Height(PERIOD_LINKS)).all(|(_, state)| matches!(state, State::Counting { .. })));
}

#[test]
fn it_is_active_after_the_grace_periods_and_stays_so() {
    let mut signals = period(&Signals::default(), 1, &[(1 << 31 | 1, HALF)]);
    let from = PERIOD_LINKS * (1 + GRACE_PERIODS) + 1;
    for period_number in 1..=GRACE_PERIODS {
        assert_eq!(signals.too_old(Height(period_number * PERIOD_LINKS)), None);
        signals = period(&signals, period_number * PERIOD_LINKS + 1, &[(0, HALF)]);
    }
    assert_eq!(signals.too_old(Height(from - 2)), None);
    assert_eq!(signals.too_old(Height(from - 1)), Some(0), "for the link at {from}");
    let later = period(&signals, from, &[(0, HALF)]);
    let active = State::Active { from: Height(from) };
    assert_eq!(later.states(Height(from + PERIOD_LINKS - 1)).collect::<Vec<_>>(), [(0, active), (31, active)]);
}

#[test]
fn a_new_period_counts_anew() {
    let nearly =
        (1..PERIOD_LINKS).fold(Signals::default(), |signals, height| signals.after(Height(height), [(2, HALF)]));
    let missed = nearly.after(Height(PERIOD_LINKS), [(0, Weight(HALF.0 * u128::from(PERIOD_LINKS)))]);
    assert!(missed.locked_in.is_empty());
    let anew = missed.after(Height(PERIOD_LINKS + 1), [(1, HALF)]);
    assert_eq!(
        anew.states(Height(PERIOD_LINKS + 1)).collect::<Vec<_>>(),
        [(0, State::Counting { weight: HALF, of: HALF })]
    );
}

#[test]
fn a_period_without_weight_locks_nothing_in() {
    let nothing = period(&Signals::default(), 1, &[(u32::MAX, Weight::ZERO)]);
    assert!(nothing.locked_in.is_empty());
}

proptest! {
    /// The counts equal those of a map, in any order of proofs.
    #[test]
    fn counts_do_not_depend_on_the_order(
        credited in prop::collection::vec((any::<u32>(), 0_u128..1 << 64), 0..40),
        split in 0_usize..40,
    ) {
        let credited: Vec<_> = credited.into_iter().map(|(bits, weight)| (bits, Weight(weight))).collect();
        let at_once = Signals::default().after(Height(2), credited.iter().copied());
        let (first, second) = credited.split_at(split.min(credited.len()));
        let in_two = Signals::default().after(Height(2), second.iter().copied()).after(Height(3), first.iter().copied());
        prop_assert_eq!(&at_once, &in_two);
        for (bit, state) in at_once.states(Height(2)) {
            let weight = credited.iter().filter(|(bits, _)| bits >> bit & 1 == 1).map(|(_, weight)| weight.0).sum();
            let of = Weight(credited.iter().map(|(_, weight)| weight.0).sum());
            prop_assert_eq!(state, State::Counting { weight: Weight(weight), of });
        }
    }
}
