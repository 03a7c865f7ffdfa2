use super::*;
use heorot_names::{NodeSet, NumberRange, Numbering, Pattern};

mod arithmetic;
mod files;

/// Two networks of the nodes 0-9 and 20-29, a second one of all of them, a switch; node 7 has a name given by hand.
fn directory() -> Directory {
    let network = |lowest, highest, first: [u8; 4], suffix: &str| Numbering {
        numbers: NumberRange { lowest, highest },
        first: first.into(),
        first_ipv6: None,
        suffix: suffix.into(),
    };
    Directory {
        networks: vec![
            network(0, 9, [10, 77, 1, 0], ""),
            network(20, 29, [10, 78, 1, 0], ""),
            network(0, 29, [10, 66, 0, 0], "-ib"),
        ],
        given_names: [(7, "storage".into()), (900, "nowhere".into())].into(),
        hosts: [("switch".to_owned(), Ipv4Addr::new(10, 77, 0, 20))].into_iter().collect(),
        hardware_addresses: [(7, [0x52, 0x54, 0, 0, 0, 7]), (23, [0x52, 0x54, 0, 0xab, 0, 0x17])].into(),
        groups: [("rack1".into(), (0..=7).collect::<NodeSet>()), ("none".into(), NodeSet::default())].into(),
        ..Directory::new("cluster", Pattern::parse("node{}").unwrap())
    }
}

const PASSWD: &str = "\
root:$6$salt$hash:0:0:root:/root:/bin/bash
alice:$6$salt$hash:1000:100:Alice:/home/alice:/bin/bash
bob::1001:100::/home/bob:/bin/sh

# a comment
+@admins::::::
broken:x:1002
eve:x:not:100::/home/eve:/bin/sh
alice:x:1003:100:the second is nobody:/:/bin/sh
";

const GROUP: &str = "\
root:*:0:
users:!:100:alice, bob
wheel:$1$hash:10:alice
+:::
";

fn content_of(directory: Directory, passwd: Option<&str>, group: Option<&str>) -> Content {
    let own = [("heorot".to_owned(), vec![Ipv4Addr::new(10, 77, 0, 1), Ipv4Addr::new(10, 66, 1, 1)])].into();
    let accounts = Arc::new(Accounts::new(passwd, group).0);
    Content::new(("cluster", "heorot", &own), 1_700_000_000, &Arc::new(directory), &accounts)
}

fn content() -> Content {
    content_of(directory(), Some(PASSWD), Some(GROUP))
}

fn value(content: &Content, map: &str, key: &str) -> Option<String> {
    let map = MAPS.iter().find(|(name, _)| *name == map).unwrap().1;
    content.value(map, key.as_bytes()).map(|value| String::from_utf8(value).unwrap())
}

/// All of a map, by FIRST and NEXT. What stands at a key when walking is what MATCH has for it.
fn walk(content: &Content, name: &str) -> Vec<(String, String)> {
    let map = MAPS.iter().find(|(known, _)| *known == name).unwrap().1;
    let (mut all, mut last) = (Vec::new(), None::<Vec<u8>>);
    loop {
        match content.after(map, last.as_deref()) {
            Step::Entry { key, value } => {
                assert_eq!(content.value(map, &key).as_ref(), Some(&value), "{name}: {key:?}");
                assert!(value.len() <= RECORD_OCTETS_MAX && key.len() <= RECORD_OCTETS_MAX);
                assert!(all.len() < 100_000, "{name} has no end");
                all.push((String::from_utf8(key.clone()).unwrap(), String::from_utf8(value).unwrap()));
                last = Some(key);
            }
            Step::End => return all,
            Step::NoSuchKey => panic!("{name}: what it told itself is no key"),
        }
    }
}

fn keys(content: &Content, name: &str) -> Vec<String> {
    walk(content, name).into_iter().map(|(key, _)| key).collect()
}

/// Strings and numbers of arguments or results.
#[derive(Clone, Copy)]
enum Part<'a> {
    Text(&'a [u8]),
    Number(i32),
}

