use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use proptest::prelude::*;

use super::*;
use crate::RuleError;

const SCRIPTS: u32 = 12;

fn params(window_weight: u128, window_proofs: u64) -> ChainParams {
    ChainParams { window_weight: Weight(window_weight), window_proofs, ..ChainParams::main() }
}

/// The window as its rule states it, link by link from the top. This code shares only types with the implementation.
fn naive(links: &[Rows], newest: usize, params: &ChainParams) -> (u32, u64, u128, BTreeMap<u32, (u128, u64)>) {
    let (mut proofs, mut total, mut sums) = (0, 0, BTreeMap::new());
    for height in (0..=newest).rev() {
        for row in links[height].iter() {
            let sum: &mut (u128, u64) = sums.entry(row.script.0).or_default();
            sum.0 += row.weight.0;
            sum.1 += u64::from(row.shares);
            total += row.weight.0;
            proofs += u64::from(row.shares);
        }
        if total >= params.window_weight.0 || proofs >= params.window_proofs {
            return (u32::try_from(height).unwrap(), proofs, total, sums);
        }
    }
    (0, proofs, total, sums)
}

fn parts(window: &Window) -> (u32, u64, u128, BTreeMap<u32, (u128, u64)>) {
    let sums = window.sums().map(|(script, sum)| (script.0, (sum.weight.0, sum.shares))).collect();
    (window.oldest().0, window.proofs(), window.total().0, sums)
}

fn computed(links: &[Rows], newest: usize, params: &ChainParams) -> Window {
    let back = (0..).map(Height).zip(&links[..=newest]).collect::<Vec<_>>();
    Window::compute(back.into_iter().rev(), params).unwrap()
}

/// Weights from zero to the most that one link can credit to one script, 1,026 whole blocks.
fn weight() -> impl Strategy<Value = Weight> {
    prop_oneof![
        4 => (0_u128..=20).prop_map(Weight),
        1 => (0..=1_026 * Weight::ONE_BLOCK.0).prop_map(Weight),
    ]
}

fn link() -> impl Strategy<Value = Rows> {
    let row =
        (0..SCRIPTS, weight(), 1..5_u32).prop_map(|(s, weight, shares)| Row { script: ScriptIndex(s), weight, shares });
    prop::collection::vec(row, 0..8).prop_map(Rows::new)
}

/// Genesis, which has no credits, and the links above it.
fn links() -> impl Strategy<Value = Vec<Rows>> {
    prop::collection::vec(link(), 1..60).prop_map(|mut links| {
        links.insert(0, Rows::default());
        links
    })
}

/// Bounds that end a window after one link, after some, or never: by weight, by rows, or by the one that is reached
/// first.
fn bounds() -> impl Strategy<Value = ChainParams> {
    let weight = prop_oneof![1..300_u128, Just(u128::MAX), Just(3 * Weight::ONE_BLOCK.0), Just(0)];
    let rows = prop_oneof![1..100_u64, Just(u64::MAX)];
    (weight, rows).prop_map(|(weight, rows)| params(weight, rows))
}

fn at<'a>(links: &'a [Rows]) -> impl Fn(Height) -> Option<&'a Rows> {
    |height| links.get(height.0 as usize)
}

proptest! {
    #[test]
    fn sliding_forward_equals_summing_anew(links in links(), params in bounds()) {
        let mut window = computed(&links, 0, &params);
        for newest in 1..links.len() {
            window.slide_forward(&links[newest], at(&links), &params).unwrap();
            prop_assert_eq!(window.newest(), Height(u32::try_from(newest).unwrap()));
            prop_assert_eq!(parts(&window), naive(&links, newest, &params));
            prop_assert_eq!(parts(&computed(&links, newest, &params)), naive(&links, newest, &params));
        }
    }

    #[test]
    fn rows_are_joined_and_ascend(credits in prop::collection::vec((0..SCRIPTS, 0..1_000_u128), 0..40)) {
        let single = |(script, weight): &(u32, u128)| Row { script: ScriptIndex(*script), weight: Weight(*weight), shares: 1 };
        let rows = Rows::new(credits.iter().map(single).collect());
        prop_assert!(rows.iter().is_sorted_by(|a, b| a.script < b.script));
        prop_assert_eq!(rows.weight().0, credits.iter().map(|(_, weight)| weight).sum::<u128>());
        prop_assert_eq!(rows.iter().map(|row| row.shares as usize).sum::<usize>(), credits.len());
    }
}

