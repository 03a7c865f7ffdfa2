use super::*;
use crate::wake::{Bell, line};
use std::net::{Shutdown, SocketAddr};
use std::sync::mpsc::Receiver;

const SOON: Duration = Duration::from_secs(10);

/// A server of a directory, at a port of loopback.
pub(super) struct Server {
    handle: Option<Handle>,
    address: SocketAddr,
    asks: Receiver<Ask>,
    directory: String,
}

impl Server {
    pub(super) fn new(directory: &Path) -> Self {
        Self::within(CONNECTIONS_MAX, directory)
    }

    /// With room for so many connections.
    fn within(connections_max: usize, directory: &Path) -> Self {
        let directory = directory.to_str().unwrap().to_owned();
        let bound = bind(0).unwrap();
        let address = (Ipv4Addr::LOCALHOST, bound.listener.local_addr().unwrap().port()).into();
        let bell = Bell::new().unwrap();
        let (ask, asks) = line(&bell, 16);
        // These clients have ports of users.
        let nfs = config::Nfs { port: 0, directories: vec![directory.clone()], insecure: true };
        let served = (&nfs, Vec::new());
        let journal = Journal::start().unwrap();
        let handle = start_within(connections_max, bound, served, &SECRET, (ask, &bell), journal).unwrap();
        Self { handle: Some(handle), address, asks, directory }
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream
    }

    /// As another client: loopback has many addresses.
    fn connect_from(&self, client: u16) -> TcpStream {
        let [high, low] = client.to_be_bytes();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let from = SocketAddrV4::new(Ipv4Addr::new(127, 77, high, low), 0);
        socket.bind(&from.into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        socket.into()
    }

    pub(super) fn handle(&self) -> &Handle {
        self.handle.as_ref().unwrap()
    }

    fn counts(&self) -> Counts {
        self.handle.as_ref().unwrap().counts()
    }

    /// Waits until the threads have counted so.
    pub(super) fn await_counts(&self, what: &str, is_so: impl Fn(&Counts) -> bool) {
        let deadline = Instant::now() + SOON;
        while !is_so(&self.counts()) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.counts());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.take().unwrap().stop();
    }
}

pub(super) fn send(stream: &mut TcpStream, call: &[u8]) {
    stream.write_all(&heorot_rpc::record::mark(call, true)).unwrap();
}

pub(super) fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let mut mark = [0; 4];
    stream.read_exact(&mut mark).unwrap();
    let length = u32::from_be_bytes(mark) & 0x7fff_ffff;
    let mut reply = vec![0; length as usize];
    stream.read_exact(&mut reply).unwrap();
    reply
}

pub(super) fn root(server: &Server, stream: &mut TcpStream) -> Vec<u8> {
    send(stream, &call(MOUNT, 1, ROOT, |w| w.opaque(server.directory.as_bytes())));
    let (status, rest) = status(&receive(stream));
    assert_eq!(status, 0);
    Reader::new(&rest).opaque(64).unwrap().to_vec()
}

pub(super) fn find(stream: &mut TcpStream, directory: &[u8], name: &str) -> Vec<u8> {
    send(
        stream,
        &call(NFS, 3, ROOT, |w| {
            w.opaque(directory);
            w.opaque(name.as_bytes());
        }),
    );
    let (status, rest) = status(&receive(stream));
    assert_eq!(status, 0);
    Reader::new(&rest).opaque(64).unwrap().to_vec()
}

pub(super) fn read_call(handle: &[u8], offset: u64, count: u32) -> Vec<u8> {
    call(NFS, 6, ROOT, |w| {
        w.opaque(handle);
        w.u64(offset);
        w.u32(count);
    })
}

/// Some octets that are different everywhere.
fn pattern(octets: usize) -> Vec<u8> {
    (0..octets).map(|at| (at * 7 + at / 251) as u8).collect()
}

