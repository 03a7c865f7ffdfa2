mod delivered;
mod disks;
mod distrust;
mod floods;
mod operators;
mod standing;

use super::*;
use crate::overlay::tests::wanted;
use crate::streams::LISTENERS_MAX;
use crate::testing::{self, Directory};
use crate::wake::{Bell, line};
use heorot_core::limit::{HTTP_AT_ONCE_OCTETS, POST_OCTETS_MAX};
use heorot_core::message::{Query, Unwritten, Via};
use heorot_core::transfer::Part;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// A server whose loop is a small fake: it answers by the path's first letters, grants what is asked for, and keeps what it was told.
struct Server {
    directory: Directory,
    address: std::net::SocketAddr,
    secured: std::net::SocketAddr,
    http: Arc<Mutex<Http>>,
    told: Arc<Mutex<Vec<String>>>,
    /// Octets that are granted at a time.
    grants: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
    certificate: String,
}

const ASKS: usize = 16;

fn limits() -> Limits {
    Limits {
        connections: 20,
        request_within: Duration::from_secs(30),
        answer_within: Duration::from_millis(300),
        silence: Duration::from_secs(150),
        lingers: Duration::from_secs(2),
    }
}

fn server() -> Server {
    server_within(limits())
}

fn server_within(limits: Limits) -> Server {
    let directory = testing::directory("http");
    let listen = || bind(Ipv4Addr::LOCALHOST, 0, ("HTTP", "http.port")).unwrap();
    let (boot, secured) = (listen(), listen());
    let addresses = (boot.local_addr().unwrap(), secured.local_addr().unwrap());
    let control = ControlSocket::bind(&directory.path().join("control.sock")).unwrap();
    let bell = Bell::new().unwrap();
    let (caller, asks) = line(&bell, ASKS);
    let files = testing::boot_files(&directory);
    let sockets = Sockets { boot: vec![boot], secured: vec![secured], control };
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("certificate"), made.cert.pem()).unwrap();
    std::fs::write(path("key"), made.signing_key.serialize_pem()).unwrap();
    let tls = tls::read(&path("certificate"), &path("key"), &|_| String::new()).unwrap();
    let journal = Journal::start().unwrap();
    let overlays = Overlays::new(directory.path().to_str().unwrap(), &[7; 16]);
    let files = (&files, &overlays);
    let http = Http::start_within(limits, sockets, (caller, &bell), files, Some(tls), journal).unwrap();
    let http = Arc::new(Mutex::new(http));
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let (grants, ends): (Arc<AtomicU64>, Arc<AtomicBool>) =
        (Arc::new(AtomicU64::new(100_000)), Arc::default());
    let (fake, fake_told) = (Arc::clone(&http), Arc::clone(&told));
    let (fake_grants, fake_ends) = (Arc::clone(&grants), Arc::clone(&ends));
    std::thread::spawn(move || {
        while Arc::strong_count(&fake) > 1 {
            std::thread::sleep(Duration::from_micros(300));
            while let Ok(ask) = asks.try_recv() {
                take_ask(ask, &fake_told);
            }
            let mut http = fake.lock().unwrap();
            for news in http.news() {
                take_news(
                    &mut http,
                    news,
                    &fake_told,
                    fake_grants.load(Ordering::Relaxed),
                    fake_ends.load(Ordering::Relaxed),
                );
            }
            http.flush();
        }
    });
    Server {
        directory,
        address: addresses.0,
        secured: addresses.1,
        http,
        told,
        grants,
        ends,
        certificate: made.cert.pem(),
    }
}

