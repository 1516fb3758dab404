use super::{Pace, SILENCE, application, params, thresholds, topic};
use p2p_proto::Millis;
use p2p_proto::limits::BAN_POINTS;

#[test]
fn libp2p_takes_the_parameters_at_every_pace() {
    params().validate().unwrap();
    thresholds().validate().unwrap();
    for per_s in [0.0, 0.03, 0.99, 1.0, 3.2, 40.0, 100_000.0] {
        let topic = topic(per_s);
        topic.validate().unwrap();
        assert_eq!(topic.mesh_message_deliveries_weight < 0.0, per_s >= 1.0, "silence counts on busy topics only");
        let silence = topic.mesh_message_deliveries_weight * topic.mesh_message_deliveries_threshold.powi(2);
        assert!(per_s < 1.0 || (silence - SILENCE).abs() < 1e-6);
        let mesh = topic.time_in_mesh_weight * topic.time_in_mesh_cap;
        assert!(3.0 * mesh < -SILENCE, "time in the mesh does not make up for silence");
    }
}

/// Two invalid messages end gossip with a peer, and three graylist it, like the points that they cost.
#[test]
fn invalid_messages_weigh_as_their_points() {
    let weight = topic(0.0).invalid_message_deliveries_weight;
    let limits = thresholds();
    assert!(weight < limits.gossip_threshold && 4.0 * weight < limits.publish_threshold);
    assert!(4.0 * weight > limits.graylist_threshold && 9.0 * weight < limits.graylist_threshold);
    assert!(application(BAN_POINTS, None) <= limits.graylist_threshold);
}

#[test]
fn a_household_shares_an_address_for_nothing() {
    for peers in 0..=4 {
        assert!(application(0, Some(peers)).abs() < f64::EPSILON);
    }
    assert!(application(0, Some(5)) < 0.0);
    assert!(application(0, Some(8)) < thresholds().publish_threshold);
    assert!(application(0, None).abs() < f64::EPSILON, "a local network");
}

#[test]
fn the_pace_is_that_of_the_last_half_minute() {
    let mut pace = Pace::default();
    for second in 1..=60_u64 {
        for _ in 0..3 {
            pace.count();
        }
        if let Some(per_s) = pace.due(Millis(second * 1_000)) {
            let expected = if second < 30 { f64::from(second as u32) / 10.0 } else { 3.0 };
            assert!((per_s - expected).abs() < 1e-9, "{per_s} after {second} s");
        }
    }
    assert!((pace.due(Millis(70_000)).unwrap() - 2.0).abs() < 1e-9);
}
