//! Debian's TFTP clients against the options of `[tftp]`: the bytes are those of the file, and the wire is as it was asked for.

use heorot_agent::link::{Hears, Link};
use heorot_lab::network::CLIENT;
use heorot_lab::server::{Server, Settings};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const SERVER: &str = "10.77.0.1";
const SERVER_ADDRESS: [u8; 4] = [10, 77, 0, 1];
const REQUEST_PORT: u16 = 69;

fn start(tftp: &str) -> Server {
    let settings = Settings { further: format!("\n[tftp]\n{tftp}\n"), ..Settings::default() };
    let server = Server::start(&settings).expect("the lab and the server start");
    // A train of blocks leaves in pieces, as on a real wire, so that the witness sees what a wire would carry.
    server.network.server.ip("link set eth1 gso_max_segs 1").expect("its pieces are single");
    server
}

/// Octets without a pattern that a lost or doubled block would fit into.
fn octets(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}

/// A client's program, and what it has loaded into a file.
fn load(server: &Server, program: &str, arguments: &[&str], file: &str) -> Result<Vec<u8>, String> {
    let to = server.scratch_file(file);
    let _ = fs::remove_file(&to);
    let path = to.to_string_lossy();
    let arguments: Vec<_> =
        arguments.iter().map(|word| if *word == "TO" { path.as_ref() } else { word }).collect();
    server.explain_failure(server.network.client.ask(program, &arguments))?;
    fs::read(&to).map_err(|error| format!("{program} wrote nothing: {error}\n{}", server.tail()))
}

fn curl(server: &Server, further: &[&str], file: &str) -> Result<Vec<u8>, String> {
    let url = format!("tftp://{SERVER}/{file}");
    load(
        server,
        "curl",
        &[&["--silent", "--show-error", "--max-time", "20", "-o", "TO"], further, &[&url]].concat(),
        "curl",
    )
}

#[test]
fn clients_load_the_bytes_from_the_ports_and_in_the_blocks_that_are_configured() {
    let server = start("port-range = \"30000-30003\"\nblock-size-max = 1024");
    let content = octets(500_001);
    fs::write(server.boot_file("image"), &content).expect("a file to serve");
    let wire = Wire::listen(&server);
    let loads = [
        ("curl", curl(&server, &["--tftp-blksize", "1400"], "image")),
        ("curl without options", curl(&server, &["--tftp-no-options"], "image")),
        ("tftp-hpa", load(&server, "tftp", &["-m", "octet", SERVER, "-c", "get", "image", "TO"], "hpa")),
        (
            "busybox",
            load(
                &server,
                "busybox",
                &["tftp", "-g", "-b", "8192", "-r", "image", "-l", "TO", SERVER],
                "busybox",
            ),
        ),
        (
            "atftp",
            load(
                &server,
                "atftp",
                &[
                    "--option",
                    "blksize 512",
                    "--option",
                    "windowsize 16",
                    "--get",
                    "-r",
                    "image",
                    "-l",
                    "TO",
                    SERVER,
                ],
                "atftp",
            ),
        ),
    ];
    for (client, loaded) in loads {
        let loaded = loaded.unwrap_or_else(|error| panic!("{client}: {error}"));
        assert!(loaded == content, "{client} has {} other octets", loaded.len());
    }
    let seen = wire.stop();
    seen.whole();
    assert!(
        seen.server_packets().all(|packet| (30000..=30003).contains(&packet.from_port)),
        "a port of its own"
    );
    let largest = seen.data().map(|packet| packet.payload.len() - 4).max();
    assert_eq!(largest, Some(1024), "octets of the largest block");
    assert!(seen.oack("blksize", "1024"), "what was asked for above the bound is granted up to it");
    assert!(seen.oack("windowsize", "16"), "the window is granted");
    // Data after data without a packet of the client between: sixteen blocks are in flight.
    assert!(seen.longest_run() >= 16, "the longest run of blocks is {}", seen.longest_run());
}

