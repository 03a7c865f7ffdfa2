use super::*;
use heorot_dns::{Dropped, Prefix, ResponseCode};
use heorot_names::{NumberRange, Numbering, Pattern};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Instant;

mod updates;

fn directory(given: &[(u32, &str)]) -> Arc<Directory> {
    let numbers = NumberRange { lowest: 0, highest: 1023 };
    Arc::new(Directory {
        networks: vec![Numbering {
            numbers,
            first: Ipv4Addr::new(10, 77, 1, 0),
            first_ipv6: None,
            suffix: String::new(),
        }],
        given_names: given.iter().map(|(number, name)| (*number, (*name).to_owned())).collect(),
        hardware_addresses: Default::default(),
        groups: Default::default(),
        ..Directory::new("cluster", Pattern::parse("node{}").unwrap())
    })
}

fn settings() -> Settings {
    Settings {
        hosts: [
            ("heorot".to_owned(), vec![Ipv4Addr::new(10, 77, 0, 1)]),
            ("many".to_owned(), (0..200).map(|n| Ipv4Addr::new(192, 0, 2, n)).collect()),
        ]
        .into(),
        reverse_prefixes: vec![Prefix { address: Ipv4Addr::new(10, 77, 0, 0).into(), length: 16 }],
        ..Settings::default()
    }
}

fn serve() -> Handle {
    serve_with(LIMITS, &["127.0.0.1:0"])
}

fn serve_with(limits: Limits, listen: &[&str]) -> Handle {
    let listen: Vec<_> = listen.iter().map(|address| address.parse().unwrap()).collect();
    let handle = start_with(limits, &listen, settings(), directory(&[]), Journal::start().unwrap()).unwrap();
    handle.publish(directory(&[]), Vec::new());
    handle
}

/// Until the records are read nobody knows all names, and nobody is told that there is none.
#[test]
fn what_is_asked_before_all_names_are_known_is_answered_then() {
    let listen = ["127.0.0.1:0".parse().unwrap()];
    let handle = start_with(LIMITS, &listen, settings(), directory(&[]), Journal::start().unwrap()).unwrap();
    let server = handle.addresses()[0];
    let (socket, mut stream) = (client(server), dial(server));
    socket.send(&query(1, "storage")).unwrap();
    stream.write_all(&framed(&query(2, "storage"))).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert_eq!(socket.recv(&mut [0; 512]).unwrap_err().kind(), ErrorKind::WouldBlock);
    handle.publish(directory(&[(3, "storage")]), Vec::new());
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut answer = [0; 512];
    let octets = socket.recv(&mut answer).unwrap();
    for answer in [answer[..octets].to_vec(), read_framed(&mut stream)] {
        assert_eq!((answer[3] & 15, &answer[answer.len() - 4..]), (0, &[10, 77, 1, 3][..]));
    }
    // Who never learns them ends all the same.
    drop(start_with(LIMITS, &listen, settings(), directory(&[]), Journal::start().unwrap()).unwrap());
}