#[test]
fn one_new_link_pushes_out_many_and_the_one_that_reaches_stays() {
    let rows = |weight: u128| Rows::new(vec![Row { script: ScriptIndex(0), weight: Weight(weight), shares: 1 }]);
    let mut links = vec![Rows::default()];
    links.extend((0..9).map(|_| rows(10)));
    let params = params(90, u64::MAX);
    let mut window = computed(&links, 9, &params);
    assert_eq!((window.oldest(), window.total()), (Height(1), Weight(90)));
    links.push(rows(75));
    window.slide_forward(&links[10], at(&links), &params).unwrap();
    // 75 plus one link of 10 is not enough; two links are: 95.
    assert_eq!((window.oldest(), window.total()), (Height(8), Weight(95)));
}

/// On mainnet, the tip is some 800 links above the snapshot that a node pays by, and 1,100 after a wait for a Bitcoin block,
/// while a window has up to 60,000 links.
#[test]
fn a_window_is_moved_as_far_as_that_saves_work() {
    let row = || Rows::new(vec![Row { script: ScriptIndex(0), weight: Weight(1), shares: 1 }]);
    let links: Vec<_> = std::iter::once(Rows::default()).chain(std::iter::repeat_with(row).take(6_000)).collect();
    let window = computed(&links, 6_000, &params(u128::MAX, u64::MAX));
    assert!(window.reaches(Height(7_100)) && window.reaches(Height(9_000)));
    assert!(!window.reaches(Height(9_001)));
}

#[test]
fn a_window_says_which_rows_it_lacks() {
    let links = [Rows::default(), Rows::default()];
    let params = params(0, u64::MAX);
    let mut window = computed(&links, 0, &params);
    let missing = window.slide_forward(&links[1], |_| None, &params);
    assert_eq!(missing, Err(WindowError::RowsMissing(Height(0))));
}

#[test]
fn scripts_have_one_number_each_until_they_are_forgotten() {
    let script = |n: u8| ScriptBuf::from_bytes(vec![n; usize::from(n)]);
    let mut scripts = Scripts::default();
    assert!(scripts.is_empty());
    let numbers: Vec<_> = (1..=34).map(|n| scripts.intern(&script(n)).unwrap()).collect();
    assert_eq!((scripts.len(), scripts.is_empty()), (34, false));
    assert_eq!(scripts.intern(&script(7)), Ok(numbers[6]));
    assert_eq!(scripts.script(numbers[6]), Some(script(7).as_script()));
    assert_eq!(scripts.intern(&script(35)), Err(RuleError::PayoutScript));

    scripts.retain(|index| index != numbers[6]);
    assert_eq!((scripts.len(), scripts.index(&script(7))), (33, None));
    let reused = scripts.intern(&ScriptBuf::from_bytes(vec![1; 20])).unwrap();
    assert_eq!(reused, numbers[6]);
    assert_eq!(scripts.script(reused), Some(ScriptBuf::from_bytes(vec![1; 20]).as_script()));
    assert_eq!(scripts.len(), 34);
}

#[test]
fn dues_leave_out_who_has_no_weight() {
    let mut scripts = Scripts::default();
    let row = |script, weight| Row { script, weight: Weight(weight), shares: 1 };
    let script = |n: u8| ScriptBuf::from_bytes(vec![n; 22]);
    let [a, b, c] = [1, 2, 3].map(|n| scripts.intern(&script(n)).unwrap());
    let links = [Rows::default(), Rows::new(vec![row(c, 3), row(a, 0), row(b, 5)])];
    let window = computed(&links, 1, &params(1, 1));
    let dues: Vec<_> = window.dues(&scripts).map(|(script, weight)| (script.to_owned(), weight.0)).collect();
    assert_eq!(dues, [(script(2), 5), (script(3), 3)]);
    assert_eq!(window.sum(a), Sum { weight: Weight(0), shares: 1 });
}
