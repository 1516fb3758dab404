use super::shrink;

/// Returns the numbers with one digit removed.
fn without_a_digit(number: &u64) -> Vec<u64> {
    let text = number.to_string();
    let less = (0..text.len()).map(|at| [&text[..at], &text[at + 1..]].concat());
    less.filter_map(|text| text.parse().ok()).collect()
}

#[test]
fn what_is_not_needed_goes() {
    let fails = |number: &u64| number.to_string().contains('7') && number.to_string().contains('3');
    assert_eq!(shrink(917_253_081, 100, without_a_digit, fails), 73);
}

#[test]
fn tries_are_bounded() {
    let mut tried = 0;
    let smallest = shrink(917_253_081, 3, without_a_digit, |_| {
        tried += 1;
        true
    });
    assert_eq!((tried, smallest), (3, 253_081));
}
