use std::collections::BTreeSet;

use super::*;

/// A value other than the given one.
trait Other {
    fn other(self) -> Self;
}

macro_rules! others {
    ($($type:ty),*) => {$(
        impl Other for $type {
            fn other(self) -> Self {
                !self
            }
        }
    )*};
}

others!(u32, u64, usize, U256);

impl Other for Weight {
    fn other(self) -> Self {
        Self(!self.0)
    }
}

macro_rules! with_one_other {
    (
        bitcoin { $($(#[$bitcoin_doc:meta])* $bitcoin:ident: $bitcoin_type:ty = $bitcoin_main:expr,)* }
        chain { $($(#[$chain_doc:meta])* $chain:ident: $chain_type:ty = $chain_main:expr,)* }
    ) => {
        /// Copies of mainnet's constants with one constant changed, by the name of that constant.
        fn with_one_other() -> Vec<(&'static str, ChainParams)> {
            let main = ChainParams::main();
            let mut all = Vec::new();
            $(
                let bitcoin = BitcoinParams { $bitcoin: main.bitcoin.$bitcoin.other(), ..main.bitcoin.clone() };
                all.push((stringify!($bitcoin), ChainParams { bitcoin, ..main.clone() }));
            )*
            $(all.push((stringify!($chain), ChainParams { $chain: main.$chain.other(), ..main.clone() }));)*
            all
        }
    };
}

for_each_parameter!(with_one_other);

#[test]
fn every_constant_changes_the_consensus_id() {
    let main = ChainParams::main();
    let bitcoin = |bitcoin| ChainParams { bitcoin, ..main.clone() };
    let mut all = with_one_other();
    all.push(("none", main.clone()));
    all.push(("name", ChainParams { name: "other", ..main.clone() }));
    all.push(("pool", ChainParams { pool: "main".parse().unwrap(), ..main.clone() }));
    // The end of one name is not the start of the other.
    all.push(("both names", ChainParams { name: "mai", pool: "n".parse().unwrap(), ..main.clone() }));
    all.push(("genesis", bitcoin(BitcoinParams { other_genesis: Some([1; 32]), ..main.bitcoin.clone() })));
    all.push(("challenge", bitcoin(BitcoinParams { signet_challenge: &[0x51], ..main.bitcoin.clone() })));
    let ids: BTreeSet<[u8; 32]> = all.iter().map(|(_, params)| params.consensus_id()).collect();
    assert_eq!(ids.len(), all.len());
}

/// Protocol §3 lists the same constants in the same order.
#[test]
fn the_specification_lists_the_constants_in_the_order_of_the_consensus_id() {
    let specification = include_str!("../../../specs/protocol.md");
    let section = specification.split("\n## ").find(|section| section.starts_with("3. ")).unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let listed: Vec<&str> = rows.filter(|name| !["name", "pool", "signet_challenge"].contains(name)).collect();
    let constants: Vec<&str> = with_one_other().into_iter().map(|(name, _)| name).collect();
    assert_eq!(listed, constants);
}

#[test]
fn networks_have_distinct_names_and_ids_and_their_coinbases_have_room() {
    let all = ChainParams::all();
    let names: BTreeSet<&str> = all.iter().map(|params| params.name).collect();
    let ids: BTreeSet<[u8; 32]> = all.iter().map(ChainParams::consensus_id).collect();
    assert_eq!((names.len(), ids.len()), (all.len(), all.len()));
    for ChainParams { name, outputs_max, prefix_bytes_max, .. } in all {
        // Every output P2TR, a height of five bytes, null data of 83 bytes, and a witness commitment.
        let longest = 218 + 43 * u32::try_from(outputs_max).unwrap();
        assert!(longest <= prefix_bytes_max && prefix_bytes_max <= crate::limits::PREFIX_BYTES_MAX, "{name}");
    }
}

#[test]
fn names_of_pools_are_short_and_plain() {
    let longest = "a".repeat(32);
    for name in ["a", "z", "0", "9", "-", "my-pool-2", &longest] {
        assert_eq!(name.parse::<PoolName>().unwrap().as_str(), name);
    }
    let too_long = "a".repeat(33);
    for name in ["", "A", "my pool", "my_pool", "p\u{f6}ol", "a\0", "`", "{", ",", ".", "/", ":", &too_long] {
        assert_eq!(name.parse::<PoolName>(), Err(PoolNameError), "{name:?}");
    }
    assert!(PoolName::PUBLIC.is_public() && PoolName::PUBLIC.as_str().is_empty());
}
