use super::*;

#[test]
fn what_agents_say() {
    for (body, understood) in [
        (r#"{"reason":"reboot"}"#, Some(("reboot", ""))),
        (
            r#"{"reason":"shut\ndown","last_words":"a\tb\nc\u0007\n","more":1}"#,
            Some(("shut\\x0adown", "ab\nc")),
        ),
        (r#"{"reason":""}"#, None),
        (r#"{"reason":" \n"}"#, None),
        (r#"{"last_words":"x"}"#, None),
        (r#"{"reason":7}"#, None),
        ("", None),
    ] {
        let end = LastEnd::parse(body.as_bytes(), None);
        let end = end.as_ref().map(|end| (end.reason.as_str(), end.last_words.as_str()));
        assert_eq!(end, understood, "{body}");
    }
}

#[test]
fn the_end_of_long_words_is_kept() {
    let lines: String = (0..1000).map(|line| format!("line {line}\\n")).collect();
    let body = format!(r#"{{"reason":"{}","last_words":"{lines}"}}"#, "r".repeat(10_000));
    let end = LastEnd::parse(body.as_bytes(), Some(7)).unwrap();
    assert_eq!((end.at_seconds, end.reason.len()), (Some(7), REASON_LETTERS_MAX));
    assert!(end.last_words.ends_with("line 999") && end.last_words.len() <= LAST_WORDS_LETTERS_MAX);
}
