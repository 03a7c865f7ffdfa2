use super::*;
use crate::{Numbering, Pattern};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;

fn directory(pattern: &str) -> Directory {
    Directory {
        networks: Vec::<Numbering>::new(),
        given_names: [
            (7, "storage"),
            (40, "login-a"),
            (60, "rack1-01"),
            (61, "rack1-02"),
            (62, "rack2-01"),
            (63, "rack2-02"),
        ]
        .map(|(number, name)| (number, name.to_owned()))
        .into(),
        hosts: Default::default(),
        hardware_addresses: Default::default(),
        groups: Default::default(),
        ..Directory::new("cluster", Pattern::parse(pattern).unwrap())
    }
}

/// Reads a text where there are a hundred nodes, some groups, and states.
fn parse(text: &str, directory: &Directory) -> Result<NodeSet, NodeSetError> {
    let group = |source: Option<&str>, name: &str| {
        let numbers: Vec<u32> = match (source, name) {
            (None, "*") => (0..100).collect(),
            (None, "east") => vec![1, 2, 3, 7],
            (None, "group1") => vec![1],
            (None, "group2") => vec![2],
            (None, "none") => vec![],
            (Some("state"), "up") => vec![8, 9, 50],
            _ => return None,
        };
        Some(numbers.into_iter().collect())
    };
    NodeSet::parse_with(text, directory, &group)
}

#[test]
fn groups_of_the_directory() {
    let mut directory = directory("node{}");
    directory.groups = [("east".to_owned(), (5..8).collect())].into();
    directory.networks = vec![Numbering {
        numbers: NumberRange { lowest: 0, highest: 9 },
        first: [10, 0, 0, 0].into(),
        first_ipv6: None,
        suffix: String::new(),
    }];
    let numbers = |text| NodeSet::parse(text, &directory).map(|set| set.fold(&directory.pattern).to_string());
    assert_eq!(numbers("@east"), Ok("node[5-7]".into()));
    assert_eq!(numbers("@*!@east"), Ok("node[0-4,8-9]".into()));
    assert_eq!(numbers("node*!1-9"), Ok("node0".into()));
    assert_eq!(numbers("@state:up").unwrap_err().problem, NodeSetProblem::NoSuchGroup("state:up".into()));
}

