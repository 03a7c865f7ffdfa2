use super::*;
use crate::wake::{Bell, line};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// In a network namespace of its own, which goes with the thread: the keeper, what it says, and an interface.
fn in_a_namespace(test: fn(Keeper, Receiver<Done>, u32)) {
    crate::testing::with_a_wire(move |interface, _| {
        let (done, said) = line(&Bell::new().unwrap(), 1);
        test(Keeper::start(Neighbours::open().unwrap(), done).unwrap(), said, interface);
    });
}

fn set(interface: u32, n: u8) -> Change {
    Change::Set { interface, address: Ipv4Addr::new(10, 0, 1, n), mac: Mac([2, 0, 0, 0, 1, n]) }
}

fn entries() -> usize {
    let shown =
        std::process::Command::new("ip").args(["neigh", "show", "nud", "permanent"]).output().unwrap();
    String::from_utf8(shown.stdout).unwrap().lines().filter(|line| line.contains("10.0.1.")).count()
}

fn wait(keeper: &mut Keeper, said: &Receiver<Done>) -> bool {
    let outcome = said.recv_timeout(Duration::from_secs(10)).unwrap();
    keeper.done();
    outcome.is_ok()
}

#[test]
fn what_was_wanted_until_a_moment_stands_when_that_is_done() {
    in_a_namespace(|mut keeper, said, interface| {
        assert_eq!(keeper.wanted(), keeper.carried_out(), "nothing was wanted");
        (1..=100).for_each(|n| assert!(keeper.want(set(interface, n))));
        let first = keeper.wanted();
        assert!(first > keeper.carried_out());
        keeper.submit();
        assert_eq!(keeper.wanted(), first);
        // What comes meanwhile is another moment's.
        keeper.want(set(interface, 101));
        keeper.submit();
        let second = keeper.wanted();
        assert!(second > first);
        assert!(wait(&mut keeper, &said));
        assert_eq!(keeper.carried_out(), first);
        assert_eq!(entries(), 100);
        keeper.submit();
        assert!(wait(&mut keeper, &said));
        assert_eq!((keeper.carried_out(), keeper.wanted()), (second, second));
        keeper.want(Change::Drop { interface, address: Ipv4Addr::new(10, 0, 1, 7) });
        keeper.submit();
        assert!(wait(&mut keeper, &said));
        assert_eq!(entries(), 100);
        assert_eq!(keeper.end().unwrap(), 100);
        assert_eq!(entries(), 0);
    });
}

#[test]
fn what_cannot_be_done_is_told_and_done_with() {
    in_a_namespace(|mut keeper, said, interface| {
        keeper.want(set(9999, 1));
        keeper.want(set(interface, 2));
        keeper.submit();
        assert!(!wait(&mut keeper, &said));
        assert_eq!((keeper.carried_out(), entries()), (keeper.wanted(), 1));
    });
}

#[test]
fn a_kernel_that_hangs_does_not_eat_the_memory() {
    in_a_namespace(|mut keeper, _said, interface| {
        let wanted = (0..2 * GATHERED_MAX).filter(|_| keeper.want(set(interface, 1))).count();
        assert_eq!(wanted, GATHERED_MAX);
    });
}
