use super::*;
use crate::{Numbering, Pattern};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;

fn directory(pattern: &str) -> Directory {
    Directory {
        zone: "cluster".into(),
        pattern: Pattern::parse(pattern).unwrap(),
        networks: Vec::<Numbering>::new(),
        given_names: [(7, "storage".into()), (40, "login-a".into())].into(),
        hosts: Default::default(),
        records: Vec::new(),
        serial: 1,
    }
}

#[test]
fn texts_and_their_numbers() {
    let table: &[(&str, &str, &[u32], &str)] = &[
        ("node{}", "node5", &[5], "node5"),
        ("node{}", "NODE[0-3,7]", &[0, 1, 2, 3, 7], "node[0-3,7]"),
        ("node{}", "node[7,0-3]", &[0, 1, 2, 3, 7], "node[0-3,7]"),
        ("node{}", "node[3,2,1]", &[1, 2, 3], "node[1-3]"),
        ("node{}", "node[5]", &[5], "node5"),
        ("node{}", "node[ 1 , 2 ]", &[1, 2], "node[1-2]"),
        ("node{}", "0-3,7", &[0, 1, 2, 3, 7], "node[0-3,7]"),
        ("node{}", " 5 , node6 ", &[5, 6], "node[5-6]"),
        ("node{}", "005", &[5], "node5"),
        ("node{}", "0-10/2", &[0, 2, 4, 6, 8, 10], "node[0,2,4,6,8,10]"),
        ("node{}", "node[0-10/4]", &[0, 4, 8], "node[0,4,8]"),
        ("node{}", "0-3/1", &[0, 1, 2, 3], "node[0-3]"),
        ("node{}", "4294967294-4294967295/1", &[u32::MAX - 1, u32::MAX], "node[4294967294-4294967295]"),
        ("node{}", "4294967290-4294967295/4", &[u32::MAX - 5, u32::MAX - 1], "node[4294967290,4294967294]"),
        ("node{}", "storage", &[7], "node7"),
        ("node{}", "Login-A,storage", &[7, 40], "node[7,40]"),
        ("node{}", "0-9!5", &[0, 1, 2, 3, 4, 6, 7, 8, 9], "node[0-4,6-9]"),
        ("node{}", "0-9&5-20", &[5, 6, 7, 8, 9], "node[5-9]"),
        ("node{}", "0-3^2-5", &[0, 1, 4, 5], "node[0-1,4-5]"),
        ("node{}", "5!5", &[], ""),
        // From left to right, without precedence, as ClusterShell does it.
        ("node{}", "0-3!2,2", &[0, 1, 2, 3], "node[0-3]"),
        ("node{}", "0-3,2!2", &[0, 1, 3], "node[0-1,3]"),
        ("node{}", "0-9!0-4&6-20^6", &[7, 8, 9], "node[7-9]"),
        ("n{:04}", "n[0001-0003]", &[1, 2, 3], "n[0001-0003]"),
        ("n{:04}", "n0005,7", &[5, 7], "n[0005,0007]"),
        ("n{:04}", "n[9998-10001]", &[9998, 9999, 10000, 10001], "n[9998-10001]"),
        ("b{}-eth", "b[1-2]-ETH", &[1, 2], "b[1-2]-eth"),
        ("{}", "3-5", &[3, 4, 5], "[3-5]"),
        ("{}", "[3-5]", &[3, 4, 5], "[3-5]"),
    ];
    for (pattern, text, numbers, folded) in table {
        let directory = directory(pattern);
        let set = NodeSet::parse(text, &directory).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(set.iter().collect::<Vec<_>>(), *numbers, "{text}");
        assert_eq!(set.size(), numbers.len() as u64, "{text}");
        assert_eq!(set.fold(&directory.pattern).to_string(), *folded, "{text}");
    }
}