#[test]
fn calls_in_any_pieces_have_their_replies_in_order() {
    let tree = testing::directory("nfs");
    let content = pattern(3_000_003);
    fs::write(tree.path().join("big"), &content).unwrap();
    let server = Server::new(tree.path());
    let mut stream = server.connect();
    let root = root(&server, &mut stream);
    let handle = find(&mut stream, &root, "big");
    // Many at once, of which each is larger than what a socket takes; and then octet by octet.
    let pieces: Vec<(u64, u32)> =
        vec![(0, 1 << 20), (1 << 20, 1 << 20), (2 << 20, 1 << 20), (5, 7), (3, 100_001), (3_000_000, 9)];
    let calls: Vec<u8> = pieces
        .iter()
        .flat_map(|(offset, count)| heorot_rpc::record::mark(&read_call(&handle, *offset, *count), true))
        .collect();
    for in_pieces in [false, true] {
        let mut writer = stream.try_clone().unwrap();
        let calls = calls.clone();
        let writing = thread::spawn(move || match in_pieces {
            false => writer.write_all(&calls).unwrap(),
            true => calls.iter().for_each(|octet| writer.write_all(&[*octet]).unwrap()),
        });
        for (offset, count) in &pieces {
            let reply = receive(&mut stream);
            let end = (*offset as usize + *count as usize).min(content.len());
            let expected = &content[*offset as usize..end];
            let (status, rest) = status(&reply);
            assert_eq!(status, 0);
            // Attributes with their mark, count, end, count again.
            let octets = &rest[4 + 84 + 12..];
            assert_eq!(octets.len(), expected.len().next_multiple_of(4));
            assert!(&octets[..expected.len()] == expected, "{offset} {count}");
        }
        writing.join().unwrap();
    }
    let life = server.asks.recv_timeout(SOON).unwrap();
    assert!(matches!(life, Ask::SignOfLife(Ipv4Addr::LOCALHOST)), "{life:?}");
}

/// What cannot be sent ends the connection, because its reply has begun; who asks again is told of the error, and does not ask for ever.
#[test]
fn what_the_disk_does_not_give_is_an_error_for_who_asks_again() {
    let tree = testing::directory("nfs");
    fs::write(tree.path().join("damaged"), pattern(4096)).unwrap();
    fs::write(tree.path().join("sound"), pattern(4096)).unwrap();
    let server = Server::new(tree.path());
    let mut stream = server.connect();
    let root = root(&server, &mut stream);
    let [damaged, sound] = ["damaged", "sound"].map(|name| find(&mut stream, &root, name));
    let answerer = &server.handle().pool.answerer;
    // All goes from the kernel's memory, and what is open is a file that the kernel cannot read: a loopback has no speed.
    answerer.copied_octets_max.store(0, Ordering::Relaxed);
    let unreadable = fs::File::open("/sys/class/net/lo/speed").unwrap();
    let handle = Keys::new(&SECRET).open(&damaged).unwrap();
    answerer.files.keep(&handle, Arc::new(unreadable.into()));
    assert_eq!(answerer.trees.name_of(&handle), format!("{}/damaged", tree.path().display()));

    send(&mut stream, &read_call(&damaged, 0, 4096));
    let mut begun = Vec::new();
    // Ended or reset: what was announced does not come.
    let _ = stream.read_to_end(&mut begun);
    assert!(begun.len() < 4096);
    let mut stream = server.connect();
    send(&mut stream, &read_call(&damaged, 0, 4096));
    let (told, _) = status(&receive(&mut stream));
    // NFS3ERR_INVAL, as this one fails; NFS3ERR_IO for a damaged disk.
    assert_eq!(told, 22);
    // The connection goes on.
    send(&mut stream, &read_call(&sound, 0, 4096));
    let (told, rest) = status(&receive(&mut stream));
    assert_eq!(told, 0);
    assert!(rest.ends_with(&pattern(4096)));
}

/// Up to the place that cannot be read it is read: of a process's memory, in which not all is there.
#[test]
fn what_comes_before_an_unreadable_place_is_read() {
    let page = 4096;
    let mut memory = vec![7_u8; 3 * page];
    let begins_at = memory.as_ptr() as usize;
    memory[2 * page] = 8;
    let file = fs::File::open("/proc/self/mem").unwrap().into();
    let mut octets = vec![0; 2 * page];
    assert_eq!(answer::read_at(&file, &mut octets, begins_at as u64), (2 * page, None));
    assert!(octets.iter().all(|octet| *octet == 7));
    let (read, error) = answer::read_at(&file, &mut octets, 0);
    assert_eq!((read, error), (0, Some(rustix::io::Errno::IO)));
}

