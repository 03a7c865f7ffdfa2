use super::*;

#[test]
fn sizes() {
    let cases = [
        ("4096", Some(4096)),
        ("256MiB", Some(256 << 20)),
        ("1GiB", Some(1 << 30)),
        ("1.5GiB", Some(3 << 29)),
        ("1GB", Some(1_000_000_000)),
        (" 2 TiB ", Some(2 << 40)),
        ("", None),
        ("GiB", None),
        ("1gib", None),
        ("-1GiB", None),
        ("1.GiB", Some(1 << 30)),
        ("1.2345GiB", None),
        ("1..2GiB", None),
        ("99999999999999999999", None),
        ("18446744073709551615KiB", None),
    ];
    for (text, expected) in cases {
        assert_eq!(bytes(text), expected, "{text:?}");
    }
}

#[test]
fn rates_and_times() {
    assert_eq!(bits_per_second("2.5Gbit"), Some(2_500_000_000));
    assert_eq!(bits_per_second("100Mbit"), Some(100_000_000));
    assert_eq!(bits_per_second("1GiB"), None);
    assert_eq!(duration("60s"), Some(Duration::from_secs(60)));
    assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
    assert_eq!(duration("2h"), Some(Duration::from_secs(7200)));
    assert_eq!(duration("60"), None, "a bare number has no unit");
}

#[test]
fn what_people_read() {
    assert_eq!(show_bytes(512), "512 bytes");
    assert_eq!(show_bytes(512 << 20), "512.0 MiB");
    assert_eq!(show_rate(2_500_000_000), "2.5 Gbit/s");
    assert_eq!(show_rate(100_000_000), "100 Mbit/s");
}
