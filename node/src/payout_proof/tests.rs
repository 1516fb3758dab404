use sharechain::ChainParams;

use super::params_of;

#[test]
fn proofs_of_every_public_pool_can_be_verified() {
    for params in ChainParams::all() {
        let (_, known) = params_of(&params.consensus_id()).unwrap();
        assert_eq!(known, params);
    }
    assert_eq!(params_of(&[0; 32]), None);
}