#[test]
fn one_port_is_enough_and_netascii_ends_lines_as_the_client_has_them() {
    let server = start("single-port = true");
    let image = octets(300_000);
    fs::write(server.boot_file("image"), &image).expect("a file to serve");
    // Lines of all lengths, so that some ends fall between two blocks; and a carriage return of its own.
    let text: String = (0..400).map(|n| "x".repeat(n % 97) + "\n").chain(["a\rb\n".to_owned()]).collect();
    fs::write(server.boot_file("text"), &text).expect("a text to serve");

    let wire = Wire::listen(&server);
    let loaded = load(&server, "tftp", &["-m", "netascii", SERVER, "-c", "get", "text", "TO"], "text");
    assert_eq!(loaded.map(|octets| String::from_utf8_lossy(&octets).into_owned()), Ok(text.clone()));
    let seen = wire.stop();
    seen.whole();
    let carried: Vec<u8> = seen.blocks().concat();
    // RFC 764: an end of line is CR LF, and a carriage return CR NUL.
    let expected = text.replace('\r', "\r\0").replace('\n', "\r\n");
    assert_eq!(String::from_utf8_lossy(&carried), expected, "on the wire");
    assert!(seen.server_packets().all(|packet| packet.from_port == REQUEST_PORT), "another port");

    let wire = Wire::listen(&server);
    assert!(curl(&server, &["--tftp-blksize", "1468"], "image").is_ok_and(|loaded| loaded == image));
    let hpa = load(&server, "tftp", &["-m", "octet", SERVER, "-c", "get", "image", "TO"], "hpa");
    assert!(hpa.is_ok_and(|loaded| loaded == image));
    let seen = wire.stop();
    seen.whole();
    assert!(seen.server_packets().all(|packet| packet.from_port == REQUEST_PORT), "another port");
    // 1500 octets in a packet, and not one more.
    assert_eq!(seen.server_packets().map(|packet| packet.octets).max(), Some(1500));
}

#[test]
fn names_are_rewritten_folded_and_looked_for_in_the_clients_own_directory() {
    let rules = "case-fold = true\nunique-root = \"ip\"\n\
                 [[tftp.rewrite]]\npattern = \"Boot/x64/*\"\nreplacement = \"winpe/*\"";
    let server = start(rules);
    let own = CLIENT.to_string();
    let files = [
        (own.as_str(), "own", "mine"),
        ("10.77.0.3", "own", "another's"),
        ("winpe", "Boot.WIM", "rewritten"),
    ];
    for (directory, name, content) in files {
        let directory: PathBuf = server.boot_file(directory);
        fs::create_dir_all(&directory)
            .and_then(|()| fs::write(directory.join(name), content))
            .expect("a file");
    }
    fs::write(server.boot_file("common"), "for all").expect("a file");
    let asked = [
        ("own", Some("mine")),
        ("common", Some("for all")),
        ("//COMMON", Some("for all")),
        ("boot/X64/boot.wim", Some("rewritten")),
        ("BOOT\\x64\\boot.wim", Some("rewritten")),
        ("10.77.0.3/own", None),
        ("../heorot.toml", None),
        ("nothing", None),
    ];
    for (name, expected) in asked {
        let loaded = load(&server, "busybox", &["tftp", "-g", "-r", name, "-l", "TO", SERVER], "name");
        let loaded = loaded.ok().map(|octets| String::from_utf8_lossy(&octets).into_owned());
        assert_eq!(loaded.as_deref(), expected, "{name}\n{}", server.tail());
    }
}

/// A witness at the client's interface.
struct Wire {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Packet>, String>>,
}

/// One UDP packet of the server's, or of the client to it; or a fragment.
struct Packet {
    by_server: bool,
    from_port: u16,
    to_port: u16,
    /// Of the IP packet.
    octets: usize,
    may_be_split: bool,
    is_fragment: bool,
    payload: Vec<u8>,
}

/// What it has seen.
struct Seen(Vec<Packet>);

