use super::*;
use heorot_core::mac::Mac;

/// A message as the kernel has it (rtnetlink(7)).
fn message(kind: u16, index: u32, flags: u32, more: usize) -> Vec<u8> {
    let length = 32 + more;
    let mut octets = u32::try_from(length).unwrap().to_ne_bytes().to_vec();
    octets.extend(kind.to_ne_bytes());
    octets.extend([0; 14]);
    octets.extend(index.to_ne_bytes());
    octets.extend(flags.to_ne_bytes());
    octets.resize(length.next_multiple_of(4), 0);
    octets
}

#[test]
fn what_makes_the_kernel_forget_neighbours_is_seen() {
    let up = libc::IFF_UP as u32;
    let told = [
        message(libc::RTM_NEWLINK, 2, up, 5),
        message(libc::RTM_NEWLINK, 3, 0, 1),
        message(libc::RTM_NEWADDR, 4, 0, 0),
        message(libc::RTM_DELADDR, 5, 0, 8),
    ]
    .concat();
    let mut flushed = Flushed::default();
    flushed.messages(&told);
    assert_eq!(flushed, Flushed { indices: [3, 5].into(), all: false });
    // Whatever is cut off or lies about its length says nothing.
    for end in 0..told.len() {
        Flushed::default().messages(&told[..end]);
    }
    let mut flushed = Flushed::default();
    flushed.messages(&[0; 64]);
    flushed.messages(&[0xff; 64]);
    assert_eq!(flushed, Flushed::default());
    flushed.take(&[], Err(Errno::NOBUFS));
    assert!(flushed.all);
}

/// Who is called by another's name is found by the number that its ports are bound to; the other has the name that is left, also where it is called by none of ours.
#[test]
fn interfaces_that_change_names_are_told_apart_by_their_numbers() {
    let served = |index: u32| Served { index, mac: Mac([2, 0, 0, 0, 0, 1]), kind: LinkKind::Ethernet };
    let bound = |pairs: &[(&str, u32)]| -> BTreeMap<String, Served> {
        pairs.iter().map(|(name, index)| ((*name).to_owned(), served(*index))).collect()
    };
    let found = |pairs: &[(&str, Option<u32>)]| -> BTreeMap<String, Option<Served>> {
        pairs.iter().map(|(name, index)| ((*name).to_owned(), index.map(served))).collect()
    };
    let before = [("a", 1), ("b", 2)];
    for (found, expected, after) in [
        (found(&[("a", Some(1)), ("b", Some(2))]), &[][..], bound(&before)),
        (found(&[("a", None), ("b", Some(3))]), &[], bound(&before)),
        (found(&[("a", Some(2)), ("b", Some(1))]), &[("b", "a")], bound(&[("a", 2), ("b", 1)])),
        (found(&[("a", Some(2)), ("b", None)]), &[("b", "a")], bound(&[("a", 2), ("b", 1)])),
        (
            found(&[("a", Some(2)), ("b", None), ("c", Some(1))]),
            &[("b", "a"), ("b", "c")],
            bound(&[("a", 2), ("c", 1)]),
        ),
    ] {
        let mut bound = bound(&before);
        let pairs = swapped(&mut bound, &found);
        let pairs: Vec<_> = pairs.iter().map(|(by, name)| (by.as_str(), name.as_str())).collect();
        assert_eq!((pairs.as_slice(), bound), (expected, after), "{found:?}");
    }
}

/// What interfaces take in one packet is told at first, and when it is another.
#[test]
fn what_interfaces_take_is_told_when_it_changes() {
    let lo = config::Interface { name: "lo".into(), addresses: vec![(Ipv4Addr::LOCALHOST, 8)] };
    let text = r#"
[[network]]
interface = "lo"
address = "127.0.0.1/8"
numbers = "0-9"
first = "127.1.0.0"
temporary = "127.2.0.1-127.2.0.9"
"#;
    let mut watched = Watched {
        config: Config::parse(text, &[lo]).expect("a right configuration").0,
        now: [("lo".to_owned(), None), ("none of this host".to_owned(), None)].into(),
        bound: BTreeMap::new(),
        unfit: BTreeMap::new(),
        addresses: None,
        mtus: None,
        deaf: BTreeMap::new(),
        flushed: BTreeSet::new(),
    };
    let (caller, told) = crate::wake::line(&crate::wake::Bell::new().unwrap(), 4);
    let look = |watched: &mut Watched| {
        assert!(watched.look_at_mtus(&caller));
        told.try_iter().collect::<Vec<_>>()
    };
    let of_lo = settings::mtu_octets("lo").unwrap();
    let changes = look(&mut watched);
    let [Change::Mtus(mtus)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(*mtus, BTreeMap::from([("lo".to_owned(), of_lo)]));
    assert!(look(&mut watched).is_empty());
    watched.mtus = Some(BTreeMap::from([("lo".to_owned(), of_lo - 100)]));
    assert_eq!(look(&mut watched).len(), 1);
}