fn take_news(http: &mut Http, news: News, told: &Mutex<Vec<String>>, grant: u64, ends: bool) {
    match news {
        News::Asked { key, question, from, local, via, path } => {
            let answer = match path.as_str() {
                "/text" => Answer::Text("#!ipxe\n".into()),
                "/gone" => Answer::Missing("not for you".into()),
                "/silent" => return,
                "/never" => return told.lock().unwrap().push(format!("unanswered {key} {question}")),
                "/names" => Answer::Unwritten(Box::new(names_of(23))),
                "/files" => Answer::Files(Box::new(wanted(&["base"], &[], true))),
                // The store hangs for longer than anybody waits.
                "/late-files" => {
                    std::thread::sleep(Duration::from_millis(600));
                    let mut late = wanted(&["base"], &[], true);
                    late.given = Some(Time::from_nanoseconds(1));
                    Answer::Files(Box::new(late))
                }
                "/no-files" => Answer::Files(Box::new(wanted(&["none"], &[], false))),
                _ if path.contains("..") => Answer::Refused("that leads out".into()),
                _ if path.starts_with("/node/") => Answer::Json(202, "{}".into()),
                _ => Answer::File(path.trim_start_matches('/').into()),
            };
            let body = if let Via::HttpPost(body) = via { body.len() } else { 0 };
            told.lock().unwrap().push(format!("{from} {local} {path} {body}"));
            http.answer((key, question), (!ends).then_some((answer, path == "/node.signed")));
        }
        News::Stream(stream, news) => {
            told.lock().unwrap().push(format!("{news:?}"));
            if matches!(news, StreamNews::Begun { .. } | StreamNews::Wants) && grant > 0 {
                http.grant(stream, grant);
            }
        }
        News::Sending { to, path } => {
            told.lock().unwrap().push(format!("{} is sent {path}", to.ip()));
        }
        News::Sent(Transfer { path, part, octets, outcome, .. }) => {
            let part =
                part.map(|Part { octets, size }| format!(" of {octets:?} of {size}")).unwrap_or_default();
            told.lock().unwrap().push(format!("sent {path} {octets}{part} {outcome:?}"));
        }
        News::NotMade { mac, why: None, .. } => {
            told.lock().unwrap().push(format!("{mac} was not waited for"));
        }
        News::NotMade { mac, given, why: Some(why) } => {
            told.lock().unwrap().push(format!("{mac} {given:?}: {why}"));
        }
    }
}

fn take_ask(ask: Ask, told: &Mutex<Vec<String>>) {
    let line = match ask {
        Ask::Operator { query, reply } => {
            let known = !matches!(&query, Query::Node(node) if node == "nobody");
            let answer = if known { (200, "[]") } else { (404, "{\"error\":\"x\"}") };
            // Who has the answer looks at what was asked.
            told.lock().unwrap().push(format!("{query:?}"));
            let _ = reply.send(Answer::Json(answer.0, answer.1.into()));
            return;
        }
        Ask::SignOfLife(address) => format!("life {address}"),
        Ask::Unavailable { from, path, .. } => format!("{from} lacks {path}"),
        Ask::Distrusts { from, why } => format!("{from} distrusts: {why}"),
        Ask::Misunderstood { from, why } => format!("{from} is not understood: {why}"),
        Ask::Update { .. } | Ask::UpdateDenied { .. } | Ask::HostsFiles(_) | Ask::Unanswered { .. } => {
            panic!("HTTP knows no names")
        }
    };
    told.lock().unwrap().push(line);
}

