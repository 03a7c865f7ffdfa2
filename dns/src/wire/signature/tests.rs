use super::*;
use domain::base::iana::{Rcode, Rtype, TsigRcode};
use domain::base::name::Name;
use domain::rdata::{AllRecordData, Soa};
use domain::tsig::{ClientSequence, ClientTransaction};

const NOW: u64 = 1_800_000_000;

fn settings() -> Settings {
    let key = |name: &str, algorithm, may_transfer| settings::Key {
        name: name.into(),
        algorithm,
        secret: vec![7; 32],
        may_transfer,
        updates: None,
    };
    Settings {
        keys: vec![
            key("copy.cluster", settings::Algorithm::Sha256, true),
            key("change.cluster", settings::Algorithm::Sha512, false),
        ],
        secondaries: vec!["192.0.2.53:53".parse().unwrap()],
        ..Settings::default()
    }
}

fn key(name: &str, algorithm: Algorithm, secret: &[u8]) -> Arc<Key> {
    Arc::new(Key::new(algorithm, secret, name.parse().unwrap(), None, None).unwrap())
}

fn right() -> Arc<Key> {
    key("copy.cluster", Algorithm::Sha256, &[7; 32])
}

fn question(kind: Rtype) -> AdditionalBuilder<Vec<u8>> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(0xabcd);
    let mut builder = builder.question();
    let zone: Name<Vec<u8>> = "cluster".parse().unwrap();
    builder.push((zone, kind)).unwrap();
    builder.additional()
}

/// RFC 8945 5.2: what is told to whom whose signature is not right.
#[test]
fn wrong_old_and_unknown_signatures() {
    let keys = Keys::new(&settings()).unwrap();
    /// The reason, and whether the answer is signed.
    type Refused = Option<(TsigRcode, bool)>;
    let table: &[(&str, Arc<Key>, u64, Refused)] = &[
        ("right", right(), NOW, None),
        ("as old as may be", right(), NOW - 300, None),
        ("too old", right(), NOW - 301, Some((TsigRcode::BADTIME, true))),
        ("from the future", right(), NOW + 301, Some((TsigRcode::BADTIME, true))),
        (
            "another secret",
            key("copy.cluster", Algorithm::Sha256, &[8; 32]),
            NOW,
            Some((TsigRcode::BADSIG, false)),
        ),
        (
            "another name",
            key("who.cluster", Algorithm::Sha256, &[7; 32]),
            NOW,
            Some((TsigRcode::BADKEY, false)),
        ),
        (
            "another algorithm",
            key("copy.cluster", Algorithm::Sha384, &[7; 32]),
            NOW,
            Some((TsigRcode::BADKEY, false)),
        ),
    ];
    for (what, key, signed_at, refused) in table {
        let mut asked = question(Rtype::SOA);
        ClientTransaction::request(Arc::clone(key), &mut asked, Time48::from_u64(*signed_at)).unwrap();
        let asked = asked.finish();
        match (keys.check(&asked, NOW), refused) {
            (Ok(Some(signature)), None) => assert!(signature.may_transfer()),
            (Err(reply), Some((code, is_signed))) => {
                let reply = Message::from_octets(reply).unwrap();
                // RFC 8945 5.2: NOTAUTH, and the reason in the record; unsigned but for the wrong time (5.2.3).
                assert_eq!((reply.header().rcode(), reply.header().id()), (Rcode::NOTAUTH, 0xabcd), "{what}");
                let last = reply.additional().unwrap().last().unwrap().unwrap();
                let data = last.to_any_record::<AllRecordData<_, _>>().unwrap();
                let AllRecordData::Tsig(tsig) = data.data() else { panic!("{what}") };
                assert_eq!((tsig.error(), tsig.mac_slice().is_empty()), (*code, !is_signed), "{what}");
            }
            (checked, _) => panic!("{what}: {:?}", checked.map(|signature| signature.is_some())),
        }
    }
    let unsigned = question(Rtype::SOA).finish();
    assert!(matches!(keys.check(&unsigned, NOW), Ok(None)));
    // One octet of the message changed on its way.
    let mut asked = question(Rtype::SOA);
    ClientTransaction::request(right(), &mut asked, Time48::from_u64(NOW)).unwrap();
    let mut asked = asked.finish();
    asked[13] ^= 1;
    assert!(keys.check(&asked, NOW).is_err());
}