#[test]
fn what_is_no_call_ends_the_connection_and_nothing_else() {
    let tree = testing::directory("nfs");
    let server = Server::new(tree.path());
    for (what, octets) in [
        ("an overlong record", vec![0xff; 8]),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("a reply", heorot_rpc::record::mark(&[0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0], true)),
        ("nothing", heorot_rpc::record::mark(&[], true)),
        ("pieces of nothing", [0; 20_000].to_vec()),
    ] {
        let mut stream = server.connect();
        // It may be closed before all is written.
        let _ = stream.write_all(&octets);
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(ended.is_ok_and(|octets| octets == 0) || rest.is_empty(), "{what}: {rest:x?}");
    }
    let mut stream = server.connect();
    send(&mut stream, &Call::write(7, 100_227, 3, 0, &[]));
    assert_eq!(receive(&mut stream)[20..], [0, 0, 0, 1], "NFSACL: there is no such program");
    send(&mut stream, &Call::write(7, NFS, 4, 1, &[]));
    assert_eq!(receive(&mut stream)[20..], [0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3], "version 4");
    root(&server, &mut stream);
    // Who says no more still has his replies.
    send(&mut stream, &Call::write(7, NFS, 3, 0, &[]));
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(receive(&mut stream)[20..], [0, 0, 0, 0]);
    server.await_counts("all are gone", |counts| counts.connections == 0);
}

#[test]
fn one_client_has_so_many_connections_and_the_idlest_gives_way() {
    let tree = testing::directory("nfs");
    let server = Server::new(tree.path());
    let mut kept = server.connect();
    root(&server, &mut kept);
    let idle: Vec<TcpStream> = (0..200)
        .map(|_| {
            thread::sleep(Duration::from_millis(1));
            // Who speaks is not the idlest.
            root(&server, &mut kept);
            server.connect()
        })
        .collect();
    server.await_counts("all came", |counts| counts.accepted == 201);
    let counts = server.counts();
    assert!(counts.connections <= 32, "{counts:?}");
    assert!(counts.displaced >= 169, "{counts:?}");
    root(&server, &mut kept);
    drop(idle);
}

#[test]
fn a_client_that_reads_nothing_holds_up_nobody() {
    let tree = testing::directory("nfs");
    let content = pattern(1 << 20);
    fs::write(tree.path().join("big"), &content).unwrap();
    let server = Server::new(tree.path());
    let mut stream = server.connect();
    let root_handle = root(&server, &mut stream);
    let handle = find(&mut stream, &root_handle, "big");
    // More of them than there are threads.
    let silent: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut silent = server.connect();
            silent.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
            for _ in 0..64 {
                if silent.write_all(&heorot_rpc::record::mark(&read_call(&handle, 0, 1 << 20), true)).is_err()
                {
                    break;
                }
            }
            silent
        })
        .collect();
    for _ in 0..10 {
        send(&mut stream, &read_call(&handle, 0, 1 << 20));
        assert!(receive(&mut stream).ends_with(&content[content.len() - 100..]));
    }
    drop(silent);
}

#[test]
fn strangers_are_refused() {
    let tree = testing::directory("nfs");
    let server = Server::new(tree.path());
    let serves = |address: [u8; 4]| server.handle.as_ref().unwrap().pool.serves(address.into());
    assert!(serves([127, 0, 0, 1]) && !serves([10, 77, 1, 5]));
    let network = Prefix { address: Ipv4Addr::new(10, 77, 0, 1).into(), length: 16 };
    let nfs = config::Nfs { port: 0, directories: vec![server.directory.clone()], insecure: true };
    server.handle.as_ref().unwrap().configure(&nfs, vec![network]);
    assert!(serves([10, 77, 1, 5]) && !serves([10, 78, 1, 5]));
}