fn octets(parts: &[Part<'_>]) -> Vec<u8> {
    let mut writer = Writer::default();
    for part in parts {
        match part {
            Part::Text(text) => writer.opaque(text),
            Part::Number(number) => writer.u32(number.cast_unsigned()),
        }
    }
    writer.into_octets()
}

fn say(program: u32, version: u32, procedure: u32, arguments: &[u8], stream: bool) -> Said {
    let call = [Call::write(1, program, version, procedure, &[]), arguments.to_vec()].concat();
    answer(&content(), &Call::parse(&call).unwrap(), stream)
}

#[test]
fn procedures() {
    use Part::{Number as N, Text as T};
    let (ours, theirs) = (T(b"cluster"), T(b"other"));
    let error = |status| vec![N(status), T(b""), T(b"")];
    let line = b"10.77.1.3\tnode3.cluster node3";
    let table: Vec<(&str, u32, Vec<Part<'_>>, Vec<Part<'_>>)> = vec![
        ("NULL", 0, vec![], vec![]),
        ("DOMAIN", 1, vec![T(b"cluster")], vec![N(1)]),
        ("DOMAIN of others", 1, vec![T(b"other")], vec![N(0)]),
        ("DOMAIN_NONACK", 2, vec![T(b"cluster")], vec![N(1)]),
        ("MATCH", 3, vec![ours, T(b"hosts.byname"), T(b"node3")], vec![N(1), T(line)]),
        ("MATCH of no key", 3, vec![T(b"cluster"), T(b"hosts.byname"), T(b"no")], vec![N(-3), T(b"")]),
        ("MATCH of no map", 3, vec![T(b"cluster"), T(b"services"), T(b"no")], vec![N(-1), T(b"")]),
        ("MATCH in no domain", 3, vec![theirs, T(b"hosts.byname"), T(b"no")], vec![N(-2), T(b"")]),
        // libnsl asks a second time with the zero of C at the end of the key.
        ("MATCH with NUL", 3, vec![T(b"cluster"), T(b"hosts.byname"), T(b"node3\0")], vec![N(-3), T(b"")]),
        ("MATCH of shadow", 3, vec![T(b"cluster"), T(b"shadow.byname"), T(b"bob")], vec![N(-1), T(b"")]),
        (
            "FIRST: the value before the key",
            4,
            vec![T(b"cluster"), T(b"netgroup.byhost")],
            vec![N(1), T(b"cluster,rack1"), T(b"node0.*")],
        ),
        ("FIRST of an empty map", 4, vec![T(b"cluster"), T(b"netgroup.byuser")], error(2)),
        ("FIRST of no map", 4, vec![T(b"cluster"), T(b"mail.aliases")], error(-1)),
        ("NEXT", 5, vec![T(b"cluster"), T(b"hosts.byname"), T(b"node2")], vec![N(1), T(line), T(b"node3")]),
        ("NEXT of the last", 5, vec![T(b"cluster"), T(b"hosts.byname"), T(b"switch")], error(2)),
        ("NEXT of what is no key", 5, vec![T(b"cluster"), T(b"hosts.byaddr"), T(b"node2")], error(-3)),
        (
            "XFR is refused",
            6,
            vec![T(b"cluster"), T(b"hosts.byname"), N(0), T(b"heorot"), N(77), N(0x4000_0000), N(1021)],
            vec![N(77), N(-5)],
        ),
        ("ALL in no domain", 8, vec![T(b"x"), T(b"netgroup")], [vec![N(1)], error(-2), vec![N(0)]].concat()),
        ("MASTER", 9, vec![T(b"cluster"), T(b"hosts.byname")], vec![N(1), T(b"heorot")]),
        ("MASTER of no map", 9, vec![T(b"cluster"), T(b"x")], vec![N(-1), T(b"")]),
        ("ORDER", 10, vec![T(b"cluster"), T(b"hosts.byname")], vec![N(1), N(1_700_000_000)]),
        ("ORDER of no map", 10, vec![T(b"cluster"), T(b"x")], vec![N(-1), N(0)]),
        ("MAPLIST of no domain", 11, vec![T(b"x")], vec![N(-2), N(0)]),
    ];
    for (what, procedure, arguments, expected) in table {
        let arguments = octets(&arguments);
        let Said::Answer(Answer::Success(results)) = say(PROGRAM, VERSION, procedure, &arguments, true)
        else {
            panic!("{what}: no success")
        };
        assert_eq!(results.octets(), octets(&expected), "{what}");
        // Every argument is needed.
        if let Some(shorter) = arguments.len().checked_sub(4) {
            let cut = say(PROGRAM, VERSION, procedure, &arguments[..shorter], true);
            assert_eq!(cut, Said::Answer(Answer::GarbageArguments), "{what}, cut");
        }
    }
}

#[test]
fn what_is_not_answered_with_success() {
    let name = |octets_: usize| octets(&[Part::Text(&vec![b'x'; octets_])]);
    let cluster = octets(&[Part::Text(b"cluster")]);
    let map = octets(&[Part::Text(b"cluster"), Part::Text(b"hosts.byname")]);
    let key = |octets_: usize| [map.clone(), name(octets_)].concat();
    let answers = [
        ("another program", say(100_005, 2, 0, &[], true), Answer::ProgramUnavailable),
        ("version 1", say(PROGRAM, 1, 0, &[], true), Answer::ProgramMismatch { lowest: 2, highest: 2 }),
        ("version 3", say(PROGRAM, 3, 3, &[], true), Answer::ProgramMismatch { lowest: 2, highest: 2 }),
        ("no procedure", say(PROGRAM, 2, 12, &[], true), Answer::ProcedureUnavailable),
        ("CLEAR", say(PROGRAM, 2, CLEAR, &[], true), Answer::Denied(Denial::TooWeak)),
        ("65 octets of domain", say(PROGRAM, 2, DOMAIN, &name(65), true), Answer::GarbageArguments),
        ("1,025 octets of key", say(PROGRAM, 2, MATCH, &key(1025), true), Answer::GarbageArguments),
    ];
    for (what, said, expected) in answers {
        assert_eq!(said, Said::Answer(expected), "{what}");
    }
    assert!(matches!(say(PROGRAM, 2, MATCH, &key(1024), true), Said::Answer(Answer::Success(_))));
    assert_eq!(say(PROGRAM, 2, DOMAIN_NO_ANSWER, &name(5), false), Said::Silence, "of a broadcast");
    assert!(matches!(say(PROGRAM, 2, DOMAIN_NO_ANSWER, &cluster, false), Said::Answer(_)));
    assert!(matches!(say(PROGRAM, 2, ALL, &map, true), Said::Whole(_)));
    let refused = octets(&[
        Part::Number(1),
        Part::Number(Status::BadOperation as i32),
        Part::Text(b""),
        Part::Text(b""),
        Part::Number(0),
    ]);
    let Said::Answer(Answer::Success(results)) = say(PROGRAM, 2, ALL, &map, false) else { panic!("by UDP") };
    assert_eq!(results.octets(), refused);
}

#[test]
fn there_are_maps_of_the_files_that_are_configured() {
    let list = |passwd, group| {
        let content = content_of(directory(), passwd, group);
        MAPS.iter().filter(|(_, map)| content.has(*map)).count()
    };
    assert_eq!(list(None, None), 7);
    assert_eq!(list(Some(PASSWD), None), 10, "with netid.byname");
    assert_eq!(list(None, Some(GROUP)), 9);
    assert_eq!(list(Some(PASSWD), Some(GROUP)), MAPS.len());
    let arguments = octets(&[Part::Text(b"cluster")]);
    let Said::Answer(Answer::Success(results)) = say(PROGRAM, 2, MAP_LIST, &arguments, false) else {
        panic!("there is a list")
    };
    let mut reader = Reader::new(results.octets());
    assert_eq!(reader.u32(), Some(1));
    for (name, _) in MAPS {
        assert_eq!((reader.u32(), reader.opaque(64)), (Some(1), Some(name.as_bytes())));
    }
    assert_eq!((reader.u32(), reader.u32()), (Some(0), None));
}

/// Whatever the walk is at, the pieces of ALL are the map, and none is much larger than the bound.
#[test]
fn pieces_make_up_the_map() {
    let mut large = directory();
    large.networks[2].numbers.highest = 4000;
    let content = content_of(large, None, None);
    let mut walk_ = Walk { map: Map::HostsByName, after: None };
    let (mut stream, mut pieces) = (Vec::new(), 0);
    loop {
        let (piece, last) = content.piece(&mut walk_);
        assert!(piece.octets().len() < PIECE_OCTETS + 2 * RECORD_OCTETS_MAX);
        stream.extend_from_slice(piece.octets());
        pieces += 1;
        if last {
            break;
        }
    }
    assert!(pieces > 10, "{pieces}");
    let mut reader = Reader::new(&stream);
    for (key, value) in walk(&content, "hosts.byname") {
        assert_eq!((reader.u32(), reader.u32()), (Some(1), Some(1)));
        assert_eq!(reader.opaque(1024), Some(value.as_bytes()));
        assert_eq!(reader.opaque(1024), Some(key.as_bytes()));
    }
    let end = octets(&[Part::Number(1), Part::Number(2), Part::Text(b""), Part::Text(b""), Part::Number(0)]);
    assert_eq!(reader, Reader::new(&end));
}
