use super::*;
use crate::{NodeSet, Numbering, Pattern};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn network(lowest: u32, highest: u32, first: [u8; 4], suffix: &str) -> Numbering {
    Numbering {
        numbers: NumberRange { lowest, highest },
        first: first.into(),
        first_ipv6: None,
        suffix: suffix.into(),
    }
}

fn directory() -> Directory {
    let mut first = network(0, 1023, [10, 77, 1, 0], "");
    first.first_ipv6 = Some("fd00:77::1:0".parse().unwrap());
    Directory {
        networks: vec![first, network(0, 1023, [10, 99, 0, 0], "-ib")],
        given_names: [(7, "storage".into()), (40, "login-a".into()), (5000, "nowhere".into())].into(),
        hosts: [("switch".to_owned(), [10, 77, 0, 20]), ("bmc".to_owned(), [10, 77, 0, 21])]
            .into_iter()
            .collect(),
        hardware_addresses: [(23, [0x52, 0x54, 0, 0, 0, 0x17]), (7, [0x52, 0x54, 0, 0, 0xab, 7])].into(),
        groups: [("rack1".into(), (0..=31).chain([40]).collect()), ("none".into(), NodeSet::default())]
            .into(),
        ..Directory::new("cluster", Pattern::parse("node{}").unwrap())
    }
}

fn place() -> Place {
    Place {
        master: Some(Master { name: "head".into(), addresses: vec![[10, 77, 0, 1].into()] }),
        me: Some(Me::Node(23)),
        subnets: vec![
            ("cluster".into(), [10, 77, 0, 0].into()),
            ("cluster-ib".into(), [10, 99, 0, 0].into()),
        ],
        without_hardware_addresses: false,
    }
}

fn read(directory: &Directory, place: &Place) -> NamesFile {
    NamesFile::read(write(directory, place)).unwrap()
}

const TEXT: &str = "\
heorot-names 1
self 23
zone cluster
nodes node{}
network 0-1023 10.77.1.0
network 0-1023 fd00:77::1:0
network 0-1023 10.99.0.0 -ib
subnet cluster 10.77.0.0
subnet cluster-ib 10.99.0.0
master head 10.77.0.1
name 7 storage
name 40 login-a
name 5000 nowhere
host bmc 10.77.0.21
host switch 10.77.0.20
group none -
group rack1 0-31,40
ether 52:54:00:00:ab:07 7
ether 52:54:00:00:00:17 23
end
";

#[test]
fn the_text() {
    assert_eq!(write(&directory(), &place()), TEXT);
    let of_a_node = write(&directory(), &Place { without_hardware_addresses: true, ..place() });
    let all_but_ethers = TEXT.lines().filter(|line| !line.starts_with("ether"));
    assert_eq!(of_a_node, all_but_ethers.map(|line| format!("{line}\n")).collect::<String>());
}

/// All names of what a name means, and all its addresses.
fn answer(file: &NamesFile, name: &str) -> Option<(Vec<String>, Vec<String>)> {
    let host = file.find(name)?;
    let names = file.spellings(host).map(|name| name.to_string()).collect();
    Some((names, file.addresses(host).map(|address| address.to_string()).collect()))
}

#[test]
fn names_and_what_they_mean() {
    let file = read(&directory(), &place());
    let node = |n: u32| {
        let names = format!("node{n}.cluster node{n}");
        (names, format!("10.77.{}.{} fd00:77::1:{n:x}", 1 + n / 256, n % 256))
    };
    let own = |names: &str, addresses: &str| (names.to_owned(), addresses.to_owned());
    let master = || own("head.cluster head master.cluster master", "10.77.0.1");
    let table: &[(&str, (String, String))] = &[
        ("node0", node(0)),
        ("NODE23", node(23)),
        ("node1023.Cluster", node(1023)),
        ("node1023.cluster.", node(1023)),
        ("node23-ib", own("node23-ib.cluster node23-ib", "10.99.0.23")),
        ("Node23-IB.cluster", own("node23-ib.cluster node23-ib", "10.99.0.23")),
        ("storage", own("storage.cluster storage node7.cluster node7", "10.77.1.7 fd00:77::1:7")),
        ("node7", own("storage.cluster storage node7.cluster node7", "10.77.1.7 fd00:77::1:7")),
        ("storage-ib", own("storage-ib.cluster storage-ib node7-ib.cluster node7-ib", "10.99.0.7")),
        ("switch", own("switch.cluster switch", "10.77.0.20")),
        ("SWITCH.cluster", own("switch.cluster switch", "10.77.0.20")),
        // As BeoNSS had them.
        (".23", node(23)),
        (".-1", master()),
        (".-2", node(23)),
        ("node-1", master()),
        ("node-2", node(23)),
        ("master", master()),
        ("Master.cluster", master()),
        ("head", master()),
        ("self", node(23)),
        ("self.cluster", node(23)),
    ];
    for (name, (names, addresses)) in table {
        let split = |text: &String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(answer(&file, name), Some((split(names), split(addresses))), "{name}");
    }
}

