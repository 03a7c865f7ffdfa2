use super::*;

#[test]
fn names_and_numbers() {
    let table: &[(&str, u32, &str)] = &[
        ("node{}", 0, "node0"),
        ("node{}", 23, "node23"),
        ("node{}", u32::MAX, "node4294967295"),
        ("n{:04}", 23, "n0023"),
        ("n{:04}", 9999, "n9999"),
        ("n{:04}", 12345, "n12345"),
        ("rack-{:02}-blade", 7, "rack-07-blade"),
        ("{}", 5, "5"),
        ("n{:010}", 1, "n0000000001"),
    ];
    for (pattern, number, name) in table {
        let pattern = Pattern::parse(pattern).unwrap();
        assert_eq!(pattern.name(*number), *name, "{pattern}");
        assert_eq!(pattern.number(name), Some(*number), "{pattern}");
        // RFC 4343 2: names are compared without regard to case.
        assert_eq!(pattern.number(&name.to_uppercase()), Some(*number), "{pattern}");
    }
}

#[test]
fn texts_that_are_no_name() {
    let table: &[(&str, &str)] = &[
        ("node{}", ""),
        ("node{}", "node"),
        ("node{}", "node023"),
        ("node{}", "node-1"),
        ("node{}", "node+1"),
        ("node{}", "node4294967296"),
        ("node{}", "node99999999999999999999"),
        ("node{}", "node1x"),
        ("node{}", "xnode1"),
        ("node{}", "node1-ib"),
        ("node{}", "node\u{0661}"),
        ("n{:04}", "n23"),
        ("n{:04}", "n00023"),
        ("n{:04}", "n012345"),
        ("a{}a", "a"),
    ];
    for (pattern, name) in table {
        assert_eq!(Pattern::parse(pattern).unwrap().number(name), None, "{pattern} {name}");
    }
}

#[test]
fn texts_that_are_no_pattern() {
    let long = "n".repeat(54) + "{}";
    let table: &[(&str, PatternError)] = &[
        ("", PatternError::Placeholder),
        ("node", PatternError::Placeholder),
        ("node{", PatternError::Placeholder),
        ("node}", PatternError::Placeholder),
        ("}node{", PatternError::Placeholder),
        ("node{}{}", PatternError::Placeholder),
        ("node{4}", PatternError::Placeholder),
        ("node{:4}", PatternError::Placeholder),
        ("node{:0x}", PatternError::Placeholder),
        ("node{:0+4}", PatternError::Placeholder),
        ("node{:0}", PatternError::Width),
        ("node{:00}", PatternError::Width),
        ("node{:011}", PatternError::Width),
        ("node{:099999999999999999999}", PatternError::Width),
        ("Node{}", PatternError::Character('N')),
        ("node_{}", PatternError::Character('_')),
        ("node.{}", PatternError::Character('.')),
        ("n\u{f6}de{}", PatternError::Character('\u{f6}')),
        ("-node{}", PatternError::Ambiguous),
        ("node{}-", PatternError::Ambiguous),
        ("node1{}", PatternError::Ambiguous),
        ("node{}1", PatternError::Ambiguous),
        (&long, PatternError::TooLong),
    ];
    for (text, error) in table {
        assert_eq!(Pattern::parse(text).as_ref(), Err(error), "{text}");
    }
}

#[test]
fn a_pattern_is_written_as_it_was_read() {
    for text in ["node{}", "n{:04}", "rack-{:02}-blade", "{}", &("n".repeat(53) + "{}")] {
        assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
    }
}
