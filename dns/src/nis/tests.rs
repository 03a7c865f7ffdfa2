use super::*;
use heorot_names::{NumberRange, Numbering, Pattern};
use heorot_rpc::results;

fn directory(highest: u32) -> Arc<Directory> {
    Arc::new(Directory {
        networks: vec![Numbering {
            numbers: NumberRange { lowest: 0, highest },
            first: [10, 77, 1, 0].into(),
            first_ipv6: None,
            suffix: String::new(),
        }],
        ..Directory::new("cluster", Pattern::parse("node{}").unwrap())
    })
}

fn settings() -> Settings {
    Settings {
        domain: "cluster".into(),
        server_name: "heorot".into(),
        hosts: [("heorot".to_owned(), vec![Ipv4Addr::new(10, 77, 0, 1)])].into(),
        networks: vec![Prefix { address: [10, 77, 0, 1].into(), length: 16 }],
        port: 903,
        others: Vec::new(),
    }
}

fn gateway() -> Gateway {
    Gateway::new(settings(), Accounts::default(), directory(4095), 1000)
}

fn client() -> SocketAddr {
    SocketAddr::from(([10, 77, 1, 5], 790))
}

/// Octets, from numbers and texts as they stand in a trace.
fn octets(numbers: &[u32], texts: &[&str]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.u32s(numbers);
    for text in texts {
        writer.opaque(text.as_bytes());
    }
    writer.into_octets()
}

/// A call without a credential: xid 7, program, version, procedure.
fn call(program: u32, version: u32, procedure: u32, arguments: &[u8]) -> Vec<u8> {
    [octets(&[7, 0, 2, program, version, procedure, 0, 0, 0, 0], &[]), arguments.to_vec()].concat()
}

fn told(gateway: &mut Gateway, door: Door, from: SocketAddr, payload: &[u8]) -> Vec<Output> {
    let mut out = Vec::new();
    gateway.handle(Input::Datagram { door, from, payload }, &mut out);
    out
}

fn sent(gateway: &mut Gateway, connection: u64, payload: &[u8]) -> Vec<Output> {
    let mut out = Vec::new();
    let from = client();
    gateway.handle(Input::Message { door: Door::YpServer, from, connection, payload }, &mut out);
    out
}

/// What `ypbind` of ypbind-mt sends to 10.77.255.255:111: PMAPPROC_CALLIT of YPPROC_DOMAIN_NONACK with a credential of AUTH_SYS.
fn broadcast(version: u32, domain: &str) -> Vec<u8> {
    let credential = octets(&[0x6552_1000], &["node5"]);
    let credential = [credential, octets(&[0, 0, 1, 0], &[])].concat();
    let inner = octets(&[], &[domain]);
    [
        octets(&[7, 0, 2, 100_000, version, 5, 1, u32::try_from(credential.len()).unwrap()], &[]),
        credential,
        octets(&[0, 0, 100_004, 2, 2, u32::try_from(inner.len()).unwrap()], &[]),
        inner,
    ]
    .concat()
}

/// What clients of Debian 12 were heard to say to port 111, and what they took for an answer. ypbind-mt 2.7.2 looks for a server by broadcast in two
/// versions at once; libtirpc asks for YPSERV by UDP in versions 4, 3 and 2, one after the other.
const HEARD: [(&str, &str, &str); 5] = [
    (
        "ypbind, CALLIT of version 3",
        "6b0173a3 00000000 00000002 000186a0 00000003 00000005 00000001 00000018 6b0ad507 00000002 766d0000 00000000 00000000 00000000
         00000000 00000000 000186a4 00000002 00000002 0000000c 00000007 636c7573 74657200",
        "6b0173a3 00000001 00000000 00000000 00000000 00000002 00000002 00000002",
    ),
    (
        "ypbind, CALLIT of version 2",
        "6b0173a4 00000000 00000002 000186a0 00000002 00000005 00000001 00000018 6b0ad507 00000002 766d0000 00000000 00000000 00000000
         00000000 00000000 000186a4 00000002 00000002 0000000c 00000007 636c7573 74657200",
        "6b0173a4 00000001 00000000 00000000 00000000 00000000 00000387 00000004 00000001",
    ),
    (
        "libtirpc, GETADDR of version 4",
        "6b014544 00000000 00000002 000186a0 00000004 00000003 00000000 00000000 00000000 00000000 000186a4 00000002 00000003 75647000
         0000000f 31302e37 372e302e 312e302e 31313100 00000008 6c696274 69727063",
        "6b014544 00000001 00000000 00000000 00000000 00000002 00000002 00000002",
    ),
    (
        "libtirpc, GETADDR of version 3",
        "6b014545 00000000 00000002 000186a0 00000003 00000003 00000000 00000000 00000000 00000000 000186a4 00000002 00000003 75647000
         0000000f 31302e37 372e302e 312e302e 31313100 00000008 6c696274 69727063",
        "6b014545 00000001 00000000 00000000 00000000 00000002 00000002 00000002",
    ),
    (
        "libtirpc, GETPORT",
        "6b01445c 00000000 00000002 000186a0 00000002 00000003 00000000 00000000 00000000 00000000 000186a4 00000002 00000011 00000000",
        "6b01445c 00000001 00000000 00000000 00000000 00000000 00000387",
    ),
];

