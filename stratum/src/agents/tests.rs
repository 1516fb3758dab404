use super::{CoinbaseLimit, known};

#[test]
fn programs_are_known_by_their_user_agents() {
    for (user_agent, bytes) in [
        ("NiceHash/1.0.0", Some(500)),
        ("NerdMinerV2/1.7", Some(255)),
        ("Antminer S21/49.0.1.3", Some(2_250)),
        ("Antminer S19 Pro/1.0", Some(755)),
        ("bmminer/2.0.0 rwglr", Some(755)),
        ("bosminer-plus-tuner 0.2.0-36c56a93", Some(2_250)),
        ("cgminer/4.9 bosminer-plus-tuner 0.1", Some(2_250)),
        (" whatsminer/v1.1 ", Some(6_500)),
        ("bitaxe/BM1370/v2.5", Some(6_500)),
        ("NerdQAxe++/BM1370/v1", Some(6_500)),
        ("xminer-1.2.6", Some(16_000)),
        ("PowerPlay-BM/2.1", Some(16_000)),
        ("cgminer/4.12.1", None),
        ("my-bitaxe-clone", None),
        ("", None),
    ] {
        assert_eq!(known(user_agent, &[]).coinbase_bytes_max, bytes, "{user_agent}");
    }
    assert!(known("BMMINER/2", &[]).reads_messages && !known("bitaxe", &[]).reads_messages);
}

#[test]
fn the_operator_knows_better() {
    let limit = |agent: &str, bytes| CoinbaseLimit { agent: agent.to_owned(), bytes };
    let limits = [limit("Antminer S19", Some(3_000)), limit("antminer", None), limit("mine", Some(90))];
    for (user_agent, bytes) in [
        ("Antminer S19 Pro/1.0", Some(3_000)),
        ("antminer s21/1", None),
        ("mine/7", Some(90)),
        ("nerdminer/1", Some(255)),
    ] {
        assert_eq!(known(user_agent, &limits).coinbase_bytes_max, bytes, "{user_agent}");
    }
    assert!(known("nicehash", &[limit("", None)]).difficulty_min > 0.0, "only the coinbase is the operator's");
}