/// Whom the operator calls so is meant by `master`, and not the head node.
#[test]
fn one_alone_is_called_master() {
    let nodes = Directory { given_names: [(7, "master".into())].into(), ..directory() };
    let hosts = [("master".to_owned(), [10, 77, 0, 20])].into_iter().collect();
    for (directory, address) in
        [(nodes, "10.77.1.7 fd00:77::1:7"), (Directory { hosts, ..directory() }, "10.77.0.20")]
    {
        let file = read(&directory, &place());
        let addresses: Vec<_> = address.split(' ').map(str::to_owned).collect();
        assert_eq!(answer(&file, "master").unwrap().1, addresses);
        assert_eq!(answer(&file, "head").unwrap().0, ["head.cluster", "head"]);
    }
}

#[test]
fn names_of_nobody() {
    let file = read(&directory(), &place());
    for name in [
        "",
        ".",
        "..",
        "cluster",
        ".cluster",
        "node",
        "node1024",
        "node023",
        "node23.",
        "node23..",
        "nowhere",
        "node-3",
        "node23.other",
        "node23cluster",
        "node23.cluster.cluster",
        ".023",
        ".1024",
        ".+1",
        ".-3",
        "-1",
        "-2",
        "-ib",
        "node23-eth",
        "n\u{f6}de23",
        "switch-ib",
        &"n".repeat(300),
    ] {
        let expected = if name == "node23." { file.find("node23") } else { None };
        assert_eq!(file.find(name), expected, "{name}");
    }
}

#[test]
fn self_where_nobody_says_who_that_is() {
    let anonymous = read(&directory(), &Place::default());
    let here = Some((vec!["localhost".to_owned()], vec!["127.0.0.1".to_owned(), "::1".to_owned()]));
    assert_eq!(answer(&anonymous, "self"), here);
    assert_eq!(anonymous.find("master"), None);
    assert_eq!(anonymous.find(".-1"), None);
    let of_the_head = read(&directory(), &Place { me: Some(Me::Master), ..place() });
    assert_eq!(of_the_head.find("self"), Some(Host::Master));
    // A number that lives nowhere any more, after a change of the configuration.
    let lost = read(&directory(), &Place { me: Some(Me::Node(9999)), ..place() });
    assert_eq!(answer(&lost, "self"), here);
    assert!(is_self("SELF") && !is_self("selfish"));
}

#[test]
fn groups_networks_and_hardware_addresses() {
    let file = read(&directory(), &place());
    let members = |name: &str| {
        let group = file.group(name)?;
        let mut found = Vec::new();
        let mut next = Some(0);
        while let Some(number) = next.and_then(|from| file.member_from(group, from)) {
            found.push(number);
            next = number.checked_add(1);
        }
        Some(found)
    };
    assert_eq!(members("rack1"), Some((0..=31).chain([40]).collect()));
    assert_eq!(members("none"), Some(Vec::new()));
    assert_eq!(members("cluster"), Some((0..=1023).collect()), "all nodes");
    assert_eq!(members("rack"), None);
    assert_eq!(file.network("cluster"), Some(("cluster", [10, 77, 0, 0].into())));
    assert_eq!(file.network("CLUSTER-ib"), Some(("cluster-ib", [10, 99, 0, 0].into())));
    assert_eq!(file.network("other"), None);
    assert_eq!(file.nth_network(1), Some(("cluster-ib", [10, 99, 0, 0].into())));
    assert_eq!(file.nth_network(2), None);
    assert_eq!(file.hardware_address("node23"), Some((23, [0x52, 0x54, 0, 0, 0, 0x17])));
    assert_eq!(file.hardware_address("storage.cluster"), Some((7, [0x52, 0x54, 0, 0, 0xab, 7])));
    for name in ["node24", "switch", "other"] {
        assert_eq!(file.hardware_address(name), None, "{name}");
    }
    assert_eq!(file.node_at([0x52, 0x54, 0, 0, 0xab, 7]), Some(7));
    assert_eq!(file.node_at([0x52, 0x54, 0, 0, 0xab, 8]), None);
    assert_eq!(file.nth_hardware_address(0), Some((7, [0x52, 0x54, 0, 0, 0xab, 7])));
    assert_eq!(file.nth_hardware_address(2), None);
    assert_eq!(file.node_name(7).to_string(), "storage");
}