fn from_hexadecimal(text: &str) -> Vec<u8> {
    text.split_whitespace().flat_map(|word| u32::from_str_radix(word, 16).unwrap().to_be_bytes()).collect()
}

#[test]
fn what_was_heard_is_understood() {
    for (what, call, reply) in HEARD {
        let expected = [Output::Reply(from_hexadecimal(reply))];
        assert_eq!(
            told(&mut gateway(), Door::Portmapper, client(), &from_hexadecimal(call)),
            expected,
            "{what}"
        );
    }
}

#[test]
fn datagrams() {
    use Door::{Portmapper, YpServer};
    let one = |numbers: &[u32]| vec![Output::Reply(octets(numbers, &[]))];
    let line = "10.77.1.23\tnode23.cluster node23";
    let get_port = octets(&[100_004, 2, 17, 0], &[]);
    let indirect = |program, procedure| octets(&[program, 2, procedure, 0], &[]);
    let table: Vec<(&str, Door, Vec<u8>, Vec<Output>)> = vec![
        ("GETPORT", Portmapper, call(100_000, 2, 3, &get_port), one(&[7, 1, 0, 0, 0, 0, 903])),
        ("ypbind's broadcast", Portmapper, broadcast(2, "cluster"), one(&[7, 1, 0, 0, 0, 0, 903, 4, 1])),
        ("a broadcast for others", Portmapper, broadcast(2, "other"), vec![]),
        ("by version 3 it is told of 2", Portmapper, broadcast(3, "cluster"), one(&[7, 1, 0, 0, 0, 2, 2, 2])),
        (
            "CALLIT of NULL",
            Portmapper,
            call(100_000, 2, 5, &indirect(100_004, 0)),
            one(&[7, 1, 0, 0, 0, 0, 903, 0]),
        ),
        ("CALLIT of a map", Portmapper, call(100_000, 2, 5, &indirect(100_004, 4)), vec![]),
        ("CALLIT of the portmapper", Portmapper, call(100_000, 2, 5, &indirect(100_000, 0)), vec![]),
        ("CALLIT of NFS", Portmapper, call(100_000, 2, 5, &indirect(100_003, 0)), vec![]),
        ("YPSERV at port 111", Portmapper, call(100_004, 2, 0, &[]), one(&[7, 1, 0, 0, 0, 1])),
        ("the portmapper at YPSERV's", YpServer, call(100_000, 2, 0, &[]), one(&[7, 1, 0, 0, 0, 1])),
        (
            "MATCH",
            YpServer,
            call(100_004, 2, 3, &octets(&[], &["cluster", "hosts.byname", "node23"])),
            vec![Output::Reply([octets(&[7, 1, 0, 0, 0, 0, 1], &[]), octets(&[], &[line])].concat())],
        ),
        ("DOMAIN_NONACK for others", YpServer, call(100_004, 2, 2, &octets(&[], &["other"])), vec![]),
        ("a reply", YpServer, octets(&[7, 1, 0, 0, 0, 0], &[]), vec![]),
        ("nothing", Portmapper, vec![], vec![]),
        ("RPC version 1", Portmapper, octets(&[7, 0, 1, 0, 0, 0], &[]), one(&[7, 1, 1, 0, 2, 2])),
    ];
    for (what, door, payload, expected) in table {
        assert_eq!(told(&mut gateway(), door, client(), &payload), expected, "{what}");
        // The answer is a reply: sent back to us, it ends there.
        for output in expected {
            let Output::Reply(reply) = output else { panic!("{what}: by UDP") };
            assert_eq!(told(&mut gateway(), door, client(), &reply), [], "{what}, echoed");
        }
    }
}

