use super::*;

#[test]
fn whose_name_back_it_is() {
    let table = [
        ("4.3.77.10.in-addr.arpa", Some("10.77.3.4")),
        ("3.77.10.in-addr.arpa", None),
        ("5.4.3.77.10.in-addr.arpa", None),
        ("256.3.77.10.in-addr.arpa", None),
        ("in-addr.arpa", None),
        ("7.1.0.0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa", Some("fd77::1:17")),
        ("7.7.d.f.ip6.arpa", None),
        ("web.cluster", None),
    ];
    for (name, expected) in table {
        assert_eq!(address_of(name), expected.map(|address| address.parse().unwrap()), "{name}");
    }
}

#[test]
fn what_is_counted_is_what_is_kept() {
    let dynamic = |name: &str, count: u8| {
        let data = (0..count).map(|n| vec![n; 4]).collect::<Vec<_>>();
        let sets = heorot_names::DynamicSet { kind: kind::A, ttl_seconds: 60, data };
        Dynamic { name: name.into(), sets: if count == 0 { vec![] } else { vec![sets] } }
    };
    let mut dynamics = Dynamics::default();
    for (name, count, records) in
        [("a", 3, 3), ("b", 2, 5), ("a", 1, 3), ("b", 0, 1), ("c", 0, 1), ("a", 0, 0)]
    {
        assert!(dynamics.propose(vec![dynamic(name, count)]));
        assert!(!dynamics.propose(vec![dynamic(name, count)]), "one at a time");
        assert!(dynamics.has(name), "it is about to have something");
        dynamics.settle();
        assert_eq!((dynamics.records, dynamics.octets), (records, 4 * records), "{name} {count}");
        assert_eq!(dynamics.has(name), count > 0);
    }
    dynamics.propose(vec![dynamic("a", 1)]);
    dynamics.withdraw();
    assert!(!dynamics.has("a"));
}
