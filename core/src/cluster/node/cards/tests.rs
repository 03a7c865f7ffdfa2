use super::*;
use crate::time::Time;

const NOW: Time = Time::from_nanoseconds(1_000_000_000_000);
const A: Mac = Mac([2, 0, 0, 0, 0, 1]);
const B: Mac = Mac([2, 0, 0, 0, 0, 2]);
const C: Mac = Mac([2, 0, 0, 0, 0, 3]);
const D: Mac = Mac([2, 0, 0, 0, 0, 4]);

/// A has B and C too, and number 7; D is another machine.
fn nodes() -> Nodes {
    let mut nodes = Nodes::default();
    nodes.meet(NOW, A);
    nodes.meet(NOW, D);
    nodes.join(A, &[B, C]);
    assert!(nodes.claim(A, 7));
    nodes.settle(A);
    nodes
}

#[test]
fn a_card_that_is_taken_out_is_nobodys() {
    let mut nodes = nodes();
    nodes.get_mut(A).expect("it is known").granted_to = Some(B);
    nodes.detach(B);
    assert_eq!(nodes.get(B), None);
    let node = nodes.get(A).expect("it is known");
    assert_eq!((node.further_macs.as_slice(), node.granted_to), ([C].as_slice(), None));
    nodes.join(D, &[B]);
    assert_eq!(nodes.identity(B), D);
}

#[test]
fn a_machine_goes_by_another_card() {
    let mut nodes = nodes();
    nodes.rename(A, D);
    assert_eq!(nodes.identity(C), A, "another machine's is not its own");
    nodes.rename(A, B);
    assert_eq!(nodes.get(A), None);
    assert_eq!((nodes.identity(C), nodes.holder(7)), (B, Some(B)));
    let node = nodes.get(C).expect("it is known");
    assert_eq!((node.mac, node.number, node.further_macs.as_slice()), (B, Some(7), [C].as_slice()));
}

#[test]
fn a_machine_is_taken_out_whole() {
    let mut nodes = nodes();
    nodes.strip(A);
    nodes.take_out(A);
    assert_eq!((nodes.get(A), nodes.get(B), nodes.holder(7)), (None, None, None));
    assert_eq!(nodes.get(D).map(|node| node.mac), Some(D));
}
