//! Reduces a failing case to a small one. The search is greedy, and its number of tries is bounded.

/// Returns the smallest case that `variants` reaches from `start` and that still `fails`. Each step takes the first
/// smaller variant that fails. The search ends when none does, or after `tries`.
pub fn shrink<T>(start: T, tries: usize, variants: impl Fn(&T) -> Vec<T>, mut fails: impl FnMut(&T) -> bool) -> T {
    let mut smallest = start;
    let mut left = tries;
    'smaller: loop {
        for variant in variants(&smallest) {
            if left == 0 {
                return smallest;
            }
            left -= 1;
            if fails(&variant) {
                smallest = variant;
                continue 'smaller;
            }
        }
        return smallest;
    }
}

#[cfg(test)]
mod tests;