#[test]
fn files_in_the_place_of_their_names() {
    let read = |path: &str| match path {
        "/etc/east" => Ok("node1 node2\n# all of them\n  node[5-7],node9,  # and these\n\n".to_owned()),
        "-" => Ok("3\n4\n".to_owned()),
        "empty" => Ok("# nobody\n".to_owned()),
        "odd" => Ok("node1\nnode[2-9]!5".to_owned()),
        _ => Err("no such file".to_owned()),
    };
    type Expected = Result<&'static str, (Range<usize>, &'static str)>;
    let table: &[(&str, Expected)] = &[
        ("^/etc/east", Ok("node1,node2,node[5-7],node9")),
        (" 8, ^/etc/east ,10!9", Ok(" 8,node1,node2,node[5-7],node9,10!9")),
        ("-", Ok("3,4")),
        ("7,-,8", Ok("7,3,4,8")),
        ("5-9,node[1-3,5]^2", Ok("5-9,node[1-3,5]^2")),
        ("^none", Err((0..5, "none: no such file"))),
        ("1, ^empty", Err((3..9, "empty: no nodes are listed"))),
        ("^odd", Err((0..4, "odd: 'node[2-9]!5': a file lists nodes, without operators and expressions"))),
    ];
    for (text, expected) in table {
        let found = with_files(text, read).map_err(|error| (error.span, error.why));
        assert_eq!(
            found,
            expected.clone().map(str::to_owned).map_err(|(span, why)| (span, why.to_owned())),
            "{text}"
        );
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
        // Brackets anywhere, and several: names one by one.
        ("node{}", "node1[0-2]", &[10, 11, 12], "node[10-12]"),
        ("node{}", "node[1-2]5", &[15, 25], "node[15,25]"),
        ("node{}", "node[1-2][0-8/4]", &[10, 14, 18, 20, 24, 28], "node[10,14,18,20,24,28]"),
        ("n{:04}", "n[00-01][23]", &[23, 123], "n[0023,0123]"),
        ("node{}", "Rack[1-2]-[01-02]", &[60, 61, 62, 63], "node[60-63]"),
        ("node{}", "rack[2]-02,5", &[5, 63], "node[5,63]"),
        // Groups.
        ("node{}", "@east", &[1, 2, 3, 7], "node[1-3,7]"),
        (
            "node{}",
            "@*!@east",
            &(0..100).filter(|n| ![1, 2, 3, 7].contains(n)).collect::<Vec<_>>(),
            "node[0,4-6,8-99]",
        ),
        ("node{}", "@group[1-2]", &[1, 2], "node[1-2]"),
        ("node{}", "@state:up&0-9", &[8, 9], "node[8-9]"),
        ("node{}", "up,@east", &[1, 2, 3, 7, 8, 9, 50], "node[1-3,7-9,50]"),
        ("node{}", "all&98-120", &[98, 99], "node[98-99]"),
        ("node{}", "@none", &[], ""),
        // Of those that there are, these.
        ("node{}", "node9*", &[9, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99], "node[9,90-99]"),
        ("node{}", "node?!2-9", &[0, 1], "node[0-1]"),
        ("node{}", "stor*", &[7], "node7"),
        ("node{}", "/[78]7/,0", &[0, 77, 87], "node[0,77,87]"),
        ("node{}", "/^login|,/ , 3", &[3, 40], "node[3,40]"),
        ("node{}", "node* & /0$/ ! 10-80", &[0, 90], "node[0,90]"),
    ];
    for (pattern, text, numbers, folded) in table {
        let directory = directory(pattern);
        let set = parse(text, &directory).unwrap_or_else(|e| panic!("{text}: {e}"));
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
        ("^/etc/nodes", 0..11, P::File),
        ("5, ^nodes ,6", 3..9, P::File),
        ("-", 0..1, P::File),
        ("5!-,6", 2..3, P::File),
        ("node1,@rack1", 6..12, P::NoSuchGroup("rack1".into())),
        ("@state:odd", 0..10, P::NoSuchGroup("state:odd".into())),
        ("@group[1-3]", 0..11, P::NoSuchGroup("group3".into())),
        ("@", 0..1, P::NoSuchGroup("".into())),
        ("@state:", 0..7, P::NoSuchGroup("state:".into())),
        ("1,node[1-2]*", 2..12, P::WildcardAndBracket),
        ("5,/node(/,6", 2..9, P::Expression(ExpressionError::Unbalanced)),
        ("/node,6", 0..7, P::Expression(ExpressionError::Slash)),
        ("/a/b", 0..4, P::Expression(ExpressionError::Slash)),
        ("node[1-2]x[3-4]", 0..15, looks()),
        ("node0[0-9]", 0..10, P::Spelling("node0".into())),
        ("rack[1-2]-[1-2]", 0..15, looks()),
        ("5,rack[1-3]-[01-02]", 2..19, looks()),
        ("node[1-2]x[3-y]", 13..14, P::NotANumber),
        ("x[0-99999][0-99999]", 0..19, P::TooManyNumbers),
        ("x[0-4294967295][0-4294967295][0-9]", 0..34, P::TooManyNumbers),
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
        assert_eq!(parse(text, &directory), Err(expected), "{text}");
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

/// Three machines have no number: 0 and 1 have failed, as node 9 has, and 2 is new.
#[test]
fn machines_without_a_number() {
    let directory = directory("node{}");
    let set = |numbers: &[u32]| numbers.iter().copied().collect::<NodeSet>();
    let group = |source: Option<&str>, name: &str| match (source, name) {
        (None, "*") => Some(set(&[7, 8, 9]).into()),
        (Some("state"), "failed") => Some(Members { numbers: set(&[9]), others: set(&[0, 1]) }),
        (Some("state"), "*") => Some(Members { numbers: set(&[7, 8, 9]), others: set(&[0, 1, 2]) }),
        _ => None,
    };
    let machine = |text: &str| match text {
        "52:54:00:00:00:00" => Some(Members { others: set(&[0]), ..Members::default() }),
        "52:54:00:00:00:02" => Some(Members { others: set(&[2]), ..Members::default() }),
        "52:54:00:00:00:07" => Some(set(&[7]).into()),
        _ => None,
    };
    let vocabulary = Vocabulary { directory: &directory, group: &group, machine: &machine };
    let none: &[u32] = &[];
    for (text, numbers, others) in [
        ("@state:failed", &[9][..], &[0, 1][..]),
        ("failed", &[9], &[0, 1]),
        ("52:54:00:00:00:07", &[7], none),
        ("52:54:00:00:00:02 , node8", &[8], &[2]),
        ("failed,52:54:00:00:00:02", &[9], &[0, 1, 2]),
        ("failed!52:54:00:00:00:00", &[9], &[1]),
        ("failed&52:54:00:00:00:00", none, &[0]),
        ("@state:*^failed", &[7, 8], &[2]),
        // These are of nodes with a name.
        ("all", &[7, 8, 9], none),
        ("node*", &[7, 8, 9], none),
        ("/./!failed", &[7, 8], none),
    ] {
        let expected = Members { numbers: set(numbers), others: set(others) };
        assert_eq!(Members::parse(text, &vocabulary), Ok(expected), "{text}");
    }
    let stranger = Members::parse("52:54:00:00:00:99", &vocabulary).map_err(|error| error.problem);
    assert_eq!(stranger, Err(NodeSetProblem::NoSuchName("node{}".into())));
    assert_eq!(
        NodeSet::parse("52:54:00:00:00:07", &directory).map_err(|error| error.problem),
        Err(NodeSetProblem::NoSuchName("node{}".into()))
    );
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
    fn any_text_gives_a_set_or_a_place(text in r"([\PC]|node|[0-9,!&^/@ \[\]*?:(){}|+.-]){0,40}") {
        match parse(&text, &directory("node{}")) {
            Ok(set) => prop_assert!(set.size() <= 262_144),
            Err(error) => prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error),
        }
    }
}
