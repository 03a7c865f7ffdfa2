use super::*;

#[test]
fn which_names_a_key_may_update() {
    let exactly = || Owners::Exactly("www.cluster".into());
    let below = || Owners::Below("acme.cluster".into());
    let beginning = || Owners::Beginning("_acme-challenge".into(), "cluster".into());
    let table = [
        (exactly(), "www.cluster", true),
        (exactly(), "a.www.cluster", false),
        (exactly(), "cluster", false),
        (below(), "a.acme.cluster", true),
        (below(), "a.b.acme.cluster", true),
        (below(), "acme.cluster", false),
        (below(), "xacme.cluster", false),
        (beginning(), "_acme-challenge.cluster", true),
        (beginning(), "_acme-challenge.node23.cluster", true),
        (beginning(), "_acme-challenge.a.b.cluster", true),
        (beginning(), "_acme-challengex.cluster", false),
        (beginning(), "x._acme-challenge.cluster", false),
        (beginning(), "_acme-challenge.xcluster", false),
        (beginning(), "_acme-challenge", false),
    ];
    for (owners, name, expected) in table {
        assert_eq!(owners.contain(name), expected, "{owners:?} {name}");
    }
}

#[test]
fn how_data_is_shown() {
    let table: [(u16, &[u8], &str); 17] = [
        (kind::A, &[10, 77, 9, 9], "A 10.77.9.9"),
        (kind::A, &[10, 77, 9], "A \\# 3 0a4d09"),
        (kind::AAAA, &[0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], "AAAA fd77::9"),
        (kind::CNAME, b"\x03www\x07cluster\0", "CNAME www.cluster."),
        (kind::PTR, b"\0", "PTR ."),
        (kind::MX, b"\0\x0a\x04mail\0", "MX 10 mail."),
        (kind::SRV, b"\0\0\0\x64\x01\x85\x04ldap\0", "SRV 0 100 389 ldap."),
        (kind::SRV, b"\0\0\0\x64", "SRV \\# 4 00000064"),
        (kind::TXT, b"\x03a\"b\x01c", "TXT \"a\\\"b\" \"c\""),
        (257, b"\0\x05issue", "CAA \\# 7 00056973737565"),
        (kind::TXT, b"\x0ait's caf\xc3\xa9", "TXT \"it's caf\\195\\169\""),
        (kind::CNAME, b"\x01*\x04a+/b\x04c. \"\0", "CNAME *.a+/b.c\\046\\032\\034."),
        (44, b"\x04\x02\xab\x01", "SSHFP 4 2 ab01"),
        (52, b"\x03\x01\x01\xab", "TLSA 3 1 1 ab"),
        (13, b"\x03PC \x05Linux", "HINFO \"PC \" \"Linux\""),
        (35, b"x", "NAPTR \\# 1 78"),
        (300, b"x", "TYPE300 \\# 1 78"),
    ];
    for (kind, data, expected) in table {
        let set = DynamicSet { kind, ttl_seconds: 60, data: vec![data.to_vec()] };
        assert_eq!(set.lines().collect::<Vec<_>>(), [expected]);
    }
    let nothing = Dynamic { name: "www.cluster".into(), sets: vec![] };
    assert_eq!(nothing.to_string(), "www.cluster has nothing by updates");
}
