use super::*;
use crate::netio::Inbox;
use std::net::UdpSocket;
use std::os::fd::AsFd;

const HERE: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 2)];

fn opened(wanted: &[u16], range: Option<&RangeInclusive<u16>>) -> DataPorts {
    DataPorts::open(wanted, range, HERE.to_vec()).unwrap()
}

#[test]
fn the_same_ports_are_bound_again_and_taken_ones_are_replaced() {
    let first = opened(&[], None);
    let numbers = first.numbers();
    assert!(numbers.len() == 8 && numbers.iter().all(|n| *n != 0));
    let beside = opened(&numbers, None);
    assert!(beside.numbers().iter().all(|number| !numbers.contains(number)), "nobody shares a port");
    drop(first);
    assert_eq!(opened(&numbers, None).numbers(), numbers);
}

#[test]
fn nobody_gets_in_beside_the_sockets_of_a_port() {
    let ports = opened(&[], None);
    for address in [Ipv4Addr::UNSPECIFIED, HERE[0], HERE[1], Ipv4Addr::new(127, 0, 0, 3)] {
        let socket = new_socket().unwrap();
        socket.set_reuse_address(true).unwrap();
        let refused = socket.bind(&SocketAddrV4::new(address, ports.numbers()[0]).into()).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EADDRINUSE), "{address}");
    }
}

#[test]
fn what_comes_to_an_address_comes_to_its_socket_and_the_rest_to_that_of_all() {
    let ports = opened(&[], None);
    let mut inbox = Inbox::new();
    let peer = UdpSocket::bind((HERE[0], 0)).unwrap();
    for (address, bound) in
        [(HERE[0], Some(HERE[0])), (HERE[1], Some(HERE[1])), (Ipv4Addr::new(127, 0, 0, 3), None)]
    {
        for (place, number) in (0_u16..).zip(ports.numbers()) {
            let index = ports.socket_for(place, address);
            assert_eq!((ports.place_of(index), ports.address_of(index)), (place, bound));
            peer.send_to(&place.to_be_bytes(), (address, number)).unwrap();
            assert_eq!(inbox.receive(ports.sockets[index].as_fd()).unwrap(), 1, "{address} {place}");
            let (envelope, payload) = inbox.datagrams().next().unwrap();
            assert_eq!(payload, place.to_be_bytes());
            // Which one it was, the bound sockets do not say: it is known.
            assert_eq!(envelope.local, if bound.is_some() { Ipv4Addr::UNSPECIFIED } else { address });
        }
    }
    let all = ports.sockets().count();
    assert_eq!((all, ports.places()), (24, 8));
    assert!(
        (0..all).all(|index| inbox.receive(ports.sockets[index].as_fd()).unwrap() == 0),
        "nothing came twice"
    );
}

/// Whole or in fragments: it comes from the port, and what is answered comes to the port's socket, whatever it leaves by.
#[test]
fn what_leaves_by_an_outlet_comes_from_its_port_and_nothing_comes_by_it() {
    let ports = opened(&[], None);
    let requests = UdpPort::bind(new_socket().unwrap(), 0).unwrap();
    let ways = ports.ways(&requests);
    let peer = UdpSocket::bind((HERE[0], 0)).unwrap();
    let to = peer.local_addr().unwrap();
    let (mut inbox, mut used) = (Inbox::new(), std::collections::BTreeSet::new());
    for (place, number) in (0_u16..).zip(ports.numbers()) {
        for (address, in_fragments) in [(HERE[0], false), (HERE[1], false), (HERE[0], true), (HERE[1], true)]
        {
            let way = ports.way(place, address, in_fragments);
            let (socket, is_bound) = &ways[way];
            assert!(*is_bound && used.insert(way), "{way}");
            socket.send_to(b"block", &to.into()).unwrap();
            let mut room = [0; 9];
            let (octets, from) = peer.recv_from(&mut room).unwrap();
            assert_eq!((&room[..octets], from), (b"block".as_slice(), (address, number).into()));
            peer.send_to(b"ack", from).unwrap();
            let index = ports.socket_for(place, address);
            assert_eq!(
                inbox.receive(ports.sockets[index].as_fd()).unwrap(),
                1,
                "{address} {place} {in_fragments}"
            );
            assert_eq!(inbox.datagrams().next().unwrap().1, b"ack");
        }
        // What comes to other addresses of this host is answered by the socket of all.
        let [whole, cut] = [false, true].map(|cut| &ways[ports.way(place, Ipv4Addr::new(127, 0, 0, 3), cut)]);
        assert!(!whole.1 && !cut.1 && Arc::ptr_eq(&whole.0, &cut.0));
    }
    assert!(
        ports.outlets.iter().all(|outlet| outlet.recv(&mut [std::mem::MaybeUninit::uninit(); 9]).is_err())
    );
}

#[test]
fn an_address_that_is_not_ours_is_named() {
    let wrong = Ipv4Addr::new(192, 0, 2, 1);
    let problem = DataPorts::open(&[], None, vec![wrong]).unwrap_err().0;
    assert!(problem.contains("192.0.2.1"), "{problem}");
}

#[test]
fn only_ports_of_the_range_are_bound() {
    // Whatever this host has free: a port from the kernel, and those behind it.
    let first = opened(&[], None).numbers()[0].min(60_000);
    let range = first..=first + 40;
    let eight = opened(&[], Some(&range));
    let bound = eight.numbers();
    assert!(bound.len() == 8 && bound.iter().all(|port| range.contains(port)), "{bound:?}");
    drop(eight);
    let mut wanted = bound.clone();
    wanted.reverse();
    wanted.push(1);
    assert_eq!(opened(&wanted, Some(&range)).numbers(), wanted[..8], "the same again");
    let boot_servers = 4010..=4012;
    assert!(
        !opened(&[4011], Some(&boot_servers)).numbers().contains(&4011),
        "PXE clients look for boot servers there"
    );
    let one = bound[3]..=bound[3];
    let taken = opened(&[], Some(&one));
    assert_eq!(taken.numbers(), [bound[3]], "one is enough");
    let problem = DataPorts::open(&[], Some(&one), HERE.to_vec()).unwrap_err().0;
    assert!(problem.contains("port-range") && problem.contains("ss -ulpn"), "{problem}");
}
