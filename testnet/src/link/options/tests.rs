use super::*;

#[test]
fn quantities_have_units() {
    assert_eq!(parse_latency("150ms"), Ok(Duration::from_millis(150)));
    assert_eq!(parse_latency("1.5s"), Ok(Duration::from_millis(1_500)));
    assert_eq!(parse_latency_of("b=1s"), Ok(("B".to_owned(), Duration::from_secs(1))));
    assert_eq!(parse_loss("1%"), Ok(Loss(10_000)));
    assert_eq!(parse_loss("0.5%"), Ok(Loss(5_000)));
    assert_eq!(parse_rate("10mbit"), Ok(Rate(1_250_000)));
    assert_eq!(parse_rate("512Kbit"), Ok(Rate(64_000)));
}

#[test]
fn what_is_no_quantity_is_refused_with_an_example() {
    for wrong in ["", "150", "ms", "-1s", "1 s", "infs", "nans", "1.2.3s", "1m"] {
        assert_eq!(parse_latency(wrong), Err(OptionError::Time), "{wrong}");
    }
    assert_eq!(parse_latency("11s"), Err(OptionError::LongTime));
    for wrong in ["", "=1s", "B", "B:1s"] {
        assert_eq!(parse_latency_of(wrong), Err(OptionError::LatencyOf), "{wrong}");
    }
    for wrong in ["", "1", "0.01", "-1%", "%"] {
        assert_eq!(parse_loss(wrong), Err(OptionError::Loss), "{wrong}");
    }
    assert_eq!(parse_loss("51%"), Err(OptionError::HighLoss));
    for wrong in ["", "10", "10mb", "10 mbit", "mbit", "10mbps"] {
        assert_eq!(parse_rate(wrong), Err(OptionError::Rate), "{wrong}");
    }
    for wrong in ["1kbit", "0mbit", "11gbit"] {
        assert_eq!(parse_rate(wrong), Err(OptionError::RateRange), "{wrong}");
    }
    assert_eq!(
        OptionError::Rate.to_string(),
        "expected bits per second with their unit, such as 10mbit, 500kbit or 1gbit"
    );
}