/// A secondary that signs gets a copy in which every message is signed; one that does not gets none.
#[test]
fn copies_are_signed_if_there_is_a_key_for_them() {
    use crate::{Input, Output, Query, QueryId, Resolver, Transport};
    let network = heorot_names::Numbering {
        numbers: heorot_names::NumberRange { lowest: 0, highest: 4095 },
        first: [10, 77, 16, 0].into(),
        first_ipv6: None,
        suffix: String::new(),
    };
    let directory = heorot_names::Directory {
        networks: vec![network],
        given_names: [].into(),
        serial: 7,
        hardware_addresses: [].into(),
        groups: [].into(),
        ..heorot_names::Directory::new("cluster", heorot_names::Pattern::parse("node{}").unwrap())
    };
    let mut resolver = Resolver::new(settings(), Arc::new(directory)).unwrap();
    resolver.handle(0, Input::Calendar(NOW), &mut Vec::new());
    let mut say = |payload: &[u8]| {
        let from = "192.0.2.53:4000".parse().unwrap();
        let query = Query { transport: Transport::Tcp, from, id: QueryId(1), payload };
        let mut out = Vec::new();
        resolver.handle(0, Input::Query(query), &mut out);
        let mut said = Vec::new();
        while let Some(output) = out.pop() {
            match output {
                Output::Reply { payload, .. } => said.push(payload),
                Output::More { transfer, .. } => {
                    // The answer before what comes after it.
                    resolver.handle(0, Input::More(transfer), &mut out);
                    out.reverse();
                }
                Output::Notify { .. }
                | Output::End { .. }
                | Output::Ask(_)
                | Output::Forget { .. }
                | Output::Update { .. }
                | Output::Denied { .. } => {
                    panic!("{output:?}")
                }
            }
        }
        said
    };
    let rcode = |said: &[Vec<u8>]| Message::from_octets(said[0].clone()).unwrap().header().rcode();
    assert_eq!(rcode(&say(&question(Rtype::AXFR).finish())), Rcode::REFUSED);
    let mut asked = question(Rtype::AXFR);
    let other = key("change.cluster", Algorithm::Sha512, &[7; 32]);
    ClientTransaction::request(other, &mut asked, Time48::from_u64(NOW)).unwrap();
    assert_eq!(rcode(&say(&asked.finish())), Rcode::REFUSED, "a key for something else");

    let mut asked = question(Rtype::AXFR);
    let mut sequence = ClientSequence::request(right(), &mut asked, Time48::from_u64(NOW)).unwrap();
    let said = say(&asked.finish());
    assert!(said.len() > 3, "{}", said.len());
    let mut starts = 0;
    for payload in said {
        assert!(payload.len() <= 16 * 1024);
        let mut message = Message::from_octets(payload).unwrap();
        sequence.answer(&mut message, Time48::from_u64(NOW)).unwrap();
        starts += message.answer().unwrap().limit_to::<Soa<_>>().count();
    }
    assert_eq!(starts, 2);
    sequence.done().unwrap();

    // An ordinary question that is signed has a signed answer (RFC 8945 5.3).
    let mut asked = question(Rtype::SOA);
    let transaction = ClientTransaction::request(right(), &mut asked, Time48::from_u64(NOW)).unwrap();
    let mut reply = Message::from_octets(say(&asked.finish()).remove(0)).unwrap();
    transaction.answer(&mut reply, Time48::from_u64(NOW)).unwrap();
    assert_eq!(reply.header_counts().ancount(), 1);
}

/// A question that is signed is answered by UDP however long names are, whole or with TC (RFC 8945 5.3).
#[test]
fn names_of_any_length_have_a_signed_answer() {
    use crate::{Input, Output, Query, QueryId, Resolver, Transport};
    let long = |octets: usize| {
        let labels =
            (0..octets / 64).map(|_| "k".repeat(63)).chain([1 + octets % 64].map(|n| "k".repeat(n.min(63))));
        labels.collect::<Vec<_>>().join(".")
    };
    let algorithms = [
        (Algorithm::Sha256, settings::Algorithm::Sha256),
        (Algorithm::Sha384, settings::Algorithm::Sha384),
        (Algorithm::Sha512, settings::Algorithm::Sha512),
    ];
    for ((algorithm, ours), key_octets) in
        algorithms.into_iter().flat_map(|a| [3, 100, 150, 200, 240].map(|n| (a, n)))
    {
        let key_name = long(key_octets);
        let known = settings::Key {
            name: key_name.clone(),
            algorithm: ours,
            secret: vec![7; 32],
            may_transfer: true,
            updates: None,
        };
        let settings = Settings { keys: vec![known], ..Settings::default() };
        let directory =
            heorot_names::Directory::new("cluster", heorot_names::Pattern::parse("node{}").unwrap());
        let mut resolver = Resolver::new(settings, Arc::new(directory)).unwrap();
        resolver.handle(0, Input::Calendar(NOW), &mut Vec::new());
        for octets in 1..236 {
            for has_edns in [false, true] {
                let mut builder = MessageBuilder::new_vec().question();
                let name: Name<Vec<u8>> = format!("{}.cluster", long(octets)).parse().unwrap();
                builder.push((name, Rtype::A)).unwrap();
                let mut asked = builder.additional();
                if has_edns {
                    asked
                        .opt(|opt| {
                            opt.set_udp_payload_size(512);
                            Ok(())
                        })
                        .unwrap();
                }
                let key = key(&key_name, algorithm, &[7; 32]);
                let transaction = ClientTransaction::request(key, &mut asked, Time48::from_u64(NOW)).unwrap();
                let payload = asked.finish();
                let from = "127.0.0.1:4000".parse().unwrap();
                let mut out = Vec::new();
                let query = Query { transport: Transport::Udp, from, id: QueryId(1), payload: &payload };
                resolver.handle(0, Input::Query(query), &mut out);
                let what = format!("{algorithm} {key_octets} {octets} {has_edns}");
                let Some(Output::Reply { payload: reply, .. }) = out.pop() else { panic!("{what}") };
                // It is never longer than what fits, or than what has to be in it.
                assert!(reply.len() <= payload.len().max(512), "{what}: {}", reply.len());
                let mut reply = Message::from_octets(reply).unwrap();
                transaction
                    .answer(&mut reply, Time48::from_u64(NOW))
                    .unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(reply.header_counts().qdcount(), 1, "{what}");
                assert!(reply.header().tc() || reply.header_counts().nscount() == 1, "{what}");
            }
        }
    }
}
