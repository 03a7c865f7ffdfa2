use super::*;

#[test]
fn hosts() {
    let content = content();
    let storage = "10.77.1.7\tstorage.cluster storage node7.cluster node7";
    let table = [
        ("hosts.byname", "node3", Some("10.77.1.3\tnode3.cluster node3")),
        ("hosts.byname", "NODE3.Cluster", Some("10.77.1.3\tnode3.cluster node3")),
        ("hosts.byname", "node23-ib", Some("10.66.0.23\tnode23-ib.cluster node23-ib")),
        ("hosts.byname", "node7", Some(storage)),
        ("hosts.byname", "storage", Some(storage)),
        (
            "hosts.byname",
            "storage-ib",
            Some("10.66.0.7\tstorage-ib.cluster storage-ib node7-ib.cluster node7-ib"),
        ),
        ("hosts.byname", "switch", Some("10.77.0.20\tswitch.cluster switch")),
        ("hosts.byname", "heorot", Some("10.77.0.1\theorot.cluster heorot")),
        ("hosts.byname", "node15", None),
        ("hosts.byname", "nowhere", None),
        ("hosts.byname", "node3.example", None),
        ("hosts.byname", "node03", None),
        ("hosts.byname", "", None),
        ("hosts.byaddr", "10.77.1.3", Some("10.77.1.3\tnode3.cluster node3")),
        ("hosts.byaddr", "10.66.0.23", Some("10.66.0.23\tnode23-ib.cluster node23-ib")),
        ("hosts.byaddr", "10.66.1.1", Some("10.66.1.1\theorot.cluster heorot")),
        ("hosts.byaddr", "10.77.1.7", Some(storage)),
        ("hosts.byaddr", "10.77.1.10", None),
        ("hosts.byaddr", "10.77.1.03", None),
        ("hosts.byaddr", "::1", None),
    ];
    for (map, key, expected) in table {
        assert_eq!(value(&content, map, key).as_deref(), expected, "{map} {key}");
    }
}

#[test]
fn walks_over_hosts_meet_everybody_once() {
    let content = content();
    let computed = (0..10).map(|n| format!("node{n}")).chain((20..30).map(|n| format!("node{n}")));
    let computed = computed.chain((0..30).map(|n| format!("node{n}-ib")));
    let expected: Vec<String> =
        computed.chain(["heorot", "storage", "storage-ib", "switch"].map(String::from)).collect();
    assert_eq!(keys(&content, "hosts.byname"), expected);
    let addresses: Vec<Ipv4Addr> =
        keys(&content, "hosts.byaddr").iter().map(|key| key.parse().unwrap()).collect();
    assert!(addresses.is_sorted_by(|a, b| a < b));
    assert_eq!(addresses.len(), 10 + 10 + 30 + 2 + 1);
    // Each name leads to an address that leads back to it.
    for (name, line) in walk(&content, "hosts.byname") {
        let address = line.split('\t').next().unwrap();
        let back = value(&content, "hosts.byaddr", address).unwrap();
        assert!(back.split([' ', '\t']).any(|known| known == name), "{name}: {back}");
    }
}

/// A name that is given as it would be computed stands in a map once, and the walk ends.
#[test]
fn walks_end_where_a_given_name_is_the_computed_one() {
    for (number, name) in [(5, "node5"), (5, "node5-ib"), (23, "node23"), (0, "node0"), (29, "node29-ib")] {
        let plain = directory();
        let given_names = plain.given_names.clone().into_iter().chain([(number, name.to_owned())]).collect();
        let content = content_of(Directory { given_names, ..plain.clone() }, None, None);
        let plain = content_of(plain, None, None);
        for map in ["hosts.byname", "ethers.byname"] {
            let (mut all, before) = (keys(&content, map), keys(&plain, map));
            all.sort();
            assert!(all.is_sorted_by(|a, b| a < b), "{name}: a key of {map} stands twice: {all:?}");
            assert!(before.iter().all(|key| all.contains(key)), "{name}: {map} lacks a key: {all:?}");
        }
        for map in ["hosts.byaddr", "ethers.byaddr", "netgroup", "netgroup.byhost"] {
            assert_eq!(keys(&content, map), keys(&plain, map), "{name}: {map}");
        }
    }
}

