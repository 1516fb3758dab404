use super::*;

#[test]
fn times_are_those_of_rfc_3339() {
    // Dates in the format of `date -u -d @N +%FT%TZ`.
    for (unix_s, written) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_709_251_199, "2024-02-29T23:59:59Z"),
        (1_800_000_000, "2027-01-15T08:00:00Z"),
        (u32::MAX, "2106-02-07T06:28:15Z"),
    ] {
        assert_eq!(time(unix_s), written);
    }
}

#[test]
fn a_host_cannot_write_into_the_feed() {
    let text = atom(&escaped("http://a\"/><script>&"), "local", &[]);
    assert!(text.contains("href=\"http://a&quot;/>&lt;script>&amp;/blocks\""), "{text}");
}
