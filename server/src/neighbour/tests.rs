use super::*;

fn new_neighbour(interface: u32, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = neighbour_header(interface, NUD_PERMANENT);
    for (kind, value) in attributes {
        attribute(&mut body, *kind, value);
    }
    body
}

#[test]
fn only_entries_with_our_mark_are_ours() {
    let address = [10, 77, 1, 23];
    let mac = [2, 0, 0, 0, 0, 23];
    let ours = Some(Entry { interface: 3, address: address.into() });
    for (attributes, expected) in [
        (vec![(NDA_DST, &address[..]), (NDA_LLADDR, &mac), (NDA_PROTOCOL, &[OUR_MARK])], ours),
        (vec![(NDA_PROTOCOL, &[OUR_MARK][..]), (NDA_DST, &address)], ours),
        (vec![(NDA_DST, &address[..]), (NDA_LLADDR, &mac)], None),
        (vec![(NDA_DST, &address[..]), (NDA_PROTOCOL, &[4])], None),
        (vec![(NDA_DST, &[0; 16][..3]), (NDA_PROTOCOL, &[OUR_MARK])], None),
    ] {
        assert_eq!(entry_of_ours(&new_neighbour(3, &attributes)), expected, "{attributes:?}");
    }
}

#[test]
fn a_torn_buffer_ends_the_messages() {
    let mut message = Vec::new();
    message.extend(20_u32.to_ne_bytes());
    message.extend(2_u16.to_ne_bytes());
    message.extend([0; 2]);
    message.extend(7_u32.to_ne_bytes());
    message.extend([0; 4]);
    message.extend((-libc::EPERM).to_ne_bytes());
    let two = [message.clone(), message].concat();
    let errors: Vec<_> = Messages(&two).map(|m| (m.kind, m.refusal().unwrap().raw_os_error())).collect();
    assert_eq!(errors, [(2, Some(libc::EPERM)), (2, Some(libc::EPERM))]);
    for octets in 0..two.len() {
        assert_eq!(Messages(&two[..octets]).count(), octets / 20, "{octets}");
    }
    assert_eq!(Messages(&[0; 16]).count(), 0, "a length of nothing does not loop");
}

/// In a network namespace of its own, which goes with the thread.
#[test]
fn the_kernel_keeps_our_mark_and_only_ours_are_removed() {
    std::thread::spawn(|| {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
            .expect("a network namespace of its own: run the tests as root");
        assert!(ip("link add veth0 type veth peer name veth1"));
        assert!(ip("link set veth0 up") && ip("link set veth1 up"));
        assert!(ip("neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev veth0 nud permanent"));
        let index = nix::net::if_::if_nametoindex("veth0").unwrap();

        let mut neighbours = Neighbours::open().unwrap();
        for n in 1..=200 {
            neighbours.set(index, Ipv4Addr::new(10, 0, 1, n), Mac([2, 0, 0, 0, 1, n]));
        }
        neighbours.set(index, Ipv4Addr::new(10, 0, 1, 1), Mac([2, 0, 0, 0, 9, 9]));
        neighbours.drop_entry(index, Ipv4Addr::new(10, 0, 1, 2));
        neighbours.drop_entry(index, Ipv4Addr::new(10, 0, 1, 2));
        neighbours.flush().unwrap();
        // What cannot be done is told, and keeps the rest from nothing.
        neighbours.set(9999, Ipv4Addr::new(10, 0, 1, 1), Mac([2, 0, 0, 0, 0, 1]));
        neighbours.set(index, Ipv4Addr::new(10, 0, 1, 201), Mac([2, 0, 0, 0, 1, 201]));
        assert!(neighbours.flush().is_err());
        neighbours.flush().unwrap();

        let mut next = Neighbours::open().unwrap();
        assert_eq!(next.remove_ours().unwrap(), 200);
        assert_eq!(next.remove_ours().unwrap(), 0);
        let left = std::process::Command::new("ip").args(["neigh", "show", "dev", "veth0"]).output().unwrap();
        let left = String::from_utf8(left.stdout).unwrap();
        assert!(left.contains("10.0.0.9") && !left.contains("10.0.1."), "{left}");
    })
    .join()
    .unwrap();
}

fn ip(arguments: &str) -> bool {
    std::process::Command::new("ip").args(arguments.split(' ')).status().unwrap().success()
}
