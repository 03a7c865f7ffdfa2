//! Against a server with TLS that the test makes, with an authority and certificates of its own.

use super::*;
use heorot_dns::Transport;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustix::buffer::spare_capacity;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const NAME: &str = "dns.example";

/// Who signs certificates.
pub(in crate::dns) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(in crate::dns) fn new() -> Self {
        Self::named("authority")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(in crate::dns) fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server of these names shows, until this year.
    fn server(&self, names: &[&str], until_year: i32) -> Arc<ServerConfig> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Arc::new(config)
    }
}

/// What a server does with the questions of one connection.
#[derive(Clone, Copy)]
pub(in crate::dns) enum Habit {
    /// Each is answered at once.
    Answers,
    /// Three are taken, and answered with the last first.
    Backwards,
    /// The connection ends after each answer, without a word.
    OneEach,
    /// Never a word.
    Silent,
}

/// A server by TLS, until the test's process ends: it answers with RA and one address.
pub(in crate::dns) struct Upstream {
    pub(in crate::dns) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Upstream {
    pub(in crate::dns) fn good(authority: &Authority) -> Self {
        Self::start(authority.server(&[NAME, "127.0.0.1"], 2100), Habit::Answers)
    }

    fn start(config: Arc<ServerConfig>, habit: Habit) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for socket in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let config = Arc::clone(&config);
                thread::spawn(move || {
                    let tls = ServerConnection::new(config).unwrap();
                    // A client that does not believe us hangs up.
                    let _ = serve(rustls::StreamOwned::new(tls, socket.unwrap()), habit);
                });
            }
        });
        Self { address, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: rustls::StreamOwned<ServerConnection, TcpStream>, habit: Habit) -> io::Result<()> {
    let mut held = Vec::new();
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut question)?;
        held.push(question);
        match habit {
            Habit::Backwards if held.len() < 3 => continue,
            Habit::Silent => continue,
            Habit::Answers | Habit::Backwards | Habit::OneEach => {}
        }
        for question in held.drain(..).rev() {
            let reply = answered(&question);
            stream.write_all(&u16::try_from(reply.len()).unwrap().to_be_bytes())?;
            // In pieces, and so in records of their own.
            for piece in reply.chunks(9) {
                stream.write_all(piece)?;
                stream.flush()?;
            }
        }
        if matches!(habit, Habit::OneEach) {
            return Ok(());
        }
    }
}

fn answered(question: &[u8]) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let mut reply = question[..end].to_vec();
    reply[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 7]);
    reply
}

/// The client's half, and what it waits with.
struct Client {
    epoll: OwnedFd,
    secured: Secured,
    answers: Vec<(ExchangeId, Vec<u8>)>,
    faults: Vec<(ExchangeId, Fault)>,
}

impl Client {
    fn new(pem: &str) -> Self {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let mut secured = Secured::default();
        secured.configure(Roots { path: "roots.pem".into(), pem: pem.into() });
        Self { epoll, secured, answers: Vec::new(), faults: Vec::new() }
    }

    fn ask(&mut self, number: u16, server: SocketAddr, name: &str) -> Result<(), Fault> {
        let mut payload = number.to_be_bytes().to_vec();
        payload.extend(b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x00\x00\x01\x00\x01");
        let name: Arc<str> = name.into();
        let exchange = Exchange {
            id: ExchangeId(number.into()),
            server,
            transport: Transport::Tcp,
            tls: Some(Arc::clone(&name)),
            port: 0,
            payload,
        };
        self.secured.begin(&self.epoll, &exchange, &name, Instant::now())
    }

    /// Until so many answers and faults have come.
    fn wait(&mut self, count: usize) {
        let began = Instant::now();
        while self.answers.len() + self.faults.len() < count {
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}, {:?}", self.answers, self.faults);
            self.turn();
        }
    }

    fn turn(&mut self) {
        let mut events = Vec::with_capacity(16);
        let timeout = rustix::event::Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout)).unwrap();
        for event in events {
            let taken = self.secured.take(&self.epoll, event.data.u64() & !EVENT_TLS, Instant::now());
            self.answers.extend(taken.messages.into_iter().map(|(id, message)| (id, message.payload)));
            self.faults.extend(taken.faults);
        }
    }
}

#[test]
fn questions_share_a_connection_and_answers_come_in_any_order() {
    let authority = Authority::new();
    let server = Upstream::start(authority.server(&[NAME], 2100), Habit::Backwards);
    let mut client = Client::new(&authority.pem());
    for number in 1..=3 {
        client.ask(number, server.address, NAME).unwrap();
    }
    // An id that waits for its answer is nobody else's.
    assert_eq!(client.ask(2, server.address, NAME), Err(Fault::Ours));
    client.wait(3);
    let order: Vec<u64> = client.answers.iter().map(|(id, _)| id.0).collect();
    assert_eq!(order, [3, 2, 1]);
    for (id, payload) in &client.answers {
        assert_eq!(u64::from(payload[1]), id.0);
        assert_eq!(payload[payload.len() - 4..], [198, 51, 100, 7]);
    }
    // Half a minute without a question: it goes.
    assert_eq!((server.connections(), client.secured.len()), (1, 1));
    client.secured.end_silent(Instant::now() + Duration::from_secs(29));
    assert_eq!(client.secured.len(), 1);
    client.secured.end_silent(Instant::now() + Duration::from_secs(31));
    assert_eq!(client.secured.len(), 0);
    for number in 4..=6 {
        client.ask(number, server.address, NAME).unwrap();
    }
    client.wait(6);
    assert_eq!((server.connections(), client.faults.len()), (2, 0));
    assert_eq!(client.secured.take_troubles(), [""; 0]);
}