#[test]
fn wrong_texts_and_where() {
    use NodeSetProblem as P;
    let looks = || P::NoSuchName("node{}".into());
    let table: &[(&str, Range<usize>, P)] = &[
        ("", 0..0, P::Missing),
        ("  ", 2..2, P::Missing),
        ("5,", 2..2, P::Missing),
        ("5,,6", 2..2, P::Missing),
        ("!5", 0..0, P::Missing),
        ("5!!6", 2..2, P::Missing),
        ("^/etc/nodes", 0..11, P::Unsupported(Unsupported::Files)),
        ("node1,@rack1", 6..12, P::Unsupported(Unsupported::Groups)),
        ("@*", 0..2, P::Unsupported(Unsupported::Groups)),
        ("node*", 0..5, P::Unsupported(Unsupported::Wildcards)),
        ("1,node?", 2..7, P::Unsupported(Unsupported::Wildcards)),
        ("/node.*/", 0..8, P::Unsupported(Unsupported::Expressions)),
        ("node[1-2]x[3-4]", 0..15, P::Unsupported(Unsupported::SecondBracket)),
        ("node1[0-9]", 0..10, P::Unsupported(Unsupported::DigitsBesideBracket)),
        ("node[0-9]1", 0..10, P::Unsupported(Unsupported::DigitsBesideBracket)),
        ("node[1-2", 4..5, P::Bracket),
        ("node1-2]", 7..8, P::Bracket),
        ("node[1[2]]", 6..7, P::Bracket),
        ("node[]", 5..5, P::NotANumber),
        ("node[1,,2]", 7..7, P::NotANumber),
        ("node[1-x]", 7..8, P::NotANumber),
        ("node[1-2-3]", 7..10, P::NotANumber),
        ("1-", 2..2, P::NotANumber),
        ("1-2/", 4..4, P::NotANumber),
        ("4294967296", 0..10, P::NumberTooLarge),
        ("node[0-99999999999]", 7..18, P::NumberTooLarge),
        ("3-1", 0..3, P::Reversed),
        ("node7,node[5-3]", 11..14, P::Reversed),
        ("0-9/0", 4..5, P::Step),
        ("5/2", 2..3, P::Step),
        ("node05", 0..6, P::Spelling("node5".into())),
        ("node[01-03]", 5..7, P::Spelling("1".into())),
        ("5,other6", 2..8, looks()),
        ("rack[1-2]", 0..9, looks()),
        ("node", 0..4, looks()),
        ("node-5", 0..6, looks()),
        ("n\u{f6}de5,6", 0..6, looks()),
        ("1 2", 0..3, looks()),
        ("node4294967296", 0..14, looks()),
        ("0-262143,0", 9..10, P::TooManyNumbers),
        ("0-4294967295", 0..12, P::TooManyNumbers),
        ("0-4294967295/2", 0..14, P::TooManyNumbers),
    ];
    let directory = directory("node{}");
    for (text, span, problem) in table {
        let expected = NodeSetError { span: span.clone(), problem: problem.clone() };
        assert_eq!(NodeSet::parse(text, &directory), Err(expected), "{text}");
    }
    let padded = NodeSet::parse("n[1-3]", &self::directory("n{:04}"));
    assert_eq!(padded, Err(NodeSetError { span: 2..3, problem: P::Spelling("0001".into()) }));
}

#[test]
fn texts_at_their_bounds() {
    let directory = directory("node{}");
    let problem = |text: &str| NodeSet::parse(text, &directory).map(|set| set.size()).map_err(|e| e.problem);
    assert_eq!(problem("0-262143"), Ok(262_144));
    assert_eq!(problem(&("1,".repeat(32_767) + "1")), Ok(1));
    assert_eq!(problem(&("1,".repeat(32_767) + "111")), Err(NodeSetProblem::TextTooLong));
    assert_eq!(problem(&("1!".repeat(64) + "2")), Ok(0));
    assert_eq!(problem(&("1!".repeat(65) + "2")), Err(NodeSetProblem::TooManyOperators));
}

#[test]
fn membership_at_the_ends() {
    let set: NodeSet = [0, 5, 6, 7, u32::MAX].into_iter().collect();
    for (number, inside) in
        [(0, true), (1, false), (4, false), (5, true), (7, true), (8, false), (u32::MAX, true)]
    {
        assert_eq!(set.contains(number), inside, "{number}");
    }
    assert!(!NodeSet::default().contains(0));
}

/// Numbers that lie close together and touch the ends, so that ranges meet, overlap and run into the largest number.
fn numbers() -> impl Strategy<Value = BTreeSet<u32>> {
    let number = prop_oneof![0..40_u32, 9_990..10_010_u32, u32::MAX - 20..=u32::MAX];
    proptest::collection::btree_set(number, 0..40)
}

fn pattern() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("node{}"), Just("n{:04}"), Just("{}"), Just("rack-{:02}-blade"), Just("{:010}x")]
}

proptest! {
    #[test]
    fn folded_text_reads_back(numbers in numbers(), pattern in pattern()) {
        prop_assume!(!numbers.is_empty());
        let directory = directory(pattern);
        let set: NodeSet = numbers.iter().copied().collect();
        let text = set.fold(&directory.pattern).to_string();
        prop_assert_eq!(NodeSet::parse(&text, &directory), Ok(set), "{}", text);
    }

    #[test]
    fn algebra_agrees_with_plain_sets(a in numbers(), b in numbers()) {
        let (x, y): (NodeSet, NodeSet) = (a.iter().copied().collect(), b.iter().copied().collect());
        let same = |set: NodeSet, plain: BTreeSet<u32>| {
            prop_assert_eq!(set.iter().collect::<BTreeSet<_>>(), plain.clone());
            // One set has one form.
            prop_assert_eq!(set, plain.into_iter().collect::<NodeSet>());
            Ok(())
        };
        same(x.union(&y), &a | &b)?;
        same(x.difference(&y), &a - &b)?;
        same(x.intersection(&y), &a & &b)?;
        same(x.symmetric_difference(&y), &a ^ &b)?;
    }

    #[test]
    fn any_text_gives_a_set_or_a_place(text in r"([\PC]|node|[0-9,!&^/@ \[\]-]){0,40}") {
        match NodeSet::parse(&text, &directory("node{}")) {
            Ok(set) => prop_assert!(set.size() <= 262_144),
            Err(error) => prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error),
        }
    }
}
