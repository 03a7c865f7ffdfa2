//! Names of others, asked of a server on loopback that does what the test wants.

use super::*;
use crate::dns::bind::{self, Datagrams};
use crate::dns::exchange::tls::tests::{Authority, Upstream as TlsUpstream};
use heorot_dns::{Forwarding, Group, NameServer};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server upstream: it answers every question with 198.51.100.7, by the ways it is told to.
struct Upstream {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

/// How it answers a datagram.
#[derive(Clone, Copy)]
enum Manner {
    Plainly,
    /// That there is more than fits.
    Truncated,
    /// After something else came first.
    BehindAForgery,
    Never,
}

impl Upstream {
    /// It serves until the test's process ends.
    fn start(manner: Manner) -> Self {
        // By both at one port: a free one of UDP may be taken in TCP.
        let (Datagrams { address, socket: datagrams }, listener) =
            bind::bind(([127, 0, 0, 1], 0).into()).unwrap();
        datagrams.set_nonblocking(false).unwrap();
        listener.set_nonblocking(false).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((octets, from)) = datagrams.recv_from(&mut buffer) {
                count.fetch_add(1, Ordering::SeqCst);
                let mut reply = answered(&buffer[..octets]);
                match manner {
                    Manner::Plainly => {}
                    Manner::Truncated => {
                        reply = buffer[..octets].to_vec();
                        reply[2] |= 0x82;
                    }
                    Manner::BehindAForgery => {
                        let mut forged = reply.clone();
                        forged[0] ^= 1;
                        *forged.last_mut().unwrap() = 66;
                        datagrams.send_to(&forged, from).unwrap();
                    }
                    Manner::Never => continue,
                }
                datagrams.send_to(&reply, from).unwrap();
            }
        });
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let question = read_framed(&mut stream);
                let reply = framed(&answered(&question));
                // In pieces, as a network may have it.
                for piece in reply.chunks(7) {
                    stream.write_all(piece).unwrap();
                    thread::sleep(Duration::from_millis(1));
                }
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// RA, and one address behind the question.
fn answered(question: &[u8]) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let mut reply = question[..end].to_vec();
    reply[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 7]);
    reply
}

fn plan(servers: &[SocketAddr]) -> Plan {
    let others =
        Group { domain: String::new(), servers: servers.iter().copied().map(NameServer::from).collect() };
    Plan {
        forwarding: Forwarding { groups: vec![others], find_loops: false, ..Forwarding::new([7; 32]) },
        server_files: Vec::new(),
        host_files: Vec::new(),
        zone: "cluster".into(),
        own: Vec::new(),
        roots: None,
    }
}

/// A server that forwards there, once it does.
fn serve_forwarding(plan: Plan) -> (Handle, SocketAddr) {
    let handle = serve();
    let server = handle.addresses()[0];
    handle.forward(plan);
    // RA says so.
    eventually("it forwards", || ask(server, &query(1, "node1"))[3] & 0x80 != 0);
    (handle, server)
}

/// Of a name outside, the last octet of its address.
fn address_of(server: SocketAddr, host: &str) -> u8 {
    let mut message = query(7, host);
    let zone = message.windows(7).position(|octets| octets == b"cluster").unwrap();
    message[zone..zone + 7].copy_from_slice(b"example");
    let reply = ask(server, &message);
    assert_eq!(reply[..4], [0, 7, 0x81, 0x80], "{reply:?}");
    reply[reply.len() - 1]
}

#[test]
fn names_of_others_are_asked_for_once() {
    let upstream = Upstream::start(Manner::Plainly);
    let (handle, server) = serve_forwarding(plan(&[upstream.address]));
    for _ in 0..3 {
        assert_eq!(address_of(server, "www"), 7);
    }
    assert_eq!(upstream.asked(), 1);
    eventually("counted", || handle.counts().forward.hits == 2);
    assert_eq!(handle.counts().forward.misses, 1);
}

#[test]
fn what_does_not_fit_a_datagram_is_asked_for_by_tcp() {
    let upstream = Upstream::start(Manner::Truncated);
    let (handle, server) = serve_forwarding(plan(&[upstream.address]));
    assert_eq!(address_of(server, "www"), 7);
    eventually("counted", || handle.counts().forward.by_stream == 1);
}

#[test]
fn a_forgery_is_passed_over() {
    let upstream = Upstream::start(Manner::BehindAForgery);
    let (handle, server) = serve_forwarding(plan(&[upstream.address]));
    assert_eq!(address_of(server, "www"), 7);
    eventually("counted", || handle.counts().forward.not_believed == 1);
}