impl Server {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn connect_by_tls(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        let pem = self.certificate.as_bytes();
        roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(pem).unwrap()).unwrap();
        let config =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
        let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        rustls::StreamOwned::new(client, TcpStream::connect(self.secured).unwrap())
    }

    fn get(&self, request: &str) -> (String, Vec<u8>) {
        exchange(&mut self.connect(), request)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.directory.path().join(name), content).unwrap();
    }

    fn told(&self, what: &str) -> usize {
        self.told.lock().unwrap().iter().filter(|line| line.starts_with(what)).count()
    }

    /// Waits until it is so.
    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let give_up = Instant::now() + Duration::from_secs(10);
        while !is_so(self) {
            assert!(Instant::now() < give_up, "{what}: {:?}", self.told.lock().unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn counts(&self) -> Counts {
        self.http.lock().unwrap().counts()
    }
}

/// One request, whose connection ends with it. The head of the answer in small letters, and the body.
fn exchange(stream: &mut (impl Read + Write), request: &str) -> (String, Vec<u8>) {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut text = String::new();
    for (number, line) in head.lines().enumerate() {
        let http = if number == 0 { " HTTP/1.1\r\nHost: x\r\nConnection: close" } else { "" };
        write!(text, "{line}{http}\r\n").unwrap();
    }
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    parted(&response)
}

fn parted(response: &[u8]) -> (String, Vec<u8>) {
    let end = response.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer has a head");
    (String::from_utf8(response[..end].to_vec()).unwrap().to_lowercase(), response[end + 4..].to_vec())
}

/// The next answer on a connection that stays.
fn next_answer(stream: &mut TcpStream, has_body: bool) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet).unwrap();
        head.push(octet[0]);
    }
    let (head, _) = parted(&head);
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |l| l.parse().unwrap());
    let mut body = vec![0; if has_body { length } else { 0 }];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn machines_get_what_the_loop_says() {
    let server = server();
    server.write("kernel", vec![7; 200_000]);
    server.write("a b.efi", "0123456789");
    server.write("empty", "");
    server.write("node.signed", "0123456789");
    std::os::unix::fs::symlink("/etc/passwd", server.directory.path().join("out")).unwrap();
    for (request, status, header, length) in [
        ("GET /text", 200, "content-type: text/plain", 7),
        ("HEAD /text", 200, "content-length: 7", 0),
        ("GET /kernel", 200, "content-length: 200000", 200_000),
        ("HEAD /kernel", 200, "content-length: 200000", 0),
        ("GET /empty", 200, "content-length: 0", 0),
        ("GET /a%20b.efi?x=1", 200, "content-type: application/efi", 10),
        ("GET /node.signed", 200, "content-type: application/efi", 10),
        ("GET http://other:8080/a%20b.efi", 200, "content-length: 10", 10),
        ("GET /kernel\nRange: bytes=199990-", 206, "content-range: bytes 199990-199999/200000", 10),
        ("GET /kernel\nRange: bytes=0-9, 20-29", 200, "content-length: 200000", 200_000), // RFC 9110 14.2
        ("HEAD /kernel\nRange: bytes=0-9", 200, "content-length: 200000", 0),
        ("GET /kernel\nRange: bytes=0-9\nIf-Range: \"other\"", 200, "content-length: 200000", 200_000),
        ("GET /kernel\nRange: bytes=200000-", 416, "content-range: bytes */200000", 27),
        ("GET /kernel\nIf-None-Match: *", 304, "etag: ", 0),
        ("GET /kernel\nIf-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT", 304, "last-modified: ", 0),
        ("GET /kernel\nIf-Match: \"other\"", 412, "content-length: 22", 22),
        ("GET /gone", 404, "content-length: 12", 12),
        ("GET /missing", 404, "text/plain", 25),
        ("GET /../../etc/passwd", 403, "text/plain", 15),
        ("GET /%2e%2e/etc/passwd", 403, "text/plain", 15),
        ("GET /out", 403, "text/plain", 51),
        ("GET /%ff", 400, "text/plain", 63),
        ("HEAD /%ff", 400, "content-length: 63", 0),
        ("GET /kernel%00.txt", 400, "text/plain", 36),
        ("PUT /kernel", 405, "allow: get, head, post", 42),
        ("POST /node/token/up\nContent-Length: 3\n\nabc", 202, "application/json", 2),
    ] {
        let (head, body) = server.get(request);
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{request}: {head}");
        assert!(head.contains(header), "{request}: {head}");
        assert!(head.contains("\r\ndate: ") && head.ends_with("connection: close"), "{request}: {head}");
        assert!(!head.contains("transfer-encoding") && !head.contains(":\r\n"), "{request}: {head}");
        assert_eq!(body.len(), length, "{request}: {}", String::from_utf8_lossy(&body[..body.len().min(99)]));
    }
    for line in ["127.0.0.1 127.0.0.1 /node/token/up 3", "127.0.0.1 127.0.0.1 /a b.efi 0", "life 127.0.0.1"] {
        server.until(line, |server| server.told(line) > 0);
    }
    server.until("the end of all files", |server| server.counts().sending == 0);
    assert!(server.told("127.0.0.1 lacks missing") == 1 && server.counts().refused == 4);
}