#[test]
fn only_the_networks_and_this_host_are_answered() {
    let table = [
        ([10, 77, 255, 254].into(), 790, true),
        ([127, 0, 0, 1].into(), 790, true),
        ([10, 77, 1, 5].into(), 0, false),
        ([10, 78, 0, 1].into(), 790, false),
        ([192, 0, 2, 1].into(), 790, false),
        ("::1".parse().unwrap(), 790, false),
    ];
    for (address, port, answered) in table {
        let (mut gateway, from) = (gateway(), SocketAddr::new(address, port));
        for door in [Door::Portmapper, Door::YpServer] {
            let program = if door == Door::Portmapper { 100_000 } else { 100_004 };
            let out = told(&mut gateway, door, from, &call(program, 2, 0, &[]));
            assert_eq!(!out.is_empty(), answered, "{from}");
        }
        assert_eq!(gateway.statistics().ignored(Ignored::Stranger), if answered { 0 } else { 2 });
    }
}

#[test]
fn a_map_comes_in_pieces_each_when_the_one_before_is_gone() {
    let mut gateway = gateway();
    let whole = call(100_004, 2, 8, &octets(&[], &["cluster", "hosts.byname"]));
    let mut out = sent(&mut gateway, 3, &whole);
    let (mut pieces, mut stream) = (0, Vec::new());
    loop {
        let [Output::Send { connection: 3, payload, more }] = out.as_slice() else { panic!("{out:?}") };
        assert!(payload.len() < 20_000, "{}", payload.len());
        let (mark, fragment) = payload.split_first_chunk::<4>().unwrap();
        let mark = u32::from_be_bytes(*mark);
        assert_eq!(mark & 0x7fff_ffff, u32::try_from(fragment.len()).unwrap());
        assert_eq!(mark >> 31 == 0, *more, "the last piece has the mark of the last");
        stream.extend_from_slice(fragment);
        pieces += 1;
        if !more {
            break;
        }
        out = Vec::new();
        gateway.handle(Input::Sent(3), &mut out);
    }
    assert!(pieces > 4, "{pieces}");
    let mut results = results(7, &stream).unwrap();
    let mut hosts = 0;
    while results.u32() == Some(1) && results.u32() == Some(1) {
        let (value, key) = (results.opaque(1024).unwrap(), results.opaque(1024).unwrap());
        assert!(value.windows(key.len()).any(|part| part == key));
        hosts += 1;
    }
    assert_eq!(hosts, 4097, "4,096 nodes and the server");
    assert_eq!(gateway.walks.len(), 0);
    let mut out = Vec::new();
    gateway.handle(Input::Sent(3), &mut out);
    assert_eq!(out, [], "there is no more");
}

#[test]
fn a_walk_ends_with_its_connection_and_goes_on_over_a_change() {
    let mut gateway = gateway();
    let whole = call(100_004, 2, 8, &octets(&[], &["cluster", "hosts.byaddr"]));
    let null = call(100_004, 2, 0, &[]);
    assert!(matches!(sent(&mut gateway, 3, &whole)[..], [Output::Send { more: true, .. }]));
    assert_eq!(sent(&mut gateway, 3, &null), [Output::End(3)], "two replies are not woven into one");
    assert!(matches!(sent(&mut gateway, 4, &null)[..], [Output::Send { more: false, .. }]));
    gateway.handle(Input::Closed(3), &mut Vec::new());
    assert_eq!(gateway.walks.len(), 0);
    // While it is sent, the nodes become ten.
    sent(&mut gateway, 5, &whole);
    gateway.handle(Input::Publish { directory: directory(9), calendar_seconds: 2000 }, &mut Vec::new());
    let mut out = Vec::new();
    gateway.handle(Input::Sent(5), &mut out);
    assert!(matches!(out[..], [Output::Send { more: false, .. }]), "{out:?}");
}

#[test]
fn streams_that_make_no_sense_end() {
    let silent = call(100_004, 2, 2, &octets(&[], &["other"]));
    let table = [
        (octets(&[7, 1, 0, 0, 0, 0], &[]), vec![Output::End(1)]),
        (b"GET / HTTP/1.1\r\n".to_vec(), vec![Output::End(1)]),
        (silent, vec![]),
    ];
    for (payload, expected) in table {
        assert_eq!(sent(&mut gateway(), 1, &payload), expected, "{payload:?}");
    }
}

fn order(gateway: &mut Gateway) -> u32 {
    let asked = call(100_004, 2, 10, &octets(&[], &["cluster", "netgroup"]));
    let out = told(gateway, Door::YpServer, client(), &asked);
    let [Output::Reply(reply)] = &out[..] else { panic!("{out:?}") };
    let mut results = results(7, reply).unwrap();
    assert_eq!(results.u32(), Some(1));
    results.u32().unwrap()
}