/// A query for an A record; the id tells it from others.
fn query(id: u16, host: &str) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in [host, "cluster"] {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    message
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

fn client(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((server.ip(), 0)).unwrap();
    // Connected: a reply from another address than the one that was asked does not come through.
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

fn ask(server: SocketAddr, message: &[u8]) -> Vec<u8> {
    let socket = client(server);
    socket.send(message).unwrap();
    let mut buffer = [0; 65_535];
    let octets = socket.recv(&mut buffer).unwrap();
    buffer[..octets].to_vec()
}

fn dial(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

fn read_framed(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).unwrap();
    message
}

/// Whether the server ended it: by a FIN, or by a reset where something unread was left.
fn is_ended(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 1]) {
        Ok(octets) => octets == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(5), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn each_address_answers_for_itself() {
    let handle = serve_with(LIMITS, &["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"]);
    assert_eq!(handle.addresses().len(), 3);
    for server in handle.addresses() {
        let reply = ask(*server, &query(0x1234, "node258"));
        assert_eq!(reply[..4], [0x12, 0x34, 0x85, 0x00], "{server}");
        assert_eq!(reply[reply.len() - 4..], [10, 77, 2, 2], "{server}");
        let mut stream = dial(*server);
        stream.write_all(&framed(&query(0x1234, "node258"))).unwrap();
        assert_eq!(read_framed(&mut stream), reply, "{server}");
    }
    eventually("all counted", || handle.counts().resolver.replies(ResponseCode::NoError) == 6);
    let counts = handle.counts();
    assert_eq!((counts.resolver.queries_udp, counts.resolver.queries_tcp), (3, 3));
    assert_eq!((counts.streams.accepted, counts.replies_unsent, counts.receive_errors), (3, 0, 0));
}

#[test]
fn a_published_name_is_answered() {
    let handle = serve();
    let server = handle.addresses()[0];
    // NXDOMAIN is 3.
    assert_eq!(ask(server, &query(1, "login"))[3] & 15, 3);
    handle.publish(directory(&[(9, "elsewhere")]), Vec::new());
    handle.publish(directory(&[(7, "login")]), Vec::new());
    eventually("the name is known", || ask(server, &query(1, "login")).ends_with(&[10, 77, 1, 7]));
    handle.configure(Settings { ttl_seconds: 9, ..settings() });
    eventually("the time is known", || {
        ask(server, &query(1, "login")).ends_with(&[0, 0, 0, 9, 0, 4, 10, 77, 1, 7])
    });
}

#[test]
fn tcp_takes_messages_as_they_come() {
    let handle = serve();
    let server = handle.addresses()[0];

    // Pipelined (RFC 7766 6.2.1.1), more than one read takes, and the replies more than a socket: all come, in order.
    let mut stream = dial(server);
    let mut writer = stream.try_clone().unwrap();
    let sender = thread::spawn(move || {
        for id in 0..4_000 {
            writer.write_all(&framed(&query(id, "many"))).unwrap();
        }
    });
    for id in 0..4_000_u16 {
        let reply = read_framed(&mut stream);
        assert_eq!(reply[..2], id.to_be_bytes());
        assert_eq!(reply.len(), 12 + 18 + 200 * 16);
    }
    sender.join().unwrap();

    // Octet by octet, the length too.
    let mut stream = dial(server);
    stream.set_nodelay(true).unwrap();
    for octet in framed(&query(7, "node7")) {
        stream.write_all(&[octet]).unwrap();
    }
    assert!(read_framed(&mut stream).ends_with(&[10, 77, 1, 7]));

    // The client's half is shut; what it asked is still answered, and then it ends.
    let mut stream = dial(server);
    let two = [framed(&query(1, "node1")), framed(&query(2, "node2"))].concat();
    stream.write_all(&two).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(read_framed(&mut stream).ends_with(&[10, 77, 1, 1]));
    assert!(read_framed(&mut stream).ends_with(&[10, 77, 1, 2]));
    assert!(is_ended(&mut stream));
}

#[test]
fn a_stream_of_nonsense_is_ended() {
    let handle = serve();
    let mut response = query(1, "node1");
    response[2] |= 0x80;
    for nonsense in [framed(&response), framed(&[]), framed(&[1, 2, 3])] {
        let mut stream = dial(handle.addresses()[0]);
        // What came before is answered first.
        stream.write_all(&[framed(&query(1, "node1")), nonsense].concat()).unwrap();
        assert!(read_framed(&mut stream).ends_with(&[10, 77, 1, 1]));
        assert!(is_ended(&mut stream));
    }
    eventually("counted", || handle.counts().resolver.dropped(Dropped::Short) == 2);
    assert_eq!(handle.counts().resolver.dropped(Dropped::Response), 1);
}

#[test]
fn idle_connections_end() {
    let idle = Duration::from_millis(300);
    let handle = serve_with(Limits { idle, ..LIMITS }, &["127.0.0.1:0"]);
    let server = handle.addresses()[0];
    let began = Instant::now();
    let mut silent = dial(server);
    // Octets that never become a query gain no time.
    let mut slow = dial(server);
    let mut octets = slow.try_clone().unwrap();
    let writer = thread::spawn(move || {
        (0..40).any(|_| {
            thread::sleep(Duration::from_millis(25));
            octets.write_all(&[1]).is_err()
        })
    });
    assert!(is_ended(&mut silent));
    assert!(began.elapsed() >= idle);
    assert!(is_ended(&mut slow));
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(writer.join().unwrap(), "the server took octets after the end");
    eventually("counted", || handle.counts().streams.silent == 2);
}

#[test]
fn a_new_connection_displaces_the_one_idle_longest() {
    let handle = serve_with(Limits { connections: 3, ..LIMITS }, &["127.0.0.1:0"]);
    let server = handle.addresses()[0];
    let exchange = |stream: &mut TcpStream| {
        stream.write_all(&framed(&query(1, "node1"))).unwrap();
        read_framed(stream)
    };
    let mut streams: Vec<_> = (0..3).map(|_| dial(server)).collect();
    for stream in &mut streams {
        exchange(stream);
    }
    exchange(&mut streams[0]);
    let mut fourth = dial(server);
    exchange(&mut fourth);
    assert!(is_ended(&mut streams[1]));
    exchange(&mut streams[0]);
    exchange(&mut streams[2]);
    eventually("counted", || handle.counts().streams.displaced == 1);
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let handle = serve_with(Limits { idle: Duration::from_secs(2), ..LIMITS }, &["127.0.0.1:0"]);
    let server = handle.addresses()[0];
    let mut deaf = dial(server);
    deaf.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    // Each query asks for 3 kB: the replies fill the socket, then our bound, then the queries fill their own way.
    let queries = framed(&query(1, "many")).repeat(1_000);
    let stuck = (0..1_000).any(|_| deaf.write_all(&queries).is_err());
    assert!(stuck, "the server reads for ever");
    let began = Instant::now();
    assert!(ask(server, &query(1, "node5")).ends_with(&[10, 77, 1, 5]));
    assert!(began.elapsed() < Duration::from_secs(1));
    eventually("it is ended", || handle.counts().streams.silent == 1);
}

#[test]
fn a_thousand_queries_are_all_answered() {
    let handle = serve();
    let socket = client(handle.addresses()[0]);
    let mut seen = std::collections::BTreeSet::new();
    for id in 0..1_000 {
        socket.send(&query(id, &format!("node{id}"))).unwrap();
        // The test's own socket is small: it is emptied now and then.
        if id % 100 == 99 {
            let mut buffer = [0; 512];
            for _ in 0..100 {
                let octets = socket.recv(&mut buffer).unwrap();
                let id = u16::from_be_bytes([buffer[0], buffer[1]]);
                let address = u32::from(Ipv4Addr::new(10, 77, 1, 0)) + u32::from(id);
                assert!(buffer[..octets].ends_with(&address.to_be_bytes()));
                assert!(seen.insert(id));
            }
        }
    }
    assert_eq!(seen.len(), 1_000);
}

#[test]
fn what_is_in_the_way_is_named() {
    // An address of its own: no other test takes the port in between.
    let udp = UdpSocket::bind("127.0.0.3:0").unwrap();
    let taken = udp.local_addr().unwrap();
    let start = |address: SocketAddr| {
        start(&[address], settings(), directory(&[]), Journal::start().unwrap()).map(|_| ()).unwrap_err()
    };
    let error = start(taken);
    let port = format!("127.0.0.3 port {}", taken.port());
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&format!("UDP {port}")), "{error}");
    drop(udp);
    let tcp = TcpListener::bind("127.0.0.3:0").unwrap();
    let error = start(tcp.local_addr().unwrap());
    assert!(
        error.to_string().contains(&format!("TCP 127.0.0.3 port {}", tcp.local_addr().unwrap().port())),
        "{error}"
    );

    let error = start("192.0.2.1:5300".parse().unwrap());
    assert!(error.to_string().contains("192.0.2.1 port 5300"), "{error}");
    assert!(error.to_string().contains("no interface"), "{error}");
    let error = start("0.0.0.0:5300".parse().unwrap());
    assert!(error.to_string().contains("name each address"), "{error}");
    let wrong = Arc::new(Directory { zone: "a..b".into(), ..(*directory(&[])).clone() });
    let error = super::start(&[taken], settings(), wrong, Journal::start().unwrap()).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[test]
fn stopping_frees_the_ports_and_ends_connections() {
    let handle = serve_with(LIMITS, &["127.0.0.4:0"]);
    let server = handle.addresses()[0];
    let mut stream = dial(server);
    stream.write_all(&framed(&query(1, "node1"))).unwrap();
    read_framed(&mut stream);
    assert!(handle.is_running());
    handle.stop();
    assert!(is_ended(&mut stream));
    // The same ports at once, although a connection lingers on them.
    let again = serve_with(LIMITS, &[&server.to_string()]);
    assert_eq!(again.addresses(), [server]);
    assert!(ask(server, &query(1, "node1")).ends_with(&[10, 77, 1, 1]));
}

/// Whether a bell rings within this time.
fn rings(bell: &Bell, within: Duration) -> bool {
    let within = rustix::event::Timespec::try_from(within).unwrap();
    rustix::event::poll(&mut [rustix::event::PollFd::new(bell, rustix::event::PollFlags::IN)], Some(&within))
        .unwrap()
        > 0
}

/// The loop ends the process then, so that another one answers: at once, though nothing else wakes it for a minute.
#[test]
fn a_thread_that_has_died_is_told_of() {
    for dies in ["dns", "dns-files"] {
        let handle = serve();
        let bell = Bell::new().unwrap();
        handle.ring_at_end(&bell);
        assert!(handle.is_running() && !rings(&bell, Duration::ZERO), "{dies}");
        match dies {
            "dns" => handle.post.tell(|mailbox| mailbox.stop = true),
            _ => handle.files_post.tell(|mailbox| mailbox.stop = true),
        }
        assert!(rings(&bell, Duration::from_secs(10)), "{dies}");
        assert!(!handle.is_running(), "{dies}: it is so when the bell rings");
        // Who listens later hears of it all the same.
        let late = Bell::new().unwrap();
        handle.ring_at_end(&late);
        assert!(rings(&late, Duration::ZERO), "{dies}");
    }
}

#[test]
fn dig_reads_our_answers() {
    let handle = serve();
    let server = handle.addresses()[0];
    let dig = |arguments: &str| {
        let port = server.port().to_string();
        let command = Command::new("dig")
            .args([
                "@127.0.0.1",
                "-p",
                &port,
                "+tries=1",
                "+time=5",
                "+noall",
                "+comments",
                "+answer",
                "+authority",
            ])
            .args(arguments.split(' '))
            .output()
            .expect("dig runs (Debian: bind9-dnsutils)");
        let text = String::from_utf8(command.stdout).unwrap();
        // Columns are a matter of taste.
        text.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let soa = "IN SOA heorot.cluster. hostmaster.cluster. 1 3600 600 604800 60";
    let table: &[(&str, &str, &str)] = &[
        ("node0.cluster A", "NOERROR", "node0.cluster. 300 IN A 10.77.1.0"),
        ("+tcp nOdE23.cluster A", "NOERROR", "nOdE23.cluster. 300 IN A 10.77.1.23"),
        ("+noedns node0.cluster A", "NOERROR", "node0.cluster. 300 IN A 10.77.1.0"),
        ("-x 10.77.1.23", "NOERROR", "23.1.77.10.in-addr.arpa. 300 IN PTR node23.cluster."),
        ("-x 10.77.0.1", "NOERROR", "1.0.77.10.in-addr.arpa. 300 IN PTR heorot.cluster."),
        ("node0.cluster AAAA", "NOERROR", &format!("cluster. 60 {soa}")),
        ("else.cluster A", "NXDOMAIN", &format!("cluster. 60 {soa}")),
        ("-x 10.77.99.1", "NXDOMAIN", &format!("77.10.in-addr.arpa. 60 {soa}")),
        ("cluster SOA", "NOERROR", &format!("cluster. 300 {soa}")),
        ("cluster NS", "NOERROR", "cluster. 300 IN NS heorot.cluster."),
        ("example.org A", "REFUSED", "EDNS: version: 0, flags:; udp: 1232"),
        ("-c CH version.bind TXT", "REFUSED", "EDNS: version: 0, flags:; udp: 1232"),
        ("+edns=1 +noednsnegotiation node0.cluster A", "BADVERS", "EDNS: version: 0, flags:; udp: 1232"),
        ("+opcode=notify cluster SOA", "NOTIMP", "flags: qr rd"),
        // Too long for UDP: dig sees TC and asks again by TCP.
        ("+bufsize=512 many.cluster A", "NOERROR", "many.cluster. 300 IN A 192.0.2.199"),
        ("+ignore +bufsize=512 many.cluster A", "NOERROR", "flags: qr aa tc rd"),
    ];
    for (arguments, status, line) in table {
        let text = dig(arguments);
        assert!(text.contains(&format!("status: {status},")), "{arguments}\n{text}");
        assert!(text.contains(line), "{arguments}: {line}\n{text}");
        assert!(!text.contains("WARNING: Message parser"), "{arguments}\n{text}");
    }
}

mod forward;