/// Any user of a node may say that he is its root, and call from any port from 1024 on.
#[test]
fn who_calls_from_a_port_of_users_is_nobody() {
    let tree = testing::directory("nfs");
    fs::write(tree.path().join("shadow"), "root:*::\n").unwrap();
    fs::set_permissions(tree.path().join("shadow"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(tree.path().join("passwd"), "root:x:\n").unwrap();
    let server = Server::new(tree.path());
    let believe = |insecure| {
        let nfs = config::Nfs { port: 0, directories: vec![server.directory.clone()], insecure };
        server.handle().configure(&nfs, Vec::new());
    };
    let read = |stream: &mut TcpStream, handle: &[u8]| {
        send(stream, &read_call(handle, 0, 9));
        status(&receive(stream)).0
    };
    let mut stream = server.connect();
    let root = root(&server, &mut stream);
    let [shadow, passwd] = ["shadow", "passwd"].map(|name| find(&mut stream, &root, name));
    assert_eq!(read(&mut stream, &shadow), 0, "all are believed");
    believe(false);
    assert_eq!((read(&mut stream, &shadow), read(&mut stream, &passwd)), (13, 0));
    if nix::unistd::geteuid().is_root() {
        let reserved = (600..1024).find_map(|port| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into()).ok()?;
            socket.connect(&server.address.into()).ok()?;
            Some(TcpStream::from(socket))
        });
        let mut reserved = reserved.expect("one of 424 ports is free");
        reserved.set_read_timeout(Some(SOON)).unwrap();
        assert_eq!(read(&mut reserved, &shadow), 0, "a node's root");
    }
    believe(true);
    assert_eq!(read(&mut stream, &shadow), 0, "SIGHUP is enough");
}

#[test]
fn a_table_of_connections_has_its_bounds() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut table = Table::bounded(4, 2);
    let mut keys = BTreeMap::new();
    let mut gone = Vec::new();
    for (now, client) in [(1, 1), (2, 2), (3, 1), (4, 1), (5, 3), (6, 4)] {
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let connection =
            Connection::new(stream, SocketAddrV4::new(Ipv4Addr::new(10, 77, 1, client), 1000)).unwrap();
        let (key, gave_way) = table.insert(connection, now);
        keys.insert(key, now);
        gone.extend(gave_way.iter().map(|key| (now, keys[key])));
    }
    // The third of client 1 takes the place of its first; the fifth of all that of the one silent longest.
    assert_eq!((gone, table.len()), (vec![(4, 1), (6, 2)], 4));
}

#[test]
fn of_two_thousand_idle_connections_the_idlest_give_way() {
    const ROOM: usize = 300;
    let tree = testing::directory("nfs");
    let server = Server::within(ROOM, tree.path());
    let mut kept = server.connect();
    root(&server, &mut kept);
    let mut idle = Vec::new();
    for client in 0..2000 {
        idle.push(server.connect_from(client));
        // Who speaks now and then is not the idlest.
        if client % 50 == 0 {
            server.await_counts("it came", |counts| counts.accepted == u64::from(client) + 2);
            thread::sleep(Duration::from_millis(2));
            root(&server, &mut kept);
        }
    }
    server.await_counts("all came", |counts| counts.accepted == 2001);
    server.await_counts("no more than there is room for", |counts| counts.displaced == 2001 - ROOM as u64);
    assert_eq!(server.counts().connections, ROOM as u64);
    root(&server, &mut kept);
    // The first is closed, and the last is served.
    assert_eq!(idle[0].read(&mut [0]).unwrap(), 0);
    root(&server, &mut idle[1999]);
}

/// Octets that this process has in memory of its own.
fn resident_octets() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_thousand_clients_that_take_nothing_of_a_mebibyte_cost_little() {
    let tree = testing::directory("nfs");
    fs::write(tree.path().join("big"), pattern(1 << 20)).unwrap();
    for rationed in [false, true] {
        let server = Server::new(tree.path());
        let mut first = server.connect();
        let root_handle = root(&server, &mut first);
        let handle = find(&mut first, &root_handle, "big");
        server.handle().ration(rationed);
        let before = resident_octets();
        let one = heorot_rpc::record::mark(&read_call(&handle, 0, 1 << 20), true);
        let silent: Vec<TcpStream> = (0..1000)
            .map(|client| {
                let mut stream = server.connect_from(client);
                stream.write_all(&one.repeat(16)).unwrap();
                stream
            })
            .collect();
        server.await_counts("all have asked", |counts| counts.calls >= 1002);
        thread::sleep(Duration::from_millis(100));
        let grown = resident_octets().saturating_sub(before);
        assert!(grown < 64 << 20, "{grown} octets, rationed: {rationed}");
        // And who reads is served.
        root(&server, &mut first);
        drop(silent);
    }
}