#[test]
fn a_connection_stays_and_requests_may_come_together() {
    let server = server();
    server.write("kernel", (0..100_000_u32).flat_map(u32::to_be_bytes).collect::<Vec<u8>>());
    let mut stream = server.connect();
    let requests = "HEAD /kernel HTTP/1.1\r\nHost: x\r\n\r\nGET /kernel HTTP/1.1\r\nHost: x\r\n\r\n\
        GET /text HTTP/1.1\r\nHost: x\r\n\r\nPOST /node/t/trial HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}\
        GET /kernel HTTP/1.1\r\nHost: x\r\nRange: bytes=4-7\r\n\r\n";
    stream.write_all(requests.as_bytes()).unwrap();
    assert!(next_answer(&mut stream, false).0.contains("content-length: 400000"));
    let (_, body) = next_answer(&mut stream, true);
    assert!(body == std::fs::read(server.directory.path().join("kernel")).unwrap());
    assert_eq!(next_answer(&mut stream, true).1, b"#!ipxe\n");
    assert!(next_answer(&mut stream, true).0.starts_with("http/1.1 202"));
    assert_eq!(next_answer(&mut stream, true).1, [0, 0, 0, 1]);
    // A client that says no more has its answer first.
    stream.write_all(b"GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(next_answer(&mut stream, true).1.len(), 400_000);
    assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0);
    server.until("the end of all connections", |server| server.counts().connections == 0);
}

/// GRUB and lpxelinux; one closes after each file, the other says that it would rather not.
#[test]
fn old_clients() {
    let server = server();
    let mut stream = server.connect();
    stream.write_all(b"GET /text HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").unwrap();
    assert!(next_answer(&mut stream, true).0.contains("connection: keep-alive"));
    stream.write_all(b"GET /text HTTP/1.0\r\n\r\n").unwrap();
    let (head, body) = next_answer(&mut stream, true);
    assert!(head.contains("connection: close") && body == b"#!ipxe\n", "{head}");
    assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0);
}

#[test]
fn a_body_is_waited_for_and_may_be_asked_for() {
    let server = server();
    let mut stream = server.connect();
    stream
        .write_all(
            b"POST /node/t/trial HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
        )
        .unwrap();
    assert!(next_answer(&mut stream, false).0.starts_with("http/1.1 100 continue"));
    stream.write_all(b"ab").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    stream.write_all(b"cd").unwrap();
    assert!(next_answer(&mut stream, true).0.starts_with("http/1.1 202"));
    assert_eq!(server.told("127.0.0.1 127.0.0.1 /node/t/trial 4"), 1);
}

#[test]
fn a_body_that_is_too_long_is_refused_unread() {
    let server = server();
    let body = "x".repeat(POST_OCTETS_MAX + 1);
    let (head, _) = server.get(&format!("POST /node/token/trial\nContent-Length: {}\n\n{body}", body.len()));
    assert!(head.starts_with("http/1.1 413"), "{head}");
    server.until("that it was not understood", |server| server.told("127.0.0.1 is not understood") == 1);
    assert_eq!(server.told.lock().unwrap().len(), 1, "nothing is asked");
}

#[test]
fn what_is_no_request_is_answered_and_the_connection_ends() {
    let server = server();
    for request in [
        "GARBAGE\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "POST /node/t/up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /text HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /text HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nGET /text HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        let (head, body) = parted(&response);
        assert!(head.starts_with("http/1.1 4") && head.contains("connection: close"), "{request}: {head}");
        assert!(!body.windows(4).any(|w| w == b"ipxe"), "{request}: nothing after it is answered");
    }
    server.until("five refusals", |server| server.counts().refused == 5);
}