#[test]
fn maps_grow_older_and_never_younger() {
    let mut gateway = gateway();
    assert_eq!(order(&mut gateway), 1000);
    let publish = |gateway: &mut Gateway, highest, calendar_seconds| {
        let input = Input::Publish { directory: directory(highest), calendar_seconds };
        gateway.handle(input, &mut Vec::new());
        order(gateway)
    };
    assert_eq!(publish(&mut gateway, 9, 2000), 2000);
    assert_eq!(publish(&mut gateway, 9, 3000), 2000, "nothing changed");
    assert_eq!(publish(&mut gateway, 8, 2000), 2001, "twice in a second");
    assert_eq!(publish(&mut gateway, 9, 5), 2002, "the calendar was set back");
    let other = Settings { domain: "other".into(), port: 905, ..settings() };
    let accounts = Accounts { passwd: Some("root:x:0:0::/:\n".into()), group: None };
    gateway.handle(Input::Configure { settings: other, accounts, calendar_seconds: 4000 }, &mut Vec::new());
    assert_eq!(gateway.to_register().map(|mapping| mapping.port).collect::<Vec<_>>(), [905, 905]);
    let table = [("cluster", 0), ("other", 1)];
    for (domain, served) in table {
        let asked = call(100_004, 2, 1, &octets(&[], &[domain]));
        let out = told(&mut gateway, Door::YpServer, client(), &asked);
        assert_eq!(out, [Output::Reply(octets(&[7, 1, 0, 0, 0, 0, served], &[]))]);
    }
}

#[test]
fn other_programs_of_the_server_are_told_of() {
    let nfs = Mapping { program: 100_003, version: 3, protocol: Protocol::Tcp, port: 2049 };
    let settings = Settings { others: vec![nfs], ..settings() };
    let mut gateway = Gateway::new(settings, Accounts::default(), directory(0), 1000);
    let asked = call(100_000, 2, 3, &octets(&[100_003, 3, 6, 0], &[]));
    let out = told(&mut gateway, Door::Portmapper, client(), &asked);
    assert_eq!(out, [Output::Reply(octets(&[7, 1, 0, 0, 0, 0, 2049], &[]))]);
    let registered =
        |gateway: &Gateway| -> Vec<u32> { gateway.to_register().map(|mapping| mapping.program).collect() };
    assert_eq!(registered(&gateway), [100_004, 100_004, 100_003]);
    // Without a domain they are all that there is.
    let settings = Settings { domain: String::new(), others: vec![nfs], ..self::settings() };
    let mut alone = Gateway::new(settings, Accounts::default(), directory(0), 1000);
    assert_eq!(registered(&alone), [100_003]);
    let broadcast = call(100_000, 2, 5, &octets(&[100_004, 2, 0, 0], &[]));
    assert_eq!(told(&mut alone, Door::Portmapper, client(), &broadcast), []);
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// Any octets, and octets behind a head that is right.
    fn payload() -> impl Strategy<Value = Vec<u8>> {
        let any_call = (0..2u32, 0..4u32, 0..14u32, prop::collection::vec(any::<u8>(), 0..200));
        let any_call = any_call.prop_map(|(program, version, procedure, arguments)| {
            call(100_000 + 4 * program, version, procedure, &arguments)
        });
        let text =
            prop::sample::select(vec!["cluster", "hosts.byname", "netgroup", "node7", "cluster:0-63", "x"]);
        let texts = (2..12u32, prop::collection::vec(text, 0..4))
            .prop_map(|(procedure, texts)| call(100_004, 2, procedure, &octets(&[], &texts)));
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), any_call, texts]
    }

    proptest! {
        #[test]
        fn one_call_has_one_reply_at_most_and_that_is_no_call(payloads in prop::collection::vec(payload(), 1..20)) {
            let mut gateway = gateway();
            for payload in payloads {
                for door in [Door::Portmapper, Door::YpServer] {
                    let out = told(&mut gateway, door, client(), &payload);
                    prop_assert!(out.len() <= 1);
                    for output in out {
                        let Output::Reply(reply) = output else { panic!("by UDP") };
                        prop_assert!(reply.len() < 1472, "it fits into one packet");
                        prop_assert!(told(&mut gateway, door, client(), &reply).is_empty());
                    }
                }
                sent(&mut gateway, 1, &payload);
                gateway.handle(Input::Closed(1), &mut Vec::new());
            }
            prop_assert!(gateway.walks.is_empty());
        }
    }
}
