//! Whom operators mean by sets, and what other tools are told of nodes.

use super::*;
use crate::cluster::record::NodeRecord;
use crate::message::ChangeRequest;
use heorot_names::export::Export;

fn whole(heorot: &mut Heorot, query: Query) -> String {
    match ask(heorot, query).whole(|query| Some(ask(heorot, query))) {
        Some(Answer::Json(status, body)) => format!("{status} {body}"),
        Some(Answer::Text(text)) => text,
        other => panic!("not an answer: {other:?}"),
    }
}

fn machine(last: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 0, last])
}

/// As it was recorded of a machine that told these facts.
fn told(last: u8, number: u32, facts: &str) -> Record {
    let facts = serde_json::from_str(facts).unwrap();
    Record::Node(NodeRecord {
        mac: machine(last),
        further_macs: Vec::new(),
        granted_to: None,
        number: Some(number),
        facts,
    })
}

/// Slurm takes a node out of service that has less memory than it was told: so it is told what programs find there, and nothing of a node whose agent did not say that.
#[test]
fn slurm_is_told_the_memory_that_programs_find() {
    let records = vec![
        told(0, 0, r#"{"processors":8,"memory_bytes":17179869184,"kernel_memory_bytes":16705101824}"#),
        told(1, 1, r#"{"processors":8,"memory_bytes":17179869184}"#),
    ];
    let mut heorot = with_configuration("", records);
    assert_eq!(
        whole(&mut heorot, Query::Export(Export::Slurm)),
        "NodeName=node0 CPUs=8 RealMemory=15931 State=UNKNOWN\nNodeName=node1 CPUs=8 State=UNKNOWN\n"
    );
}

/// What is exported of a node that was not heard yet is what it is going to boot, as far as the configuration says it.
#[test]
fn a_node_that_was_not_heard_has_the_profile_that_is_for_it() {
    let further = "[profile.default]\nkernel = \"vmlinuz\"\n[profile.new]\nnodes = \"node[0-6]\"\n\
        [profile.arm]\nnodes = \"node6\"\narchitecture = \"uefi-arm64\"\n[profile.big]\nkernel = \"big\"\n\
        [[node]]\nmac = \"52:54:00:00:00:04\"\nnumber = 4\nprofile = \"big\"\n\
        [[node]]\nmac = \"52:54:00:00:00:05\"\nnumber = 5\n\
        [[node]]\nmac = \"52:54:00:00:00:06\"\nnumber = 6\n\
        [[node]]\nmac = \"52:54:00:00:00:07\"\nnumber = 7\n";
    let mut heorot = with_configuration(further, Vec::new());
    let expected = "node4 number=4,profile=big\nnode5 number=5,profile=new\nnode6 number=6,profile=new\n\
        node7 number=7,profile=default\n";
    assert_eq!(whole(&mut heorot, Query::Export(Export::Genders)), expected);
    let all = crate::cluster::export::of_configuration(&heorot.config, Export::Genders).unwrap();
    let of_some: Vec<_> = all.lines().skip(3).take(5).collect();
    assert_eq!(of_some.join("\n"), format!("node3 number=3,profile=new\n{}", expected.trim_end()));
}

/// A machine without a number is nobody's node, and is meant by its state or its hardware address: where it is to be listed or changed, and not where names are wanted.
#[test]
fn machines_without_a_number_are_meant_by_state_and_hardware_address() {
    let mut heorot = with_configuration("[trial]\npolicy = \"accept\"\n", vec![told(9, 9, "{}")]);
    for last in 1..=3 {
        take(&mut heorot, &with(28, &machine(last).0));
    }
    let mut listed = |set: &str, without: Option<&str>| {
        let query = Query::Nodes { set: Some(set.into()), without: without.map(str::to_owned) };
        let answer = whole(&mut heorot, query);
        let Some(rows) = answer.strip_prefix("200 ") else { return answer };
        let rows: Vec<serde_json::Value> = serde_json::from_str(rows).unwrap();
        rows.iter().map(|row| row["mac"].as_str().unwrap().split_at(16).1.to_owned()).collect::<String>()
    };
    let (first, second) = (machine(1).to_string(), machine(2).to_string());
    for (set, without, expected) in [
        ("@state:seen", None, "123"),
        ("seen", Some(first.as_str()), "23"),
        ("@profile:trial", None, "123"),
        ("@state:*", None, "9123"),
        (&format!("{first},{second},node9"), None, "912"),
        (&format!("node9,{second},52:54:00:00:00:77"), None, "92"),
        ("seen!52-54-0-0-0-3", None, "12"),
        ("all", None, "9"),
    ] {
        assert_eq!(listed(set, without), expected, "{set}");
    }
    assert_eq!(
        listed("@state:failed", None),
        "404 {\"error\":\"no such node: @state:failed (3 machines have no number: they are meant by state, as @state:temporary, or by hardware address; \
         `heorot node list` shows all)\"}"
    );
    assert!(listed("node5", None).contains("no such node: node5 (a number, a name"));
    // Names are of numbers.
    let mut node_set = |set: &str| whole(&mut heorot, Query::NodeSet { set: set.into(), without: None });
    // ClusterShell asks for each state that its file lists, and lists no group after one that is refused.
    let without_number = "{\"folded\":\"\",\"size\":0,\"names\":[],\"without_number\":3}";
    assert_eq!(node_set("@state:seen"), format!("200 {without_number}"));
    assert_eq!(node_set("@state:failed"), "200 {\"folded\":\"\",\"size\":0,\"names\":[]}");
    assert_eq!(
        node_set("node9,seen"),
        "200 {\"folded\":\"node9\",\"size\":1,\"names\":[\"node9\"],\"without_number\":3}"
    );
    assert!(node_set("@state:unknown").starts_with("400 "));
    let one = format!("400 {{\"error\":\"{first}: {first} has no number, and so no name\"}}");
    assert_eq!(node_set(&first), one);
    assert_eq!(
        node_set("@state:*"),
        "200 {\"folded\":\"node9\",\"size\":1,\"names\":[\"node9\"],\"without_number\":3}"
    );
    assert_eq!(node_set("52:54:00:00:00:09"), "200 {\"folded\":\"node9\",\"size\":1,\"names\":[\"node9\"]}");
    assert_eq!(node_set("@state:held"), "200 {\"folded\":\"\",\"size\":0,\"names\":[]}");
    let change = |verb, set: &str, without: Option<&str>| {
        let (set, without) = (set.to_owned(), without.map(str::to_owned));
        let request = ChangeRequest { set, without, dry_run: true, ..ChangeRequest::default() };
        Query::Change(verb, Box::new(request))
    };
    let denied = whole(&mut heorot, change(crate::message::Verb::Deny, "seen", Some(&first)));
    let expected = "\"nodes\":\"52:54:00:00:00:02,52:54:00:00:00:03\",\"field\":\"state\",\"before\":\"seen\",\"after\":\"denied\"";
    assert!(denied.contains(expected), "{denied}");
    // Who was never seen has nothing that could be taken from him.
    let retired = whole(&mut heorot, change(crate::message::Verb::Retire, "node9,52:54:00:00:00:77", None));
    assert!(
        retired.contains("\"after\":\"retired\"")
            && retired.contains("{\"nodes\":\"52:54:00:00:00:77\",\"why\":\"it was never seen\"}"),
        "{retired}"
    );
}

/// Who has a key of another kind must not be known by ours: those have ours whose profile says so, seen or not, and whom an operator gives such a profile.
#[test]
fn host_keys_are_of_those_whose_profile_has_them() {
    let keys = |heorot: &mut Heorot| {
        let answer = ask(heorot, Query::HostKeys);
        let Answer::HostKeys(keys) = answer else { panic!("not an answer: {answer:?}") };
        keys.directory.fold(&keys.numbers).to_string()
    };
    assert_eq!(
        whole(&mut with_configuration("", Vec::new()), Query::HostKeys),
        "400 {\"error\":\"no node has a host key of ours: no profile says ssh-host-key = true\"}"
    );
    let further = "[profile.default]\nkernel = \"vmlinuz\"\n[profile.keys]\nnodes = \"node[2-5],named\"\nssh-host-key = true\n\
        [profile.other]\nnodes = \"node5\"\n[profile.also]\nssh-host-key = true\n\
        [profile.arm]\nnodes = \"node4\"\narchitecture = \"uefi-arm64\"\nssh-host-key = false\n\
        [[node]]\nmac = \"52:54:00:00:00:02\"\nnumber = 2\nprofile = \"other\"\n\
        [[node]]\nmac = \"52:54:00:00:00:06\"\nnumber = 6\nname = \"named\"\n\
        [[node]]\nmac = \"52:54:00:00:00:07\"\nnumber = 7\nprofile = \"also\"\n";
    let mut heorot = with_configuration(further, vec![told(8, 8, "{}"), told(9, 9, "{}")]);
    assert_eq!(keys(&mut heorot), "node[3-4,7],named");
    let set = |heorot: &mut Heorot, last: u8, profile: &str| {
        heorot.turn(NOW, &mut Vec::new(), |turn| {
            let node = turn.hall.nodes.get_mut(machine(last)).unwrap();
            node.orders.profile = Some(profile.into());
        });
    };
    set(&mut heorot, 8, "also");
    assert_eq!(keys(&mut heorot), "node[3-4,7-8],named");
    // Its system runs with the key that it has, whatever it boots next.
    heorot.turn(NOW, &mut Vec::new(), |turn| drop(turn.plan_anew(machine(8))));
    set(&mut heorot, 8, "other");
    assert_eq!(keys(&mut heorot), "node[3-4,7-8],named");
    heorot.turn(NOW, &mut Vec::new(), |turn| drop(turn.plan_anew(machine(8))));
    assert_eq!(keys(&mut heorot), "node[3-4,7],named");
}

/// What a listed node would get is known before it was ever switched on.
#[test]
fn the_files_of_a_node_that_was_not_heard() {
    let further = "[profile.default]\nkernel = \"vmlinuz\"\n[profile.new]\nnodes = \"node5\"\noverlays = [\"base\"]\nattributes = { rack = \"a\", place = \"1\" }\n\
        [[node]]\nmac = \"52:54:00:00:00:05\"\nnumber = 5\nattributes = { place = \"7\" }\n\
        [[node]]\nmac = \"52:54:00:00:00:06\"\nname = \"later\"\n";
    let mut heorot = with_configuration(further, Vec::new());
    for name in ["node5", "5", "52:54:00:00:00:05", "10.77.1.5"] {
        let Answer::Files(files) = ask(&mut heorot, Query::Files(name.into())) else {
            panic!("{name}: no files")
        };
        let values = &files.values.values;
        assert_eq!((files.number, files.mac, files.values.profile.as_str()), (5, machine(5), "new"));
        assert_eq!(files.overlays.open, ["base"]);
        assert_eq!(
            values.node_attributes,
            [("place".into(), "7".into()), ("rack".into(), "a".into())].into()
        );
        assert_eq!(
            (values.node_address.to_string(), values.server_address.to_string()),
            ("10.77.1.5".into(), "10.77.0.1".into())
        );
    }
    for (name, status) in [("52:54:00:00:00:06", "409 "), ("node4", "404 ")] {
        let answer = whole(&mut heorot, Query::Files(name.into()));
        assert!(answer.starts_with(status), "{name}: {answer}");
    }
    let shown = whole(&mut heorot, Query::Node("node5".into()));
    assert!(shown.contains("\"profile\":\"new\""), "{shown}");
}
