//! Whom operators mean by sets, and what other tools are told of nodes.

use super::*;
use crate::cluster::record::NodeRecord;
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
