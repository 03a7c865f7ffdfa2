use super::*;
use heorot_names::HostsFile;

fn find(names: &HostNames, name: &str, wanted: Type) -> Option<Vec<Data>> {
    let answer = names.find(&Name::parse(name).unwrap(), wanted)?;
    Some(answer.answer.into_iter().flat_map(|(_, set)| set.data).collect())
}

#[test]
fn what_a_host_file_says() {
    let text = "# the usual beginning
127.0.0.1\tlocalhost
::1 localhost ip6-loopback
ff02::1 ip6-allnodes
192.0.2.7  Printer.Example.ORG printer # the one on the left
192.0.2.7  other
192.0.2.8  printer
2001:db8::7 printer
0.0.0.0 ads.example
192.0.2.300 nobody
192.0.2.9
192.0.2.10 bad..name good\r
";
    let lines = [text, "192.0.2.11 second"].map(|text| HostsFile::read(text).lines).concat();
    let names = HostNames::new(&lines, "cluster");
    let v4 = |host| Data::A([192, 0, 2, host].into());
    let v6 = Data::Aaaa("2001:db8::7".parse().unwrap());
    let pointer = |name| Data::Name(Type::PTR, Name::parse(name).unwrap());
    for (name, wanted, data) in [
        ("printer.example.org", Type::A, Some(vec![v4(7)])),
        ("printer", Type::A, Some(vec![v4(7), v4(8)])),
        ("printer", Type::AAAA, Some(vec![v6])),
        ("PRINTER", Type::MX, None),
        // It has no such address, and nobody else knows better.
        ("second", Type::AAAA, Some(vec![])),
        ("second", Type::A, Some(vec![v4(11)])),
        ("good", Type::A, Some(vec![v4(10)])),
        ("ads.example", Type::A, Some(vec![Data::A([0, 0, 0, 0].into())])),
        ("localhost", Type::A, None),
        ("ip6-allnodes", Type::AAAA, None),
        ("nobody", Type::A, None),
        ("7.2.0.192.in-addr.arpa", Type::PTR, Some(vec![pointer("printer.example.org")])),
        ("7.2.0.192.in-addr.arpa", Type::A, None),
        ("1.0.0.127.in-addr.arpa", Type::PTR, None),
        (
            "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            Type::PTR,
            Some(vec![pointer("printer.cluster")]),
        ),
    ] {
        assert_eq!(find(&names, name, wanted), data, "{name}");
    }
}

#[test]
fn a_file_of_any_size_is_bounded() {
    let text: String = (0..HOST_NAMES_MAX).map(|n| format!("192.0.2.1 n{n}\n")).collect();
    let names = HostNames::new(&HostsFile::read(&text).lines, "cluster");
    assert!(names.data.len() < HOST_NAMES_MAX);
    // The name of the one address takes room, too.
    assert_eq!(names.lines_left_out(), 2);
    let text = text.lines().take(9).collect::<Vec<_>>().join("\n");
    assert_eq!(HostNames::new(&HostsFile::read(&text).lines, "cluster").lines_left_out(), 0);
}

#[test]
fn what_a_resolv_conf_says() {
    let text = "search example.org\nnameserver 192.0.2.1\n  nameserver\t2001:db8::1 \n#nameserver 192.0.2.2\n\
                nameserver\nnameserver fe80::1%eth0\nnameserver 127.0.0.53";
    let servers: Vec<IpAddr> =
        ["192.0.2.1", "2001:db8::1", "127.0.0.53"].map(|text| text.parse().unwrap()).to_vec();
    assert_eq!(name_servers(text), servers);
}
