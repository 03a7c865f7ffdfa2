use super::*;
use crate::time::Time;

const NOW: Time = Time::from_nanoseconds(1);

const fn mac(last: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 0, last])
}

fn token(digit: &str) -> String {
    digit.repeat(32)
}

fn whose(nodes: &Nodes, digit: &str) -> Option<Mac> {
    nodes.of_token(&token(digit)).map(|node| node.mac)
}

#[test]
fn tokens_are_compared_whole() {
    for (token, guess, expected) in
        [("", "", true), ("ab", "ab", true), ("ab", "aa", false), ("ab", "a", false), ("a", "ab", false)]
    {
        assert_eq!(is_equal(token, guess), expected, "{token} {guess}");
    }
}

/// Whatever becomes of a machine, its present token is its, and no other one is anybody's.
#[test]
fn a_token_is_found_wherever_its_machine_goes() {
    let mut nodes = Nodes::new([7; 16]);
    for last in 1..=3 {
        nodes.meet(NOW, mac(last)).expect("there is room");
    }
    nodes.set_token(mac(1), token("a"));
    nodes.set_token(mac(2), token("b"));
    assert_eq!(
        (whose(&nodes, "a"), whose(&nodes, "b"), whose(&nodes, "c")),
        (Some(mac(1)), Some(mac(2)), None)
    );
    assert_eq!(nodes.of_token("").map(|node| node.mac), None, "the third has none");
    nodes.set_token(mac(1), token("c"));
    assert_eq!((whose(&nodes, "a"), whose(&nodes, "c")), (None, Some(mac(1))));
    nodes.join(mac(1), &[mac(9)]);
    nodes.rename(mac(1), mac(9));
    assert_eq!(whose(&nodes, "c"), Some(mac(9)));
    nodes.take_out(mac(2));
    assert_eq!((whose(&nodes, "b"), whose(&nodes, "c")), (None, Some(mac(9))));
    nodes.set_token(mac(9), String::new());
    assert_eq!(whose(&nodes, "c"), None);
    let mut node = Node::new(NOW, mac(3));
    node.boot.token = token("d");
    nodes.restore(node.clone());
    assert_eq!(whose(&nodes, "d"), Some(mac(3)));
    node.boot.token = token("e");
    nodes.restore(node);
    assert_eq!((whose(&nodes, "d"), whose(&nodes, "e")), (None, Some(mac(3))));
    assert_eq!(nodes.tokens.machines.len(), 1, "nothing is left of what is over");
}
