use super::*;
use crate::file::Master;
use crate::{NumberRange, Pattern, Record, RecordData};

fn directory() -> Directory {
    let network = |first: [u8; 4], suffix: &str| Numbering {
        numbers: NumberRange { lowest: 0, highest: 3 },
        first: first.into(),
        first_ipv6: None,
        suffix: suffix.into(),
    };
    let mut first = network([10, 77, 1, 0], "");
    first.first_ipv6 = Some("fd77::1:0".parse().unwrap());
    Directory {
        networks: vec![first, network([10, 99, 0, 0], "-ib")],
        given_names: [(2, "login".into())].into(),
        hosts: [("switch".to_owned(), [10, 77, 0, 20])].into_iter().collect(),
        hardware_addresses: [(1, [0x52, 0x54, 0, 0, 0, 0xab]), (2, [0x52, 0x54, 0, 0, 0, 2])].into(),
        groups: [("rack-1".into(), (0..2).collect()), ("gpu".into(), [1, 2, 3].into_iter().collect())].into(),
        ..Directory::new("cluster", Pattern::parse("n{:04}").unwrap())
    }
}

fn export(export: Export) -> String {
    let about = |processors, memory_bytes, kernel_memory_bytes| About {
        profile: "default".into(),
        processors,
        memory_bytes,
        kernel_memory_bytes,
    };
    // Of what is built in, the kernel keeps a part; of node 3 an agent told that does not know how much.
    let small = about(Some(8), Some(16 << 30), Some((15 << 30) - 1));
    let told = about(Some(8), Some(16 << 30), None);
    let nodes = [(0, small.clone()), (1, small), (2, about(None, None, None)), (3, told)].into();
    let master = Master { name: "heorot".into(), addresses: vec![[10, 77, 0, 1].into()] };
    let place = Place { master: Some(master), ..Place::default() };
    let served = Served {
        directories: vec!["/srv/heorot/root".into(), "/srv/a b#c".into()],
        networks: vec![(Ipv4Addr::new(10, 77, 0, 0), 16), (Ipv4Addr::new(10, 78, 0, 0), 24)],
        is_insecure: false,
    };
    let reservations = vec![
        Reservation {
            hardware_addresses: vec![[2, 0, 0, 0, 0, 0xaa], [2, 0, 0, 0, 0, 0xab]],
            address: Some(Ipv4Addr::new(10, 77, 0, 20)),
            name: Some("switch".into()),
            is_ignored: false,
        },
        Reservation {
            hardware_addresses: vec![[2, 0, 0, 0, 0, 0xac]],
            is_ignored: true,
            ..Reservation::default()
        },
    ];
    Table { directory: &directory(), place: &place, nodes, served, reservations }.export(export).unwrap()
}

#[test]
fn names_of_all_numbers() {
    let hosts = "\
10.77.0.1\theorot.cluster heorot master.cluster master
10.77.1.0\tn0000.cluster n0000
fd77::1:0\tn0000.cluster n0000
10.77.1.1\tn0001.cluster n0001
fd77::1:1\tn0001.cluster n0001
10.77.1.2\tlogin.cluster login n0002.cluster n0002
fd77::1:2\tlogin.cluster login n0002.cluster n0002
10.77.1.3\tn0003.cluster n0003
fd77::1:3\tn0003.cluster n0003
10.99.0.0\tn0000-ib.cluster n0000-ib
10.99.0.1\tn0001-ib.cluster n0001-ib
10.99.0.2\tlogin-ib.cluster login-ib n0002-ib.cluster n0002-ib
10.99.0.3\tn0003-ib.cluster n0003-ib
10.77.0.20\tswitch.cluster switch
";
    assert_eq!(export(Export::Hosts), hosts);
    let dnsmasq = export(Export::Dnsmasq);
    for line in [
        "local=/cluster/",
        "dhcp-host=52:54:00:00:00:ab,10.77.1.1,n0001",
        "dhcp-host=52:54:00:00:00:02,10.77.1.2,login",
        "dhcp-host=02:00:00:00:00:aa,02:00:00:00:00:ab,10.77.0.20,switch",
        "dhcp-host=02:00:00:00:00:ac,ignore",
        "host-record=login.cluster,login,n0002.cluster,n0002,fd77::1:2",
        "host-record=n0003-ib.cluster,n0003-ib,10.99.0.3",
        "host-record=switch.cluster,switch,10.77.0.20",
    ] {
        assert!(dnsmasq.lines().any(|other| other == line), "{line}\n{dnsmasq}");
    }
    // The zone, two nodes and two hosts.
    assert_eq!(dnsmasq.lines().count(), hosts.lines().count() + 5);
}

/// As DNS and the library have it: whom the operator calls so is meant, and the head node is not.
#[test]
fn one_alone_is_called_master() {
    let place = Place {
        master: Some(Master { name: "heorot".into(), addresses: vec![[10, 77, 0, 1].into()] }),
        ..Place::default()
    };
    let node = Directory { given_names: [(2, "master".into())].into(), ..directory() };
    let hosts = [("master".to_owned(), [10, 77, 0, 20])].into_iter().collect();
    let host = Directory { hosts, ..directory() };
    let alias = Record { name: "master".into(), data: RecordData::Cname("login.cluster".into()) };
    let record = Directory { records: vec![alias], ..directory() };
    for (directory, lines) in [(node, 2), (host, 1), (record, 0)] {
        let table = Table {
            directory: &directory,
            place: &place,
            nodes: BTreeMap::new(),
            served: Served::default(),
            reservations: Vec::new(),
        };
        for export in [Export::Hosts, Export::Dnsmasq] {
            let text = table.export(export).unwrap();
            let called = text.lines().filter(|line| line.contains("master.cluster"));
            assert_eq!(called.count(), lines, "{text}");
            assert!(!text.lines().any(|line| line.contains("heorot.cluster") && line.contains("master")));
        }
    }
}

