use super::*;

#[test]
fn patterns_are_read_and_match() {
    let mac = Mac([0x52, 0x54, 0, 1, 2, 3]);
    for (text, shown, wildcards, matches) in [
        ("52:54:00:01:02:03", "52:54:00:01:02:03", 0, true),
        ("52:54:00:*:*:*", "52:54:00:*:*:*", 3, true),
        ("52-54-*-01-2-3", "52:54:*:01:02:03", 1, true),
        ("*:*:*:*:*:*", "*:*:*:*:*:*", 6, true),
        ("52:54:01:*:*:*", "52:54:01:*:*:*", 3, false),
        ("*:*:*:*:*:04", "*:*:*:*:*:04", 5, false),
    ] {
        let pattern: MacPattern = text.parse().unwrap();
        assert_eq!((pattern.to_string().as_str(), pattern.wildcards()), (shown, wildcards));
        assert_eq!(pattern.matches(mac), matches, "{text}");
        assert_eq!(pattern.mac().is_some(), wildcards == 0, "{text}");
    }
    for text in
        ["", "*", "52:54:*", "52:54:00:*:*:*:*", "52:54:00:**:*:*", "5*:54:00:01:02:03", "52-54:00:*:*:*"]
    {
        assert_eq!(text.parse::<MacPattern>(), Err(NotAPattern), "{text}");
    }
}