#[test]
fn all_hosts_one_after_the_other() {
    let file = read(&directory(), &place());
    let hosts: Vec<String> = (0..)
        .map_while(|at| file.nth_host(at))
        .map(|host| file.spellings(host).last().unwrap().to_string())
        .collect();
    // Both networks of 1,024 nodes, two hosts, the head.
    assert_eq!(hosts.len(), 2 * 1024 + 3);
    assert_eq!(
        (hosts[0].as_str(), hosts[1023].as_str(), hosts[1024].as_str()),
        ("node0", "node1023", "node0-ib")
    );
    assert_eq!(hosts[2048..], ["bmc", "switch", "master"]);
    assert_eq!(file.nth_host(u64::MAX), None);
}

#[test]
fn what_a_newer_server_adds_is_passed_over() {
    let text = TEXT.replace("self 23\n", "self 23\ncolour green\n\n");
    assert!(NamesFile::read(text).unwrap().find("node23").is_some());
}

#[test]
fn texts_that_are_no_names_file() {
    let line = |line: &str| TEXT.replace("self 23\n", &format!("{line}\n"));
    let bad_line = FileError { line: 2, problem: FileProblem::Line };
    let table: &[(String, FileError)] = &[
        (String::new(), FileError { line: 1, problem: FileProblem::CutOff }),
        ("\n".into(), FileError { line: 1, problem: FileProblem::Head }),
        ("heorot-names 2\nend\n".into(), FileError { line: 1, problem: FileProblem::Head }),
        ("heorot-names 1\nend\n".into(), FileError { line: 2, problem: FileProblem::Missing }),
        ("heorot-names 1\nzone cluster\nend\n".into(), FileError { line: 3, problem: FileProblem::Missing }),
        (TEXT.to_owned() + "zone other\n", FileError { line: 21, problem: FileProblem::Line }),
        (line("self me"), bad_line),
        (line("self"), bad_line),
        (line("zone"), bad_line),
        (line("nodes node"), bad_line),
        (line("network 0-1023"), bad_line),
        (line("network 5-4 10.0.0.1"), bad_line),
        (line("network 0-4294967296 10.0.0.1"), bad_line),
        (line("network 0-9 10.0.0.256"), bad_line),
        (line("master head"), bad_line),
        (line("host switch 10.0.0.1 10.0.0"), bad_line),
        (line("name x storage"), bad_line),
        (line("group rack1"), bad_line),
        (line("group rack1 5-9,3"), bad_line),
        (line("group rack1 5-9,9"), bad_line),
        (line("group rack1 5,,6"), bad_line),
        (line("ether 52:54:00:00:00 1"), bad_line),
        (line("ether 52:54:00:00:00:17:18 1"), bad_line),
        (line("ether 52:54:00:00:00:+7 1"), bad_line),
        (line("ether 52:54:00:00:00:17"), bad_line),
        ("x".repeat(OCTETS_MAX + 1), FileError { line: 1, problem: FileProblem::TooLong }),
    ];
    for (text, error) in table {
        assert_eq!(NamesFile::read(text.clone()).err(), Some(*error), "{:.200}", text);
    }
}

/// A download that ended early is not half a cluster.
#[test]
fn a_file_that_was_cut_off_is_none() {
    for length in 0..TEXT.len() {
        assert!(NamesFile::read(TEXT[..length].to_owned()).is_err(), "{length} octets");
    }
}