#[test]
fn a_file_goes_as_far_as_it_is_granted_and_heads_and_small_files_at_once() {
    let server = server();
    server.grants.store(0, Ordering::Relaxed);
    let small = usize::try_from(HTTP_AT_ONCE_OCTETS).unwrap();
    server.write("small", vec![1; small]);
    server.write("large", vec![2; small + 1]);
    assert_eq!(server.get("GET /small").1.len(), small);
    assert_eq!(server.told("Begun"), 0);
    let mut stream = server.connect();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(next_answer(&mut stream, false).0.contains("content-length: 14481"));
    server.until("a wish", |server| server.told("Begun") == 1);
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(stream.read(&mut [0; 99]).is_err(), "nothing was granted");
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let stream_id = StreamId(1 << 20 | 1);
    for octets in [1000, 13_481] {
        // Connections have numbers in the order in which they came; listeners have the first ones.
        for key in LISTENERS_MAX..LISTENERS_MAX + 9 {
            server.http.lock().unwrap().grant(StreamId(key << 20 | stream_id.0 & 0xf_ffff), octets);
        }
        server.http.lock().unwrap().flush();
        let mut body = vec![0; usize::try_from(octets).unwrap()];
        stream.read_exact(&mut body).unwrap();
        server.until("another wish", |server| server.told("Wants") == 1);
    }
    server.until("the report", |server| server.told("Ended") == 1);
    let told = server.told.lock().unwrap().clone();
    let delivered: u64 = told
        .iter()
        .filter_map(|line| line.strip_prefix("Delivered { octets: ")?.split(',').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(delivered, 14_481, "{told:?}");
}

#[test]
fn a_client_that_goes_away_is_told_of() {
    let server = server();
    server.grants.store(0, Ordering::Relaxed);
    server.write("large", vec![2; 1 << 20]);
    let mut stream = server.connect();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    server.until("a wish", |server| server.told("Begun") == 1);
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    server.until("its end", |server| server.told("Ended") == 1 && server.counts().connections == 0);
}

#[test]
fn a_loop_that_does_not_answer_holds_nobody_for_ever() {
    let server = server();
    let mut stream = server.connect();
    stream.write_all(b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(next_answer(&mut stream, true).0.starts_with("http/1.1 504"));
    server.ends.store(true, Ordering::Relaxed);
    stream.write_all(b"GET /text HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(next_answer(&mut stream, true).0.contains("retry-after: 1"));
}

#[test]
fn idle_connections_give_way_and_are_ended() {
    let server = server_within(Limits { request_within: Duration::from_millis(600), ..limits() });
    server.write("large", vec![2; 1 << 20]);
    server.grants.store(0, Ordering::Relaxed);
    let mut loading = server.connect();
    loading.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    next_answer(&mut loading, false);
    let mut slow = server.connect();
    let idle: Vec<TcpStream> = (0..60).map(|_| server.connect()).collect();
    server.until("all of them", |server| server.counts().streams.accepted == 62);
    assert_eq!(server.counts().connections, 20);
    assert!(server.counts().streams.displaced == 42, "{:?}", server.counts());
    // Who came last has his answer all the same, and who loads is not touched.
    assert_eq!(server.get("GET /text").1, b"#!ipxe\n");
    for _ in 0..20 {
        // A head that comes octet by octet gets no more time for it.
        let _ = slow.write_all(b"G");
        std::thread::sleep(Duration::from_millis(50));
    }
    server.until("the end of the idle", |server| server.counts().connections == 1);
    server.grants.store(1 << 20, Ordering::Relaxed);
    for key in LISTENERS_MAX..LISTENERS_MAX + 9 {
        server.http.lock().unwrap().grant(StreamId(key << 20 | 1), 1 << 20);
    }
    server.http.lock().unwrap().flush();
    loading.read_exact(&mut vec![0; 1 << 20]).unwrap();
    drop(idle);
}

#[test]
fn by_tls_the_same() {
    let server = server();
    let content: Vec<u8> = (0..500_000_u32).flat_map(u32::to_be_bytes).collect();
    server.write("kernel", &content);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut stream = server.connect_by_tls(version);
        let (head, body) = exchange(&mut stream, "GET /kernel");
        assert!(head.contains("content-length: 2000000") && body == content, "{head}");
        let mut stream = TcpStream::connect(server.secured).unwrap();
        stream.write_all(b"GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP"), "no plain HTTP at the port of HTTPS");
    }
    server.until("the end of all files", |server| server.counts().sending == 0);
}

/// Large enough to be sent piece by piece, each looked at whether it is still the same.
#[test]
fn the_files_of_a_node_are_made_and_sent_as_any_file() {
    let server = server();
    std::fs::create_dir_all(server.directory.path().join("base/etc")).unwrap();
    server.write("base/etc/large", vec![b'x'; 300_000]);
    server.write("base/etc/hostname.j2", "{{ node.name }}\n");
    for _ in 0..3 {
        let (head, body) = server.get("GET /files");
        assert!(head.starts_with("http/1.1 200 ok") && head.contains("type: application/x-cpio"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        let text = String::from_utf8_lossy(&body);
        assert!(body.len() > 300_000 && text.contains("node23\n") && text.contains("TRAILER!!!"));
    }
    let (head, body) = server.get("POST /no-files\nContent-Length: 2\n\n{}");
    let text = String::from_utf8_lossy(&body);
    assert!(head.starts_with("http/1.1 500 ") && text.contains("/none is not to be had"), "{head}{text}");
    // The loop is told before the machine is: it may ask again at once.
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let told = server.told.lock().unwrap().join("\n");
        if told.contains("52:54:00:00:00:17 None: the overlay ") && told.contains("Begun") {
            break;
        }
        assert!(Instant::now() < end, "{told}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A disk hangs until whoever asked was told to come again, and longer than he stays on the line.
#[test]
fn of_files_that_nobody_waits_for_any_more_the_loop_is_told() {
    let server = server();
    std::fs::create_dir_all(server.directory.path().join("base/etc")).unwrap();
    let untaken = "52:54:00:00:00:17 was not waited for";
    let (head, _) = server.get("POST /late-files\nContent-Length: 2\n\n{}");
    assert!(head.starts_with("http/1.1 504 "), "{head}");
    server.until("it is told", |server| server.told(untaken) == 1);
    let mut stream = server.connect();
    stream.write_all(b"POST /late-files HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    server.until("it is asked", |server| server.told("127.0.0.1 127.0.0.1 /late-files") == 2);
    drop(stream);
    server.until("it is told again", |server| server.told(untaken) == 2);
}

/// The machines of a power-on, whose secrets become durable in one moment, when they have long gone: more of them than questions fit into a line.
#[test]
fn of_files_that_many_do_not_wait_for_none_is_left_out() {
    let server = server_within(Limits { connections: 4 * ASKS, ..limits() });
    let streams: Vec<_> = (0..3 * ASKS).map(|_| server.connect()).collect();
    for mut stream in &streams {
        stream.write_all(b"POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    }
    server.until("all have asked", |server| server.told("unanswered") == 3 * ASKS);
    drop(streams);
    server.until("all have gone", |server| server.counts().connections == 0);
    let told = server.told.lock().unwrap().clone();
    let mut http = server.http.lock().unwrap();
    for line in told.iter().filter_map(|line| line.strip_prefix("unanswered ")) {
        let (key, question) = line.split_once(' ').unwrap();
        let mut files = wanted(&["base"], &[], true);
        files.given = Some(Time::from_nanoseconds(1));
        let answer = Some((Answer::Files(Box::new(files)), false));
        http.answer((key.parse().unwrap(), question.parse().unwrap()), answer);
    }
    http.flush();
    drop(http);
    server.until("all is told", |server| server.told("52:54:00:00:00:17 was not waited for") == 3 * ASKS);
}

mod changes;
mod memory;

/// The names file of a node.
fn names_of(number: u32) -> Unwritten {
    let mut directory =
        heorot_names::Directory::new("cluster", heorot_names::Pattern::parse("node{}").unwrap());
    directory.given_names = (0..2000).map(|number| (number, format!("storage-{number}"))).collect();
    let me = Some(heorot_names::file::Me::Node(number));
    Unwritten::of_names(Arc::new(directory), heorot_names::file::Place { me, ..Default::default() })
}

#[test]
fn a_names_file_is_its_nodes_own_at_its_beginning() {
    let server = server();
    let Answer::Text(expected) = names_of(23).write() else { panic!("it is a text") };
    let (head, body) = server.get("GET /names");
    assert!(
        head.starts_with("http/1.1 200") && head.contains(&format!("content-length: {}\r", expected.len()))
    );
    assert!(body == expected.as_bytes(), "{}", String::from_utf8_lossy(&body));
    let (head, body) = server.get("HEAD /names");
    assert!(head.contains(&format!("content-length: {}\r", expected.len())) && body.is_empty(), "{head}");
}
