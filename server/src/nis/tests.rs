use super::*;
use crate::testing;
use heorot_core::config::Nis;
use heorot_dns::Prefix;
use heorot_names::{NumberRange, Numbering, Pattern};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

const PORTMAPPER: u32 = 100_000;
const YP_SERVER: u32 = 100_004;
const SOON: Duration = Duration::from_secs(5);

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
        hosts: BTreeMap::new(),
        networks: vec![Prefix { address: [10, 77, 0, 1].into(), length: 16 }],
        port: 0,
        others: Vec::new(),
    }
}

fn nis() -> Nis {
    Nis { domain: "cluster".into(), port: free_port(), passwd: None, group: None }
}

/// A port above 1024 that nobody has, by UDP and TCP, and that nobody is given before it is used: other tests run beside this one.
fn free_port() -> u16 {
    bind_free(Door::Portmapper).0.port
}

/// The same, bound.
fn bind_free(door: Door) -> (bind::Sockets, TcpListener) {
    // Below those that the kernel gives to whoever asks for any (ip_local_port_range). Other processes that test begin elsewhere.
    const LOWEST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let next = || {
        // With room behind each, where a server goes that finds its port taken.
        let place = std::process::id().wrapping_mul(97) + 17 * TAKEN.fetch_add(1, Ordering::Relaxed);
        u16::try_from(LOWEST + place % COUNT).unwrap()
    };
    (0..100).find_map(|_| bind::bind(next(), door).ok()).expect("some port is free by both")
}

fn start(limits: Limits, portmapper: u16, nis: &Nis) -> Result<Handle, Problem> {
    let ports = Ports { portmapper, tried: 16 };
    start_with(limits, &ports, nis, settings(), directory(4095), Journal::start().unwrap())
}

fn call(program: u32, procedure: u32, numbers: &[u32], texts: &[&str]) -> Vec<u8> {
    let head = [7, 0, 2, program, 2, procedure, 0, 0, 0, 0];
    let mut octets: Vec<u8> = head.iter().chain(numbers).flat_map(|number| number.to_be_bytes()).collect();
    for text in texts {
        octets.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        octets.extend_from_slice(text.as_bytes());
        octets.resize(octets.len().next_multiple_of(4), 0);
    }
    octets
}