prop_compose! {
    /// Networks that do not overlap, names and hosts, as a configuration gives them.
    fn any_directory()(
        pattern in prop_oneof![Just("node{}"), Just("n{:04}"), Just("{}"), Just("rack-{:02}-blade")],
        lowest in prop_oneof![0..300_u32, u32::MAX - 300..=u32::MAX - 200],
        size in 0..200_u32,
        first in any::<u32>(),
        has_ipv6 in any::<bool>(),
        ib_first in any::<u32>(),
        given in proptest::collection::btree_map(0..400_u32, "[a-m]{1,9}", 0..9),
        hosts in proptest::collection::btree_map("[o-z]{1,9}", any::<[u8; 4]>(), 0..9),
        hardware in proptest::collection::btree_map(0..400_u32, any::<[u8; 6]>(), 0..30),
        groups in proptest::collection::btree_map("[a-z]{1,9}", proptest::collection::btree_set(0..500_u32, 0..40), 0..4),
    ) -> Directory {
        let mut networks = vec![
            network(lowest, lowest + size, first.to_be_bytes(), ""),
            network(lowest, lowest + size, ib_first.to_be_bytes(), "-ib"),
        ];
        networks[0].first_ipv6 = has_ipv6.then(|| "fd00::ffff".parse().unwrap());
        // A name that two nodes have is refused in a configuration.
        let mut seen = BTreeMap::new();
        let given_names = given.into_iter().filter(|(number, name)| seen.insert(name.clone(), *number).is_none()).collect();
        Directory {
            networks,
            given_names,
            hosts: hosts.into_iter().collect(),
            hardware_addresses: hardware,
            groups: groups.into_iter().map(|(name, numbers)| (name, numbers.into_iter().collect())).collect(),
            ..Directory::new("cluster", Pattern::parse(pattern).unwrap())
        }
    }
}

proptest! {
    /// One truth: whatever name or address the directory knows, the file answers the same.
    #[test]
    fn the_file_answers_what_the_directory_answers(directory in any_directory(), elsewhere in any::<u32>()) {
        let file = read(&directory, &Place::default());
        let NumberRange { lowest, highest } = directory.networks[0].numbers;
        let numbers = (lowest.saturating_sub(3)..=highest.saturating_add(3)).chain(directory.given_names.keys().copied());
        let nodes: Vec<String> = numbers.flat_map(|n| [directory.name(n), directory.pattern.name(n)]).collect();
        let hosts = directory.hosts.iter().map(|(name, _)| name.to_owned());
        for name in nodes.iter().flat_map(|name| [name.clone(), format!("{name}-ib")]).chain(hosts) {
            let found = file.find(&format!("{name}.cluster")).map(|host| file.addresses(host).collect::<Vec<_>>());
            prop_assert_eq!(found, directory.all_addresses(&name), "{}", name);
            for address in directory.all_addresses(&name).into_iter().flatten() {
                let host = file.find_address(address).and_then(|host| file.spellings(host).nth(1)).map(|n| n.to_string());
                prop_assert_eq!(host, directory.host_of(address), "{}", address);
            }
        }
        let elsewhere = Ipv4Addr::from(elsewhere).into();
        prop_assert_eq!(file.find_address(elsewhere).is_some(), directory.host_of(elsewhere).is_some());
        for (name, members) in directory.groups.iter().filter(|(name, _)| *name != "cluster") {
            let group = file.group(name).unwrap();
            let found: NodeSet = (0..500).filter(|number| file.member_from(group, *number) == Some(*number)).collect();
            prop_assert_eq!(&found, members);
        }
        for (number, address) in &directory.hardware_addresses {
            let holder = file.node_at(*address).unwrap();
            prop_assert_eq!(directory.hardware_addresses[&holder], directory.hardware_addresses[number]);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(lines in proptest::collection::vec(
        "(zone|nodes|network|subnet|master|self|name|host|group|ether|)( [a-z0-9:.,{}-]{0,12}){0,4}", 0..12,
    )) {
        let text = format!("{HEAD}\n{}\n{END}\n", lines.join("\n"));
        if let Ok(file) = NamesFile::read(text) {
            for name in ["node1", ".1", "self", "master", "a"] {
                if let Some(host) = file.find(name) {
                    prop_assert!(file.spellings(host).count() <= 4);
                }
            }
            prop_assert!((0..1000).map_while(|at| file.nth_host(at)).count() <= 1000);
        }
    }
}