#[test]
fn a_server_that_is_gone_costs_nothing() {
    // Nobody listens there, nor can while the port is held at the address beside it: the kernel says so, and the other is asked.
    let beside = UdpSocket::bind("127.0.0.1:0").unwrap();
    let gone = ([127, 0, 0, 86], beside.local_addr().unwrap().port()).into();
    let upstream = Upstream::start(Manner::Plainly);
    let (_handle, server) = serve_forwarding(plan(&[gone, upstream.address]));
    let began = Instant::now();
    for host in ["a", "b", "c", "d"] {
        assert_eq!(address_of(server, host), 7);
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn a_silent_server_is_passed_over() {
    let (silent, upstream) = (Upstream::start(Manner::Never), Upstream::start(Manner::Plainly));
    let (_handle, server) = serve_forwarding(plan(&[silent.address, upstream.address]));
    assert_eq!(address_of(server, "a"), 7);
    assert!(silent.asked() >= 1);
}

#[test]
fn a_client_by_tcp_waits_for_what_others_say_and_may_send_no_more_meanwhile() {
    let upstream = Upstream::start(Manner::Plainly);
    let (_handle, server) = serve_forwarding(plan(&[upstream.address]));
    let mut stream = dial(server);
    let mut outside = query(7, "www");
    let zone = outside.windows(7).position(|octets| octets == b"cluster").unwrap();
    outside[zone..zone + 7].copy_from_slice(b"example");
    stream.write_all(&[framed(&outside), framed(&query(8, "node1"))].concat()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    // RFC 7766 6.2.1.1: as they are ready.
    let ids: std::collections::BTreeSet<u8> = (0..2).map(|_| read_framed(&mut stream)[1]).collect();
    assert_eq!(ids, [7, 8].into());
    assert!(is_ended(&mut stream));
}

/// RFC 7858: with the authority's certificate from a file, which is not there at first.
#[test]
fn names_of_others_are_asked_by_tls() {
    let authority = Authority::new();
    let upstream = TlsUpstream::good(&authority);
    let directory = scratch("tls");
    let roots = directory.join("roots.pem");
    fs::write(&roots, authority.pem()).unwrap();
    let mut plan = Plan { roots: Some(roots.to_str().unwrap().to_owned()), ..plan(&[upstream.address]) };
    plan.forwarding.groups[0].servers[0].tls = Some("dns.example".into());
    let (handle, server) = serve_forwarding(plan.clone());
    for host in ["a", "b", "a"] {
        assert_eq!(address_of(server, host), 7);
    }
    eventually("counted", || handle.counts().forward.hits == 1);
    // Another name than its certificate has: nobody is asked.
    plan.forwarding.groups[0].servers[0].tls = Some("other.example".into());
    handle.forward(plan);
    eventually("it is refused", || {
        let mut message = query(7, "c");
        let zone = message.windows(7).position(|octets| octets == b"cluster").unwrap();
        message[zone..zone + 7].copy_from_slice(b"example");
        ask(server, &message)[3] & 0x0f == 2
    });
    handle.stop();
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn files_are_followed() {
    let upstream = Upstream::start(Manner::Plainly);
    let directory = scratch("files");
    let hosts = directory.join("hosts");
    fs::write(&hosts, "192.0.2.9 printer.example\n").unwrap();
    let host_files = vec![hosts.to_str().unwrap().to_owned()];
    let (handle, server) = serve_forwarding(Plan { host_files, ..plan(&[upstream.address]) });
    // A name of no zone of ours: those of the zone come with it.
    let mut question = query(3, "printer");
    let zone = question.windows(7).position(|octets| octets == b"cluster").unwrap();
    question[zone..zone + 7].copy_from_slice(b"example");
    let last = |server| ask(server, &question).last().copied();
    eventually("the file is read", || last(server) == Some(9));
    // Replaced, as editors do it.
    fs::write(directory.join("new"), "192.0.2.10 printer.example\n").unwrap();
    fs::rename(directory.join("new"), &hosts).unwrap();
    eventually("the new one is read", || last(server) == Some(10));
    // Written in place.
    fs::write(&hosts, "192.0.2.11 printer.example\n").unwrap();
    eventually("it is read again", || last(server) == Some(11));
    // Gone for a moment: what was there holds.
    fs::remove_file(&hosts).unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(last(server), Some(11));
    handle.stop();
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn servers_may_stand_in_a_file() {
    let directory = scratch("resolv");
    let file = directory.join("resolv.conf");
    fs::write(&file, "nameserver 192.0.2.1\nnameserver 127.0.0.1\n").unwrap();
    let following = files::Following {
        plan: Plan {
            server_files: vec![(0, file.to_str().unwrap().to_owned())],
            own: vec!["127.0.0.1:53".parse().unwrap()],
            ..plan(&["192.0.2.7:5353".parse().unwrap()])
        },
        watch: None,
        texts: [(file.to_str().unwrap().to_owned(), fs::read_to_string(&file).unwrap())].into(),
    };
    let servers = ["192.0.2.7:5353", "192.0.2.1:53"].map(|server| server.parse::<SocketAddr>().unwrap());
    let servers = servers.map(NameServer::from).to_vec();
    assert_eq!(following.forwarding().groups[0].servers, servers);
    fs::remove_dir_all(directory).unwrap();
}

fn scratch(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("heorot-dns-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// The loop is told of a file that names nobody, and when it does.
#[test]
fn a_file_that_names_no_server_is_told_of() {
    let directory = crate::testing::directory("unnamed");
    let path = directory.path().join("resolv").display().to_string();
    let (ask, asks) = crate::wake::line(&Bell::new().unwrap(), 8);
    let handle = serve();
    handle.keep_updates(ask);
    handle.forward(Plan { server_files: vec![(0, path.clone())], ..plan(&[]) });
    let next = || {
        // It is told of lines of hosts files, too.
        let told = std::iter::repeat_with(|| asks.recv_timeout(Duration::from_secs(20)).unwrap());
        let unanswered = |ask| {
            let Ask::Unanswered { silent, over } = ask else { return None };
            Some((silent.into_iter().map(|(what, _)| what).collect::<Vec<_>>(), over))
        };
        told.take(8).find_map(unanswered).unwrap()
    };
    let none = Vec::<String>::new();
    assert_eq!(
        next(),
        (vec![format!("dns.upstream has no server, for none is named in {path}")], none.clone())
    );
    fs::write(&path, "nameserver 127.0.0.77\n").unwrap();
    assert_eq!(next(), (none, vec![format!("a server of dns.upstream is named in {path}")]));
}
