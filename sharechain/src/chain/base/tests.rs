use bitcoin::ScriptBuf;
use proptest::prelude::*;

use super::*;

fn script(number: u8) -> ScriptBuf {
    ScriptBuf::from_bytes(vec![number; 1 + usize::from(number % 3)])
}

proptest! {
    /// In any order, and independently of the previous chunks.
    #[test]
    fn scripts_of_chunks_are_numbered_as_one_by_one(chunks in prop::collection::vec(prop::collection::vec(0_u8..24, 0..20), 1..5)) {
        let (mut all, mut naive) = (Scripts::default(), Scripts::default());
        let mut before = Vec::new();
        for (ascends, mut numbers) in [true, true, false].into_iter().cycle().zip(chunks) {
            if ascends {
                numbers.sort_unstable_by_key(|number| script(*number));
            }
            let chunk: Vec<_> = numbers.into_iter().map(script).collect();
            let borrowed: Vec<_> = chunk.iter().map(ScriptBuf::as_script).collect();
            before = numbers_of(&borrowed, &before, &mut all).unwrap();
            let expected: Vec<_> = chunk.iter().map(|script| naive.intern(script).unwrap()).collect();
            prop_assert_eq!(&before, &expected);
        }
    }
}