/// RFC 8310 5: strict.
#[test]
fn who_cannot_prove_his_name_is_not_asked() {
    let (authority, stranger) = (Authority::new(), Authority::named("stranger"));
    let cases = [
        ("another name", authority.server(&["other.example"], 2100), NAME, "not valid for name"),
        ("too old", authority.server(&[NAME], 2021), NAME, "expired"),
        ("an unknown authority", stranger.server(&[NAME], 2100), NAME, "UnknownIssuer"),
        ("an address that is not in it", authority.server(&[NAME], 2100), "127.0.0.1", "not valid for name"),
    ];
    for (what, config, name, reason) in cases {
        let server = Upstream::start(config, Habit::Answers);
        let mut client = Client::new(&authority.pem());
        client.ask(1, server.address, name).unwrap();
        client.ask(2, server.address, name).unwrap();
        client.wait(2);
        assert_eq!(client.faults, [(ExchangeId(1), Fault::Theirs), (ExchangeId(2), Fault::Theirs)], "{what}");
        let troubles = client.secured.take_troubles();
        assert_eq!(troubles.len(), 1, "{what}: {troubles:?}");
        let line = &troubles[0];
        let start = format!("DNS server {} ({name}) cannot be asked by TLS: ", server.address);
        assert!(line.starts_with(&start) && line.contains(reason), "{what}: {line}");
        // Not again at once, and then without another line.
        assert_eq!(client.ask(3, server.address, name), Err(Fault::Theirs), "{what}");
        thread::sleep(REOPENS_AFTER);
        client.ask(4, server.address, name).unwrap();
        client.wait(3);
        assert_eq!((client.answers.len(), client.secured.take_troubles().len()), (0, 0), "{what}");
        assert_eq!(server.connections(), 2, "{what}");
    }
}

#[test]
fn an_address_may_be_the_name() {
    let authority = Authority::new();
    let server = Upstream::good(&authority);
    let mut client = Client::new(&authority.pem());
    client.ask(1, server.address, "127.0.0.1").unwrap();
    client.wait(1);
    assert_eq!((client.answers.len(), client.faults.len()), (1, 0));
}

#[test]
fn a_good_connection_that_is_closed_is_nobodys_fault() {
    let authority = Authority::new();
    let server = Upstream::start(authority.server(&[NAME], 2100), Habit::OneEach);
    let mut client = Client::new(&authority.pem());
    client.ask(1, server.address, NAME).unwrap();
    client.ask(2, server.address, NAME).unwrap();
    client.wait(2);
    assert_eq!(client.answers[0].0, ExchangeId(1));
    assert_eq!(client.faults, [(ExchangeId(2), Fault::Ours)]);
    // And one that is closed while nobody waits is opened for the next question.
    client.ask(3, server.address, NAME).unwrap();
    client.wait(3);
    for _ in 0..50 {
        client.turn();
        if client.secured.len() == 0 {
            break;
        }
    }
    assert_eq!((client.secured.len(), client.secured.take_troubles().len()), (0, 0));
    assert_eq!(server.connections(), 2);
}

#[test]
fn who_says_nothing_is_hung_up_on() {
    let authority = Authority::new();
    let server = Upstream::start(authority.server(&[NAME], 2100), Habit::Silent);
    let mut client = Client::new(&authority.pem());
    client.ask(1, server.address, NAME).unwrap();
    for _ in 0..5 {
        client.turn();
    }
    // The question is given up, but the connection is none that anybody else should wait for.
    client.secured.end(ExchangeId(1));
    let taken = client.secured.end_silent(Instant::now() + Duration::from_secs(6));
    assert_eq!((client.secured.len(), taken.faults.len()), (0, 0));
    assert_eq!(
        client.secured.take_troubles(),
        [format!("DNS server {} ({NAME}) cannot be asked by TLS: it does not answer", server.address)]
    );
}

#[test]
fn without_authorities_nobody_is_asked() {
    for (pem, expected) in
        [("", "there are no certificates of authorities in roots.pem"), ("nonsense", "roots.pem")]
    {
        let mut client = Client::new(pem);
        let server = "127.0.0.1:9".parse().unwrap();
        assert_eq!(client.ask(1, server, NAME), Err(Fault::Theirs));
        assert!(client.secured.take_troubles()[0].ends_with(expected));
    }
}
