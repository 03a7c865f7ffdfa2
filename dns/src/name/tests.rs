use super::*;

#[test]
fn texts_and_octets() {
    let table: &[(&str, &[u8])] = &[
        ("cluster", b"\x07cluster\0"),
        ("HPC.Example.org", b"\x03hpc\x07example\x03org\0"),
        ("_tcp.a-b", b"\x04_tcp\x03a-b\0"),
    ];
    for (text, octets) in table {
        assert_eq!(Name::parse(text).unwrap().octets(), *octets, "{text}");
    }
}

#[test]
fn texts_that_are_no_name() {
    let label = "a".repeat(63);
    let long = [label.as_str(); 4].join(".");
    for text in ["", ".", "cluster.", ".cluster", "a..b", "\u{f6}", &("a".repeat(64)), &long] {
        assert!(Name::parse(text).is_err(), "{text}");
    }
    // RFC 1035 2.3.4: 255 octets with the root's, and no more.
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(Name::parse(&longest).unwrap().octets().len(), 255);
    assert!(Name::parse(&(longest + "a")).is_err());
    assert!(Name::parse("cluster").unwrap().child("a.b").is_err());
}

#[test]
fn labels_below_an_apex() {
    let table: &[(&str, &str, Option<&[&str]>)] = &[
        ("cluster", "cluster", Some(&[])),
        ("node0.cluster", "cluster", Some(&["node0"])),
        ("a.b.cluster", "cluster", Some(&["a", "b"])),
        ("a.hpc.example", "hpc.example", Some(&["a"])),
        ("example", "hpc.example", None),
        ("mycluster", "cluster", None),
        ("cluster.org", "cluster", None),
    ];
    for (name, apex, labels) in table {
        let (name, apex) = (Name::parse(name).unwrap(), Name::parse(apex).unwrap());
        let expected = labels.map(|labels| labels.iter().map(|label| label.as_bytes()).collect());
        assert_eq!(name.below(&apex), expected, "{name:?} {apex:?}");
    }
    // The octets of the apex inside of a label are no apex.
    let inside = Name::from_labels([b"x\x07cluster".as_slice(), b""].into_iter());
    assert_eq!(inside.below(&Name::parse("cluster").unwrap()), None);
}

#[test]
fn names_are_written_as_zone_files_have_them() {
    let labels = |labels: &[&[u8]]| Name::from_labels(labels.iter().copied().chain([b"".as_slice()]));
    let table: &[(Name, &str)] = &[
        (Name::root(), "."),
        (labels(&[b"Node23", b"cluster"]), "node23.cluster."),
        (labels(&[b"_ldap", b"_tcp"]), "_ldap._tcp."),
        (labels(&[b"a.b", b"c"]), "a\\046b.c."),
        (labels(&[b"*", b"0/25", b"c"]), "*.0/25.c."),
        (labels(&[b"\\ \"", b"\xff\x00"]), "\\092\\032\\034.\\255\\000."),
    ];
    for (name, text) in table {
        assert_eq!(name.to_string(), *text);
    }
}

#[test]
fn keys_have_what_is_below_behind_them() {
    let key = |text: &str| Name::parse(text).unwrap().key();
    assert!(key("a.b.cluster").starts_with(&key("b.cluster")));
    assert!(!key("b.acluster").starts_with(&key("cluster")));
    assert!(!key("ab.cluster").starts_with(&key("b.cluster")));
    assert_eq!(Name::root().key(), b"");
}
