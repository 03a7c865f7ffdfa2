//! `localhost`: never asked of others, whose answer would be refused as rebinding.

use super::*;

#[test]
fn localhost_is_known_here() {
    let ipv6 = format!("1.{}ip6.arpa", "0.".repeat(31));
    let table: &[(&str, u16, &str)] = &[
        // RFC 6761 6.3
        ("localhost", A, "A 127.0.0.1"),
        ("LocalHost", AAAA, "AAAA ::1"),
        ("foo.bar.localhost", A, "A 127.0.0.1"),
        ("localhost", TXT, ""),
        ("1.0.0.127.in-addr.arpa", 12, "PTR localhost."),
        (&ipv6, 12, "PTR localhost."),
        ("1.0.0.127.in-addr.arpa", A, ""),
    ];
    for (name, rtype, data) in table {
        let told = Stage::new(forwarding()).recall(name, *rtype);
        let wanted = Some(format!("{name}. 60 {data}")).filter(|_| !data.is_empty());
        assert_eq!((told.flags & 15, told.answer), (0, wanted.into_iter().collect()), "{name} {rtype}");
    }
    // Without anybody to ask, and for who may not ask.
    let mut stage = Stage::new(Forwarding { groups: Vec::new(), ..forwarding() });
    assert_eq!(stage.recall("localhost", A).answer.len(), 1);
    // Names of our zone, and of others, are what they are.
    assert_eq!(Stage::new(forwarding()).recall("localhost.cluster", A).flags & 15, NXDOMAIN);
    Stage::new(forwarding()).ask("notlocalhost", A);
    Stage::new(forwarding()).ask("2.0.0.127.in-addr.arpa", 12);
}
