use super::*;

#[test]
fn users_and_groups_come_without_passwords() {
    let content = content();
    let alice = "alice:x:1000:100:Alice:/home/alice:/bin/bash";
    let table = [
        ("passwd.byname", "alice", Some(alice)),
        ("passwd.byuid", "1000", Some(alice)),
        // An empty password would let in whoever asks nothing but this map.
        ("passwd.byname", "bob", Some("bob:x:1001:100::/home/bob:/bin/sh")),
        ("passwd.byname", "root", Some("root:x:0:0:root:/root:/bin/bash")),
        ("passwd.byname", "broken", None),
        ("passwd.byname", "eve", None),
        ("passwd.byname", "+@admins", None),
        ("passwd.byname", "", None),
        ("passwd.byuid", "01000", None),
        ("passwd.byuid", "alice", None),
        ("group.byname", "users", Some("users:x:100:alice,bob")),
        ("group.bygid", "10", Some("wheel:x:10:alice")),
        ("group.byname", "+", None),
        ("netid.byname", "unix.1000@cluster", Some("1000:100,10")),
        ("netid.byname", "unix.1001@cluster", Some("1001:100")),
        ("netid.byname", "unix.0@cluster", Some("0:0")),
        ("netid.byname", "unix.1000@other", None),
        ("netid.byname", "unix.4@cluster", None),
    ];
    for (map, key, expected) in table {
        assert_eq!(value(&content, map, key).as_deref(), expected, "{map} {key}");
    }
    for map in ["passwd.byname", "passwd.byuid", "group.byname", "group.bygid", "netid.byname"] {
        let all = walk(&content, map);
        assert!(all.iter().all(|(_, value)| !value.contains('$')), "{map}: {all:?}");
    }
}

#[test]
fn walks_are_in_order_and_go_on_behind_what_is_gone() {
    let content = content();
    assert_eq!(keys(&content, "passwd.byname"), ["alice", "bob", "root"]);
    assert_eq!(keys(&content, "passwd.byuid"), ["0", "1000", "1001", "1003"], "by number, not by text");
    assert_eq!(keys(&content, "group.bygid"), ["0", "10", "100"]);
    assert_eq!(
        keys(&content, "netid.byname"),
        ["unix.0@cluster", "unix.1000@cluster", "unix.1001@cluster", "unix.1003@cluster"]
    );
    let after = |map, key: &str| match content.after(map, Some(key.as_bytes())) {
        Step::Entry { key, .. } => String::from_utf8(key).unwrap(),
        Step::End => "the end".into(),
        Step::NoSuchKey => "none".into(),
    };
    assert_eq!(after(Map::PasswdByName, "anna"), "bob");
    assert_eq!(after(Map::PasswdByUid, "999"), "1000");
    assert_eq!(after(Map::PasswdByUid, "x"), "none");
    assert_eq!(after(Map::GroupByGid, "4000"), "the end");
}

#[test]
fn what_is_left_out_is_counted() {
    let long = format!("crowd:x:50:{}\n", vec!["member"; 300].join(","));
    let group = [GROUP, &long, &format!("{}:x:51:\n", "g".repeat(1024))].concat();
    let (_, left_out) = Accounts::new(Some(PASSWD), Some(group.as_str()));
    let content = content_of(directory(), Some(PASSWD), Some(group.as_str()));
    // The line is cut behind a whole name.
    let crowd = value(&content, "group.byname", "crowd").unwrap();
    assert!(crowd.len() <= 1024 && crowd.len() > 1024 - 8 && crowd.ends_with(",member"), "{crowd}");
    let members = 300 - crowd.matches("member").count();
    assert_eq!(left_out, LeftOut { users: 3, groups: 2, members });
}