#[test]
fn what_a_kernel_would_serve() {
    let to =
        "10.77.0.0/16(ro,no_root_squash,no_subtree_check) 10.78.0.0/24(ro,no_root_squash,no_subtree_check)";
    assert_eq!(export(Export::Exports), format!("/srv/heorot/root {to}\n/srv/a\\040b\\043c {to}\n"));
    // What `nfs.insecure` says of ours is said of it, too: kernels refuse ports of 1024 and above by themselves.
    let served = Served {
        directories: vec!["/srv/root".into()],
        networks: vec![(Ipv4Addr::new(10, 77, 0, 0), 16)],
        is_insecure: true,
    };
    let (directory, place) = (directory(), Place::default());
    let table = Table {
        directory: &directory,
        place: &place,
        nodes: BTreeMap::new(),
        served,
        reservations: Vec::new(),
    };
    assert_eq!(
        table.export(Export::Exports).unwrap(),
        "/srv/root 10.77.0.0/16(ro,no_root_squash,no_subtree_check,insecure)\n"
    );
}

#[test]
fn nodes_that_there_are() {
    let table = [
        (Export::Ethers, "52:54:00:00:00:ab n0001\n52:54:00:00:00:02 login\n"),
        (
            Export::Slurm,
            "NodeName=n0000 CPUs=8 RealMemory=15359 Feature=rack-1 State=UNKNOWN\n\
             NodeName=n0001 CPUs=8 RealMemory=15359 Feature=gpu,rack-1 State=UNKNOWN\n\
             NodeName=login Feature=gpu State=UNKNOWN\n\
             NodeName=n0003 CPUs=8 Feature=gpu State=UNKNOWN\n",
        ),
        (
            Export::Genders,
            "n0000 number=0,profile=default,processors=8,rack-1\n\
             n0001 number=1,profile=default,processors=8,gpu,rack-1\n\
             login number=2,profile=default,gpu\n\
             n0003 number=3,profile=default,processors=8,gpu\n",
        ),
        (
            Export::Clustershell,
            "heorot:\n  all: \"n[0000-0001,0003],login\"\n  \"gpu\": \"n[0001,0003],login\"\n  \"rack-1\": \"n[0000-0001]\"\n",
        ),
        (
            Export::Ansible,
            r#"{"all": {"hosts": {
  "n0000": {"ansible_host": "10.77.1.0", "heorot_number": 0, "heorot_profile": "default", "heorot_processors": 8, "heorot_memory_bytes": 17179869184},
  "n0001": {"ansible_host": "10.77.1.1", "heorot_number": 1, "heorot_profile": "default", "heorot_processors": 8, "heorot_memory_bytes": 17179869184},
  "login": {"ansible_host": "10.77.1.2", "heorot_number": 2, "heorot_profile": "default"},
  "n0003": {"ansible_host": "10.77.1.3", "heorot_number": 3, "heorot_profile": "default", "heorot_processors": 8, "heorot_memory_bytes": 17179869184}
}, "children": {
  "gpu": {"hosts": {"n0001": {}, "login": {}, "n0003": {}}},
  "rack_1": {"hosts": {"n0000": {}, "n0001": {}}}
}}}
"#,
        ),
        (
            Export::AnsibleList,
            r#"{"_meta": {"hostvars": {
  "n0000": {"ansible_host": "10.77.1.0", "heorot_number": 0, "heorot_profile": "default", "heorot_processors": 8, "heorot_memory_bytes": 17179869184},
  "n0001": {"ansible_host": "10.77.1.1", "heorot_number": 1, "heorot_profile": "default", "heorot_processors": 8, "heorot_memory_bytes": 17179869184},
  "login": {"ansible_host": "10.77.1.2", "heorot_number": 2, "heorot_profile": "default"},
  "n0003": {"ansible_host": "10.77.1.3", "heorot_number": 3, "heorot_profile": "default", "heorot_processors": 8, "heorot_memory_bytes": 17179869184}
}},
"all": {"hosts": ["n0000", "n0001", "login", "n0003"], "children": ["gpu", "rack_1"]},
"gpu": {"hosts": ["n0001", "login", "n0003"]},
"rack_1": {"hosts": ["n0000", "n0001"]}
}
"#,
        ),
    ];
    for (form, text) in table {
        assert_eq!(export(form), text, "{form:?}");
    }
}

#[test]
fn more_names_than_belong_into_a_file() {
    let mut directory = directory();
    directory.networks[0].numbers.highest = 300_000;
    let table = Table {
        directory: &directory,
        place: &Place::default(),
        nodes: BTreeMap::new(),
        served: Served::default(),
        reservations: Vec::new(),
    };
    assert_eq!(table.export(Export::Hosts), Err(TooMany));
    assert_eq!(Export::named("slurm"), Some(Export::Slurm));
    assert_eq!(Export::named("xml"), None);
}