/// The reply to a datagram, behind xid, REPLY, verifier and success.
fn ask(port: u16, call: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // Whatever the host's other address was asked, the reply comes from the one that was asked: connect() holds it to that.
    socket.connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket.send(call).unwrap();
    let mut buffer = [0; 2048];
    let octets = socket.recv(&mut buffer).ok()?;
    assert_eq!(buffer[..24], [0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    Some(buffer[24..octets].to_vec())
}

fn number(octets: &[u8]) -> u32 {
    u32::from_be_bytes(octets[..4].try_into().unwrap())
}

fn marked(call: &[u8]) -> Vec<u8> {
    [&(0x8000_0000 | u32::try_from(call.len()).unwrap()).to_be_bytes(), call].concat()
}

/// A message that comes in fragments.
fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut mark = [0; 4];
        stream.read_exact(&mut mark)?;
        let mark = u32::from_be_bytes(mark);
        let mut fragment = vec![0; (mark & 0x7fff_ffff) as usize];
        stream.read_exact(&mut fragment)?;
        message.extend(fragment);
        if mark >> 31 == 1 {
            return Ok(message);
        }
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

#[test]
fn a_client_finds_its_way_from_the_portmapper() {
    let portmapper = free_port();
    let handle = start(LIMITS, portmapper, &nis()).unwrap();
    let found = ask(portmapper, &call(PORTMAPPER, 3, &[YP_SERVER, 2, 17, 0], &[])).unwrap();
    assert_eq!(number(&found), u32::from(handle.port()));
    let found = ask(handle.port(), &call(YP_SERVER, 3, &[], &["cluster", "hosts.byname", "node23"])).unwrap();
    assert_eq!(&found[8..], b"10.77.1.23\tnode23.cluster node23");
    // By TCP, two calls in one piece, and a call in pieces of one octet.
    let mut stream = connect(portmapper);
    let question = marked(&call(PORTMAPPER, 3, &[YP_SERVER, 2, 6, 0], &[]));
    stream.write_all(&question.repeat(2)).unwrap();
    for octet in &question {
        stream.write_all(&[*octet]).unwrap();
    }
    for _ in 0..3 {
        let reply = read_message(&mut stream).unwrap();
        assert_eq!(number(&reply[24..]), u32::from(handle.port()));
    }
    handle.publish(directory(9));
    let gone = Instant::now();
    while number(
        &ask(handle.port(), &call(YP_SERVER, 3, &[], &["cluster", "hosts.byname", "node23"])).unwrap(),
    ) == 1
    {
        assert!(gone.elapsed() < SOON, "the names that are published are not taken");
    }
    assert!(handle.is_running());
    let port = handle.port();
    handle.stop();
    bind::bind(port, Door::YpServer).expect("the port is free");
    bind::bind(portmapper, Door::Portmapper).expect("the port is free");
}

#[test]
fn a_whole_map_waits_for_who_reads_slowly() {
    let portmapper = free_port();
    let handle = start(LIMITS, portmapper, &nis()).unwrap();
    let question = marked(&call(YP_SERVER, 8, &[], &["cluster", "hosts.byaddr"]));
    // One asks, and then again, and reads nothing: the others do not wait for him.
    let mut slow = connect(handle.port());
    slow.write_all(&question.repeat(20)).unwrap();
    for _ in 0..3 {
        let mut stream = connect(handle.port());
        stream.write_all(&question).unwrap();
        let map = read_message(&mut stream).unwrap();
        let last = b"10.77.16.255\tnode4095.cluster node4095";
        assert!(map.windows(last.len()).any(|part| part == last));
        assert_eq!(map[map.len() - 20..], [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    // In the end he has all that he asked for.
    let first = read_message(&mut slow).unwrap();
    for _ in 1..20 {
        assert_eq!(read_message(&mut slow).unwrap(), first);
    }
}

#[test]
fn connections_are_few_and_not_silent_for_long() {
    let limits = Limits { connections: 2, silence: Duration::from_millis(300), ..LIMITS };
    let handle = start(limits, free_port(), &nis()).unwrap();
    let question = marked(&call(YP_SERVER, 0, &[], &[]));
    let mut streams: Vec<TcpStream> = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(handle.port());
        stream.write_all(&question).unwrap();
        read_message(&mut stream).unwrap();
        streams.push(stream);
    }
    assert_eq!(streams[0].read(&mut [0; 8]).unwrap(), 0, "the oldest gave way");
    assert_eq!(streams[2].read(&mut [0; 8]).unwrap(), 0, "nothing was said");
    let mut garbage = connect(handle.port());
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(garbage.read(&mut [0; 8]).unwrap_or(0), 0, "that is no RPC");
    let counts = handle.counts();
    assert_eq!((counts.streams.accepted, counts.streams.displaced), (4, 1));
    assert_eq!(counts.streams.silent, 2);
}

/// A portmapper as rpcbind is one, on every address: it has one program, and forgets it when it is told to.
struct OtherPortmapper {
    port: u16,
    known: Arc<Mutex<BTreeMap<(u32, u32), u32>>>,
}

impl OtherPortmapper {
    fn start() -> Self {
        let (sockets, listener) = bind_free(Door::Portmapper);
        let known = Arc::new(Mutex::new(BTreeMap::<(u32, u32), u32>::new()));
        let (port, table) = (sockets.port, Arc::clone(&known));
        sockets.datagrams.set_nonblocking(false).unwrap();
        let socket = UdpSocket::from(sockets.datagrams);
        thread::spawn(move || {
            let _listener = listener;
            let mut buffer = [0; 512];
            while let Ok((octets, from)) = socket.recv_from(&mut buffer) {
                let word = |n: usize| number(&buffer[4 * n..octets.max(4 * n + 4)]);
                let mut known = table.lock().unwrap();
                let result = match word(5) {
                    1 => Some(u32::from(known.insert((word(10), word(12)), word(13)).is_none())),
                    2 => {
                        known.retain(|(program, _), _| *program != word(10));
                        Some(1)
                    }
                    3 => Some(known.get(&(word(10), word(12))).copied().unwrap_or(0)),
                    _ => None,
                };
                let reply = [word(0), 1, 0, 0, 0, 0].into_iter().chain(result);
                let reply: Vec<u8> = reply.flat_map(u32::to_be_bytes).collect();
                let _ = socket.send_to(&reply, from);
            }
        });
        Self { port, known }
    }

    fn known(&self) -> Vec<(u32, u32, u32)> {
        self.known.lock().unwrap().iter().map(|((program, by), port)| (*program, *by, *port)).collect()
    }
}

#[test]
fn a_portmapper_of_the_host_is_told_and_told_again_and_untold() {
    let other = OtherPortmapper::start();
    // What a server left that was killed.
    other.known.lock().unwrap().insert((YP_SERVER, 17), free_port().into());
    other.known.lock().unwrap().insert((100_003, 6), 2049);
    let limits = Limits { rpcbind_checked_every: Duration::from_millis(50), ..LIMITS };
    let handle = start(limits, other.port, &nis()).unwrap();
    let port = u32::from(handle.port());
    let all = [(100_003, 6, 2049), (YP_SERVER, 6, port), (YP_SERVER, 17, port)];
    assert_eq!(other.known(), all);
    other.known.lock().unwrap().clear();
    let cleared = Instant::now();
    while other.known() != all[1..] {
        assert!(cleared.elapsed() < SOON, "{:?}", other.known());
        thread::sleep(Duration::from_millis(5));
    }
    assert!(handle.counts().registered_again <= 2);
    handle.stop();
    assert_eq!(other.known(), []);
}

#[test]
fn what_is_in_the_way_is_named_with_a_remedy() {
    let told = |portmapper: u16, nis: &Nis| match start(LIMITS, portmapper, nis) {
        Ok(_) => "it starts".to_owned(),
        Err(Problem(text)) => text,
    };
    let (mute, _listener) = bind_free(Door::Portmapper);
    let text = told(mute.port, &nis());
    assert!(text.contains("does not answer as a portmapper") && text.contains("ss -lnptu"), "{text}");

    let first = start(LIMITS, free_port(), &nis()).unwrap();
    let other = OtherPortmapper::start();
    other.known.lock().unwrap().insert((YP_SERVER, 17), first.port().into());
    let text = told(other.port, &nis());
    assert!(
        text.contains(&format!("another NIS server runs on this host, at port {}", first.port())),
        "{text}"
    );
    assert_eq!(other.known(), [(YP_SERVER, 17, first.port().into())], "its entry stays");

    let nowhere = Nis { passwd: Some("/nowhere/passwd".into()), ..nis() };
    let text = told(free_port(), &nowhere);
    assert!(text.contains("nis.passwd: /nowhere/passwd cannot be read"), "{text}");
    // The port is another's: the next one will do.
    let (taken, _listener) = bind_free(Door::YpServer);
    let next = start(LIMITS, free_port(), &Nis { port: taken.port, ..nis() }).unwrap();
    assert!(next.port() > taken.port && next.port() <= taken.port + 16);
}

#[test]
fn files_are_followed() {
    let directory = testing::directory("accounts");
    let path = directory.path().join("passwd");
    std::fs::write(&path, "alice:$6$hash:1000:100::/home/alice:/bin/sh\n").unwrap();
    let nis = Nis { passwd: Some(path.to_str().unwrap().into()), ..nis() };
    let handle = start(LIMITS, free_port(), &nis).unwrap();
    let user = |name: &str| {
        let found =
            ask(handle.port(), &call(YP_SERVER, 3, &[], &["cluster", "passwd.byname", name])).unwrap();
        String::from_utf8_lossy(&found[8..]).trim_end_matches('\0').to_owned()
    };
    assert_eq!(user("alice"), "alice:x:1000:100::/home/alice:/bin/sh");
    // As useradd does it: another file takes the name.
    let new = directory.path().join("passwd.new");
    std::fs::write(&new, "bob:$6$hash:1001:100::/home/bob:/bin/sh\n").unwrap();
    std::fs::rename(&new, &path).unwrap();
    let changed = Instant::now();
    while user("bob").is_empty() {
        assert!(changed.elapsed() < SOON, "the new file is not read");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(user("alice"), "");
    // What is gone stays as it was.
    std::fs::remove_file(&path).unwrap();
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(user("bob"), "bob:x:1001:100::/home/bob:/bin/sh");
}
