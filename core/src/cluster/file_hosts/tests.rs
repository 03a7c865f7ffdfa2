use super::*;
use crate::config::Interface;
use heorot_names::HostsFile;
use std::net::Ipv4Addr;

const TEXT: &str = r#"
[[network]]
interface = "eth1"
address = "10.77.0.1/16"
numbers = "0-9"
first = "10.77.1.0"
first-ipv6 = "fd77::1:0"
temporary = "10.77.200.1-10.77.200.9"
[[node]]
mac = "52:54:00:00:00:17"
number = 5
name = "login"
[[host]]
mac = "52:54:00:00:00:27"
name = "switch"
address = "10.77.2.1"
[[dns.record]]
name = "www"
type = "CNAME"
value = "switch"
[[dns.record]]
name = "mirror"
type = "A"
value = "10.77.2.3"
[[dns.record]]
name = "web"
type = "TXT"
value = "beside"
[[dns.record]]
name = "lab"
type = "NS"
value = "switch"
"#;

fn of(text: &str) -> FileHosts {
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    let (config, _) = Config::parse(TEXT, &[interface]).expect("the configuration is right");
    in_zone(&config, &WrittenNames::new(&config), &HostsFile::read(text).lines)
}

#[test]
fn what_stands_in_files_is_in_the_zone_beside_the_configuration() {
    let files = of("10.77.0.60 web.apps.cluster web
10.77.0.61 svc.example.org svc
10.77.0.64 two.cluster
10.77.0.65 two.cluster
10.77.0.65 three.cluster
fd77::65 two
10.77.0.1 heorot master cluster
10.77.0.2 node5 node77 login switch www mirror lab ns.lab.cluster notcluster
10.77.1.5 other
10.77.2.1 other
fd77::1:5 other
");
    let names: Vec<_> = files.names.iter().map(|(name, all)| format!("{name}: {all:?}")).collect();
    assert_eq!(
        names,
        [
            ": [10.77.0.1]",
            "node77: [10.77.0.2]",
            "notcluster: [10.77.0.2]",
            "ns.lab: [10.77.0.2]",
            "other: [10.77.1.5, 10.77.2.1, fd77::1:5]",
            "svc: [10.77.0.61]",
            "three: [10.77.0.65]",
            "two: [10.77.0.64, 10.77.0.65, fd77::65]",
            "web: [10.77.0.60]",
            "web.apps: [10.77.0.60]",
        ]
    );
    let pointers: Vec<_> = files.pointers.iter().map(|(address, name)| format!("{address} {name}")).collect();
    assert_eq!(
        pointers,
        [
            "10.77.0.1 heorot.cluster",
            "10.77.0.2 node5.cluster",
            "10.77.0.60 web.apps.cluster",
            "10.77.0.61 svc.example.org",
            "10.77.0.64 two.cluster",
            "10.77.0.65 two.cluster",
            "fd77::65 two.cluster",
        ]
    );
}

#[test]
fn there_is_room_for_so_many() {
    let text: String = (0..FILE_HOSTS_MAX + 9).map(|n| format!("192.0.2.1 n{n}.cluster\n")).collect();
    assert_eq!(of(&text).names.len(), FILE_HOSTS_MAX);
}