impl Wire {
    fn listen(server: &Server) -> Self {
        let client = &server.network.client;
        let interface = heorot_lab::network::interface(client, "eth0").expect("the client's interface");
        let link = client.enter(|| {
            let link = Link::open(interface.index, Hears::Everything).map_err(|error| error.to_string())?;
            link.set_receive_buffer(32 << 20).map_err(|error| error.to_string())?;
            Ok(link)
        });
        let (link, stop) = (link.expect("a packet socket"), Arc::<AtomicBool>::default());
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (mut packets, mut buffer) = (Vec::new(), vec![0; 70_000]);
            loop {
                let frame =
                    link.receive(&mut buffer, Duration::from_millis(50)).map_err(|e| e.to_string())?;
                match frame {
                    Some(frame) => packets.extend(Packet::read(frame)),
                    // Nothing is under way any more.
                    None if stopped.load(Ordering::Relaxed) => break,
                    None => {}
                }
            }
            match link.take_lost() {
                Ok(0) => Ok(packets),
                lost => Err(format!("the witness missed {lost:?} frames")),
            }
        });
        Self { stop, thread }
    }

    fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let packets = self.thread.join().expect("the witness ends").expect("it missed nothing");
        assert!(!packets.is_empty(), "the witness saw nothing");
        Seen(packets)
    }
}

impl Packet {
    fn read(frame: &[u8]) -> Option<Self> {
        let word = |at: usize| frame.get(at..at + 2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        // IPv4 without options, with UDP in it.
        if frame.get(12..15)? != [8, 0, 0x45] || *frame.get(23)? != 17 {
            return None;
        }
        let fragment = word(20)?;
        Some(Self {
            by_server: frame.get(26..30)? == SERVER_ADDRESS,
            from_port: word(34)?,
            to_port: word(36)?,
            octets: usize::from(word(16)?),
            may_be_split: fragment & 0x4000 == 0,
            is_fragment: fragment & 0x3fff != 0,
            payload: frame.get(42..14 + usize::from(word(16)?))?.to_vec(),
        })
    }

    fn is_data(&self) -> bool {
        self.by_server && self.payload.starts_with(&[0, 3])
    }
}

impl Seen {
    fn server_packets(&self) -> impl Iterator<Item = &Packet> {
        self.0.iter().filter(|packet| packet.by_server)
    }

    fn data(&self) -> impl Iterator<Item = &Packet> {
        self.0.iter().filter(|packet| packet.is_data())
    }

    /// No fragments, and the bit that forbids them is clear: a router on the way may do what it must.
    fn whole(&self) {
        assert!(self.0.iter().all(|packet| !packet.is_fragment), "a fragment");
        assert!(self.server_packets().all(|packet| packet.may_be_split), "DF is set");
        assert!(self.server_packets().all(|packet| packet.octets <= 1500), "longer than the wire takes");
    }

    /// Whether an OACK grants this.
    fn oack(&self, option: &str, value: &str) -> bool {
        let granted = [option.as_bytes(), &[0], value.as_bytes(), &[0]].concat();
        self.server_packets().any(|packet| {
            packet.payload.starts_with(&[0, 6])
                && packet.payload.windows(granted.len()).any(|part| part == granted)
        })
    }

    /// The most different blocks of one transfer in a row.
    fn longest_run(&self) -> usize {
        let (mut longest, mut run) = (0, 0);
        for packet in &self.0 {
            run = if packet.is_data() { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        longest
    }

    /// What each block of one transfer carried, in order, once each.
    fn blocks(&self) -> Vec<Vec<u8>> {
        let mut blocks: Vec<(u16, Vec<u8>)> = Vec::new();
        for packet in self.data() {
            let number = u16::from_be_bytes([packet.payload[2], packet.payload[3]]);
            if blocks.iter().all(|(known, _)| *known != number) {
                blocks.push((number, packet.payload[4..].to_vec()));
            }
        }
        assert!(
            self.data().all(|packet| packet.to_port == self.data().next().expect("there is data").to_port)
        );
        blocks.into_iter().map(|(_, content)| content).collect()
    }
}