#[test]
fn a_walk_goes_on_behind_what_is_gone() {
    let content = content();
    let after = |map, key: &str| match content.after(map, Some(key.as_bytes())) {
        Step::Entry { key, .. } => String::from_utf8(key).unwrap(),
        Step::End => "the end".into(),
        Step::NoSuchKey => "none".into(),
    };
    let table = [
        (Map::HostsByName, "node9", "node20"),
        (Map::HostsByName, "node29", "node0-ib"),
        // Numbers that the networks no longer have.
        (Map::HostsByName, "node15", "node20"),
        (Map::HostsByName, "node500-ib", "heorot"),
        (Map::HostsByName, "node0-ib.cluster", "node1-ib"),
        (Map::HostsByName, "printer", "storage"),
        (Map::HostsByName, "zzz", "the end"),
        (Map::HostsByName, "node3.example", "none"),
        (Map::HostsByAddress, "10.77.1.200", "10.78.1.0"),
        (Map::HostsByAddress, "255.255.255.255", "the end"),
        (Map::HostsByAddress, "x", "none"),
        (Map::EthersByName, "node8", "node23"),
        (Map::EthersByName, "node24", "storage"),
        (Map::EthersByName, "printer", "storage"),
        (Map::EthersByName, "tape", "the end"),
        (Map::EthersByAddress, "0:0:0:0:0:0", "52:54:00:00:00:07"),
        (Map::EthersByAddress, "x", "none"),
        (Map::Netgroup, "none", "rack1"),
        (Map::Netgroup, "gone", "none"),
        (Map::Netgroup, "cluster:0-63", "none"),
        (Map::NetgroupByHost, "node12.*", "node13.*"),
        (Map::NetgroupByHost, "x", "none"),
    ];
    for (map, key, expected) in table {
        assert_eq!(after(map, key), expected, "{map:?} {key}");
    }
}

#[test]
fn ethers() {
    let content = content();
    let table = [
        ("ethers.byname", "node23", Some("52:54:00:ab:00:17\tnode23")),
        ("ethers.byname", "Node7", Some("52:54:00:00:00:07\tstorage")),
        ("ethers.byname", "storage", Some("52:54:00:00:00:07\tstorage")),
        ("ethers.byname", "node8", None),
        ("ethers.byname", "nowhere", None),
        // As glibc's ether_ntohost writes it.
        ("ethers.byaddr", "52:54:0:ab:0:17", Some("52:54:00:ab:00:17\tnode23")),
        ("ethers.byaddr", "52:54:00:AB:00:17", Some("52:54:00:ab:00:17\tnode23")),
        ("ethers.byaddr", "52:54:0:ab:0:18", None),
        ("ethers.byaddr", "52:54:0:ab:0", None),
        ("ethers.byaddr", "52:54:0:ab:0:+7", None),
        ("ethers.byaddr", "52:54:0:ab:0:017", None),
    ];
    for (map, key, expected) in table {
        assert_eq!(value(&content, map, key).as_deref(), expected, "{map} {key}");
    }
    assert_eq!(keys(&content, "ethers.byname"), ["node7", "node23", "storage"]);
    assert_eq!(keys(&content, "ethers.byaddr"), ["52:54:00:00:00:07", "52:54:00:ab:00:17"]);
}

#[test]
fn netgroups_of_a_few() {
    let content = content();
    let rack1 = "(node0,-,) (node1,-,) (node2,-,) (node3,-,) (node4,-,) (node5,-,) (node6,-,) (storage,-,)";
    let table = [
        ("netgroup", "rack1", Some(rack1)),
        ("netgroup", "none", Some("")),
        ("netgroup", "rack2", None),
        ("netgroup", "rack1:0-63", None),
        ("netgroup.byhost", "node3.*", Some("cluster,rack1")),
        ("netgroup.byhost", "storage.cluster", Some("cluster,rack1")),
        ("netgroup.byhost", "node20", Some("cluster")),
        ("netgroup.byhost", "node20.example", None),
        ("netgroup.byhost", "node15.*", Some("cluster")),
        ("netgroup.byhost", "node99.*", None),
        ("netgroup.byuser", "alice", None),
    ];
    for (map, key, expected) in table {
        assert_eq!(value(&content, map, key).as_deref(), expected, "{map} {key}");
    }
    assert_eq!(keys(&content, "netgroup"), ["cluster", "none", "rack1"]);
    assert!(keys(&content, "netgroup.byuser").is_empty());
}

