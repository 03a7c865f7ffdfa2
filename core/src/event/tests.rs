use super::*;

#[test]
fn what_others_write_is_shown_as_what_it_is() {
    for (text, shown) in [
        ("boot/vmlinuz", "boot/vmlinuz"),
        (r"\Boot\BCD", r"\Boot\BCD"),
        ("s1024\u{1}", r"s1024\x01"),
        ("a\nb\u{7f}", r"a\x0ab\x7f"),
        ("\u{1b}[2Jx", r"\x1b[2Jx"),
        ("\u{9b}2J", r"\u{9b}2J"),
        ("gpj.\u{202e}img", r"gpj.\u{202e}img"),
        ("a\u{200b}b", r"a\u{200b}b"),
        ("äö 日本 é e\u{301}", "äö 日本 é e\u{301}"),
    ] {
        assert_eq!(printable(text, 99), shown, "{text:?}");
    }
}

#[test]
fn it_is_no_longer_than_it_may_be() {
    assert_eq!(printable("abcdef", 3), "abc");
    assert_eq!(printable("ab\u{1}", 5), "ab", "no half of a number");
    assert_eq!(printable("ab\u{1}cd", 6), "ab\\x01");
    assert_eq!(printable(&"\u{1}".repeat(999), 120).len(), 120);
}
