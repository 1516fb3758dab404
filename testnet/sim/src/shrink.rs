//! From what fails to little that fails: greedy, and bounded in tries.

/// The smallest of what `variants` leads to from `start` and still `fails`. Each step takes the first smaller variant that
/// fails; it ends when none does, or after `tries`.
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