/// What a client finds that follows the names of groups.
fn expand(content: &Content, group: &str, depth: usize) -> Vec<String> {
    assert!(depth < 40, "groups that have each other");
    let members =
        value(content, "netgroup", group).unwrap_or_else(|| panic!("{group} is told of and not there"));
    let expand = |member: &str| match member.strip_prefix('(') {
        Some(triple) => vec![triple.strip_suffix(",-,)").unwrap().to_owned()],
        None => expand(content, member, depth + 1),
    };
    members.split(' ').filter(|member| !member.is_empty()).flat_map(expand).collect()
}

#[test]
fn netgroups_of_many_are_groups_of_groups() {
    let few: Vec<u32> = vec![0, 4_000_000_000, u32::MAX];
    let sets: Vec<(&str, NodeSet)> = vec![
        ("all", (0..10_000).collect()),
        ("odd", (0..3000).map(|n| 2 * n + 1).collect()),
        ("far", few.into_iter().collect()),
        ("one", [64].into_iter().collect()),
        ("edges", [63, 64, 127, 128, 4095, 4096].into_iter().collect()),
    ];
    for pattern in ["node{}", "a-long-name-as-people-have-who-like-to-type-{:010}"] {
        let mut directory = directory();
        directory.pattern = Pattern::parse(pattern).unwrap();
        directory.networks[0].numbers.highest = 9_999;
        directory.groups = sets.iter().map(|(name, set)| ((*name).to_owned(), set.clone())).collect();
        let names = |set: &NodeSet| set.iter().map(|number| directory.name(number)).collect::<Vec<_>>();
        let content = content_of(directory.clone(), None, None);
        for (name, set) in &sets {
            assert_eq!(expand(&content, name, 0), names(set), "{name}");
        }
        assert_eq!(expand(&content, "cluster", 0), names(&directory.numbers()));
        // The walk has every group that another tells of, and no other.
        let walked = walk(&content, "netgroup");
        let mut told: Vec<&str> = walked.iter().flat_map(|(_, members)| members.split(' ')).collect();
        told.retain(|member| !member.is_empty() && !member.starts_with('('));
        let mut blocks: Vec<&str> =
            walked.iter().map(|(key, _)| key.as_str()).filter(|key| key.contains(':')).collect();
        told.sort_unstable();
        blocks.sort_unstable();
        assert_eq!(blocks, told);
    }
    let mut directory = directory();
    directory.groups = [("all".into(), sets[0].1.clone())].into();
    let content = content_of(directory, None, None);
    assert_eq!(
        value(&content, "netgroup", "all").as_deref().map(|members| &members[..24]),
        Some("all:0-4095 all:4096-8191")
    );
    assert_eq!(keys(&content, "netgroup")[..3], ["all", "all:0-4095", "all:0-63"]);
}

/// What is arithmetic is in no table: with sixteen million nodes everything is found as fast as with ten.
#[test]
fn a_step_costs_the_same_however_many_there_are() {
    let mut directory = directory();
    directory.networks.truncate(1);
    directory.networks[0] = Numbering {
        numbers: NumberRange { lowest: 0, highest: (1 << 24) - 1 },
        first: [10, 0, 0, 0].into(),
        first_ipv6: None,
        suffix: String::new(),
    };
    let content = content_of(directory, None, None);
    let after = |map, key: &str| match content.after(map, Some(key.as_bytes())) {
        Step::Entry { key, value } => (String::from_utf8(key).unwrap(), String::from_utf8(value).unwrap()),
        Step::End | Step::NoSuchKey => panic!("there is more"),
    };
    for number in (0..1 << 24).step_by(4999) {
        let (key, line) = after(Map::HostsByName, &format!("node{number}"));
        assert_eq!(key, format!("node{}", number + 1));
        assert_eq!(after(Map::HostsByAddress, &Ipv4Addr::from((10 << 24) + number).to_string()).1, line);
        assert_eq!(after(Map::NetgroupByHost, &format!("node{number}.*")).0, key + ".*");
        let block = number / 32 * 32;
        let members = value(&content, "netgroup", &format!("cluster:{block}-{}", block + 31)).unwrap();
        assert!(members.contains(&format!("(node{number},-,)")), "{members}");
    }
}
