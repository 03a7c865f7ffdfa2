use super::*;
use crate::cluster::node::Boot;
use crate::cluster::trouble::Beside;
use crate::mac::Mac;
use std::time::Duration;

fn at(seconds: u64) -> Time {
    Time::from_nanoseconds(seconds * 1_000_000_000)
}

fn node(stage: Stage, phase: Option<Phase>) -> Node {
    let mut node = Node::new(at(100), Mac([0x52, 0x54, 0, 0, 0, 1]));
    (node.stage, node.phase) = (stage, phase);
    node.boot = Boot { token: "0".repeat(32), ..Boot::default() };
    node
}

fn trouble(what: &str) -> Trouble {
    Trouble { what: what.into(), to_do: None }
}

/// Which ends of a boot count: each stage, of a machine that was not tried and of one that was.
#[test]
fn a_boot_counts_that_was_under_way() {
    for (stage, untried, tried) in [
        (Stage::Seen, None, None),
        (Stage::Temporary, Some(1), None),
        (Stage::Testing, Some(1), None),
        (Stage::Failed, None, None),
        (Stage::Ready, None, None),
        (Stage::Booting, Some(1), Some(1)),
        (Stage::Up, None, None),
        (Stage::Down, None, None),
    ] {
        for (tries, expected) in [(0, untried), (1, tried)] {
            let mut node = node(stage, Some(Phase::Initrd));
            node.boot.tries = tries;
            node.boot_over(at(110));
            assert_eq!(node.vain.map(|vain| vain.boots), expected, "{stage}, tried {tries} times");
        }
    }
}

#[test]
fn what_ended_a_boot_is_kept_and_what_was_beside_it_is_not() {
    let mut node = node(Stage::Ready, None);
    node.boot.refused_secrets = Some(Box::new(trouble("no secrets")));
    node.beside.insert(Beside::Agent, trouble("no root"));
    node.beside.insert(Beside::OtherServer, trouble("another server"));
    node.boot_over(at(110));
    let vain = node.vain.expect("it has its number, and did not come up");
    assert_eq!(
        (vain.phase, vain.troubles),
        (Some(Phase::Agent), vec![trouble("no secrets"), trouble("no root")])
    );
}

/// A system without an agent lived if it was not started anew soon.
#[test]
fn who_lived_did_not_boot_in_vain() {
    let lives = SYSTEM_LIVES_AFTER.as_secs();
    for (phase, asked, over, expected) in [
        (Phase::Initrd, Some(110), 110 + lives, 0),
        (Phase::Initrd, Some(110), 109 + lives, 3),
        (Phase::Initrd, None, 110 + lives, 3),
        // An agent says so itself.
        (Phase::Agent, Some(110), 110 + lives, 3),
    ] {
        let mut node = node(Stage::Booting, Some(phase));
        let since = Since::now(at(10));
        node.vain = Some(Box::new(Vain { boots: 2, since, phase: None, troubles: Vec::new(), loaded: None }));
        node.boot.system_asked = asked.map(at);
        node.boot_over(at(over));
        assert_eq!(node.vain.map_or(0, |vain| vain.boots), expected, "{phase}, {asked:?}, {over}");
    }
}

#[test]
fn in_words() {
    let told = |boots, troubles: &[&str], is_booting| {
        let troubles = troubles.iter().map(|what| trouble(what)).collect();
        let vain =
            Vain { boots, since: Since::now(at(10)), phase: Some(Phase::Agent), troubles, loaded: None };
        vain.told(at(10) + Duration::from_secs(7200), is_booting, |what| what == "told")
    };
    for (boots, troubles, is_booting, expected) in [
        (1, &[][..], true, None),
        (1, &["told"][..], true, None),
        (1, &["no root"][..], true, Some("the boot before this one ended in agent: no root")),
        (1, &["no root"][..], false, Some("its last boot ended in agent: no root")),
        (
            13,
            &["told", "no root", "no way"][..],
            true,
            Some(
                "13 boots before this one were not heard to come up, the first 2 h 0 min ago; the last ended in agent: no root; no way",
            ),
        ),
        (
            2,
            &[][..],
            false,
            Some("2 boots were not heard to come up, the first 2 h 0 min ago; the last ended in agent"),
        ),
    ] {
        assert_eq!(told(boots, troubles, is_booting).as_deref(), expected);
    }
}

/// Who is started anew once in a while goes in no circle, also where nobody says that it is up; and one that went in one does not while it runs.
#[test]
fn a_boot_that_lasted_is_none_of_a_circle() {
    let hour = CIRCLE_BOOT_MAX.as_secs();
    let mut node = node(Stage::Booting, Some(Phase::Initrd));
    node.boot_over(at(110));
    node.boot_over(at(99 + hour));
    assert!(node.circle(at(99 + hour)).is_some() && node.circle(at(100 + hour)).is_none());
    node.boot_over(at(100 + hour));
    assert_eq!(node.vain, None);
}

/// What was in the way of the boot before is not in the way of one that lives. A trial may take longer than any boot.
#[test]
fn what_ended_a_boot_is_told_until_another_one_lives() {
    let hour = CIRCLE_BOOT_MAX.as_secs();
    let mut node = node(Stage::Booting, Some(Phase::Initrd));
    node.boot_over(at(110));
    assert!(node.boots_in_vain(at(99 + hour)).is_some() && node.boots_in_vain(at(100 + hour)).is_none());
    node.stage = Stage::Testing;
    assert!(node.boots_in_vain(at(100 + hour)).is_some());
    node.boot_over(at(200 + hour));
    assert!(node.circle(at(300 + hour)).is_some());
}
