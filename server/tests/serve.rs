//! The server from outside, each test in a network namespace of its own: how it starts, why it does not, how it changes, how it ends.
//!
//! To be run as root: the namespaces need it.
#![allow(clippy::unwrap_used, reason = "what does not hold in a test shall fail it")]

#[path = "serve/addresses.rs"]
mod addresses;
#[path = "serve/operators.rs"]
mod operators;
#[path = "serve/reload.rs"]
mod reload;
#[path = "serve/rights.rs"]
mod rights;

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, bind, recv, send, socket};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// A directory and a network namespace with one interface, for this test's thread and what it starts.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        Self::below(&std::env::temp_dir(), name)
    }

    /// The same, elsewhere.
    fn below(directory: &Path, name: &str) -> Self {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace of its own: run the tests as root");
        ip("link set lo up");
        make_interface();
        let path = directory.join(format!("heorot-serve-{}-{name}", std::process::id()));
        std::fs::create_dir_all(path.join("boot")).unwrap();
        for file in ["pxelinux.0", "ldlinux.c32", "vmlinuz"] {
            std::fs::write(path.join("boot").join(file), file).unwrap();
        }
        let place = Self(path);
        place.configure(|text| text);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn configure(&self, change: impl Fn(String) -> String) {
        let text = r#"
[server]
state = "DIR/state"
control = "DIR/run/control.sock"
user = "nobody"
[[network]]
interface = "v0"
numbers = "0-99"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.200.254"
[boot]
directory = "DIR/boot"
[profile.default]
kernel = "vmlinuz"
initrd = []
cmdline = ""
"#;
        let text = change(text.into()).replace("DIR", self.0.to_str().unwrap());
        std::fs::write(self.path("heorot.toml"), text).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heorot"));
        command.args(["serve", "--config"]).arg(self.path("heorot.toml")).env_remove("JOURNAL_STREAM");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn start(&self) -> Server {
        let mut child = self.command().spawn().unwrap();
        let (line, lines) = channel();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).all(|text| line.send(text).is_ok())
        });
        let server = Server { child, lines };
        server.says(" serves; ");
        server
    }

    /// Starts a server that cannot; its words.
    fn refused(&self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(!self.path("run/control.sock").exists(), "something was started: {text}");
        text
    }
}

fn ip(command: &str) {
    assert!(Command::new("ip").args(command.split(' ')).status().unwrap().success(), "ip {command}");
}

fn make_interface() {
    ip("link add v0 type veth peer name v1");
    ip("addr add 10.77.0.1/16 dev v0");
    ip("link set v0 up");
    ip("link set v1 up");
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Server {
    child: Child,
    lines: Receiver<String>,
}

impl Server {
    /// Waits for a line with these words.
    fn says(&self, words: &str) -> String {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => said.push(line),
                Err(_) => panic!("it does not say {words:?}, but {said:#?}"),
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    fn end(mut self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The UDP ports that are bound in this namespace.
fn ports() -> Vec<u16> {
    let table = std::fs::read_to_string("/proc/thread-self/net/udp").unwrap();
    let port = |line: &str| u16::from_str_radix(line.split_whitespace().nth(1)?.split(':').nth(1)?, 16).ok();
    let mut ports: Vec<u16> = table.lines().skip(1).filter_map(port).collect();
    // Those of transfers have a socket for each address, and one for all.
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The four octets of node5.cluster, asked of the server.
fn node5() -> Vec<u8> {
    let socket = UdpSocket::bind("10.77.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x05node5\x07cluster\0\0\x01\0\x01";
    socket.send_to(query, "10.77.0.1:53").unwrap();
    let mut reply = [0; 512];
    let octets = socket.recv(&mut reply).unwrap();
    reply[octets - 4..octets].to_vec()
}

#[test]
fn it_starts_serves_changes_and_ends() {
    let place = Place::new("life");
    let server = place.start();
    assert!(ports().contains(&67) && ports().contains(&69));
    assert_eq!(node5(), [10, 77, 1, 5]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    assert!(status.contains("Uid:\t65534\t65534\t65534\t65534"), "it kept its user: {status}");
    assert!(status.contains("CapEff:\t0000000000003400"), "it has other rights than it needs: {status}");

    place.configure(|text| text.replace("numbers", "numbres"));
    server.signal(Signal::SIGHUP);
    server.says("the configuration is wrong; the old one stays");
    server.says("did you mean \"numbers\"?");
    place.configure(|text| text + "[http]\nport = 8080\n");
    server.signal(Signal::SIGHUP);
    server.says("changing http.port needs a restart");
    assert_eq!(node5(), [10, 77, 1, 5]);
    std::fs::remove_file(place.path("run/control.sock")).unwrap();
    place.configure(|text| text.replace("0-99", "0-199"));
    server.signal(Signal::SIGHUP);
    server.says("the configuration was read anew");
    // By the thread that has it, a moment later.
    let asked = Instant::now();
    while !place.path("run/control.sock").exists() {
        assert!(asked.elapsed() < PATIENCE, "the control socket was not made anew");
        std::thread::sleep(Duration::from_millis(5));
    }

    let second = place.command().output().unwrap();
    let text = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(2), "{text}");
    assert!(text.contains("another heorot keeps its state in"), "{text}");
    assert_eq!(node5(), [10, 77, 1, 5], "the second server hurt the first");

    assert_eq!(server.end(Signal::SIGTERM), Some(0));
    assert!(!place.path("run/control.sock").exists());
    assert!(!place.path("run/transfers.notes").exists(), "there was nothing to note");
    assert_eq!(ports(), Vec::<u16>::new());
}

#[test]
fn a_killed_server_comes_back_on_its_ports() {
    let place = Place::new("killed");
    let first = place.start();
    let before = ports();
    assert_eq!(before.len(), 12, "53, 67, 69, 4011 and eight for transfers: {before:?}");
    assert_eq!(first.end(Signal::SIGKILL), None);
    let second = place.start();
    assert_eq!(ports(), before);
    assert_eq!(second.end(Signal::SIGINT), Some(0));
}

/// A transfer by TFTP, in lock-step.
struct Download {
    client: UdpSocket,
    /// The server's port of it.
    port: u16,
}

impl Download {
    fn begin(file: &str) -> Self {
        let client = UdpSocket::bind("10.77.0.1:0").unwrap();
        Self { client, port: 0 }.again(file)
    }

    /// Asks until the first block comes from another port than before.
    fn again(self, file: &str) -> Self {
        self.client.set_read_timeout(Some(PATIENCE)).unwrap();
        self.client.send_to(format!("\0\x01{file}\0octet\0").as_bytes(), "10.77.0.1:69").unwrap();
        let mut packet = [0; 600];
        loop {
            let (_, from) = self.client.recv_from(&mut packet).unwrap();
            if from.port() != self.port && packet[..4] == [0, 3, 0, 1] {
                return Self { port: from.port(), ..self };
            }
        }
    }

    /// Acknowledges what is before a block until that comes: its octets.
    fn next(&self, block: u16) -> Vec<u8> {
        self.client.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let [high, low] = (block - 1).to_be_bytes();
        let mut packet = [0; 600];
        for _ in 0..50 {
            let _ = self.client.send_to(&[0, 4, high, low], ("10.77.0.1", self.port));
            while let Ok(octets) = self.client.recv(&mut packet) {
                if packet[1] == 3 && packet[2..4] == block.to_be_bytes() {
                    return packet[4..octets].to_vec();
                }
            }
        }
        panic!("block {block} does not come");
    }

    /// Acknowledges a block until the next one comes.
    fn acknowledge(&self, block: u8) {
        self.client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut packet = [0; 600];
        for _ in 0..50 {
            let _ = self.client.send_to(&[0, 4, 0, block], ("10.77.0.1", self.port));
            while let Ok((_, from)) = self.client.recv_from(&mut packet) {
                assert_eq!(packet[1], 3, "{}", String::from_utf8_lossy(&packet[4..]));
                if from.port() == self.port && packet[3] == block + 1 {
                    return;
                }
            }
        }
        panic!("block {} does not come from port {}", block + 1, self.port);
    }
}

#[test]
fn transfers_go_on_after_a_restart_though_one_port_does_not_come_back() {
    let place = Place::new("ports");
    std::fs::write(place.path("boot/large"), vec![7; 5120]).unwrap();
    place.configure(|text| text + "[tftp]\nport-range = \"30000-30011\"\n");
    let first = place.start();
    let (lost, goes_on) = (Download::begin("large"), Download::begin("large"));
    // Who was reset asks again from the same port, and is sent to from the next one of ours.
    goes_on.acknowledge(1);
    std::thread::sleep(Duration::from_millis(150));
    let goes_on = goes_on.again("large");
    assert!(lost.port < goes_on.port, "both have one port");
    goes_on.acknowledge(1);
    first.end(Signal::SIGKILL);
    let _taken = UdpSocket::bind(("0.0.0.0", lost.port)).unwrap();
    let second = place.start();
    goes_on.acknowledge(2);
    assert_eq!(second.end(Signal::SIGINT), Some(0));
}

/// What `heorot status` says of datagrams that threads have sent beside the loop.
fn sent_by_senders(place: &Place) -> u64 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heorot"));
    let output = command
        .args(["status", "-o", "json", "--control"])
        .arg(place.path("run/control.sock"))
        .output()
        .unwrap();
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    status["transfers"]["sent_by_senders"].as_u64().unwrap()
}

/// Requests that the server has to refuse, each of which is more work for it than for whoever asks. It ends with its value.
struct Flood {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    fn begin() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let client = UdpSocket::bind("10.77.0.1:0").unwrap();
        let flood = move || {
            while !ends.load(Ordering::Relaxed) {
                let _ = client.send_to(b"\0\x01file\0mail\0", "10.77.0.1:69");
            }
        };
        Self { is_over, thread: Some(std::thread::spawn(flood)) }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

#[test]
fn a_loop_that_has_no_time_to_sleep_has_its_datagrams_sent_and_they_are_the_same() {
    let place = Place::new("senders");
    let image: Vec<u8> = (0..2000 * 512 - 1).map(|place| (place / 3 % 251) as u8).collect();
    std::fs::write(place.path("boot/large"), &image).unwrap();
    place.configure(|text| text + "[tftp]\nsenders = 2\n");
    let server = place.start();
    let download = Download::begin("large");
    assert_eq!(sent_by_senders(&place), 0, "the loop has the time");

    let mut blocks = (1..=2000).zip(image.chunks(512)).skip(1);
    let mut fetch = |count| {
        for (block, expected) in blocks.by_ref().take(count) {
            assert_eq!(download.next(block), expected, "block {block}");
        }
    };
    // A block now and then until the loop has come to its limit, then many by a sender, and the last ones by the loop again.
    let flood = Flood::begin();
    let begun = Instant::now();
    while sent_by_senders(&place) == 0 {
        assert!(begun.elapsed() < PATIENCE, "the loop has time to sleep");
        fetch(1);
        std::thread::sleep(Duration::from_millis(20));
    }
    fetch(500);
    drop(flood);
    fetch(2000);
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// The other end of the wire: frames as they come and go.
struct Wire {
    socket: OwnedFd,
    server_mac: [u8; 6],
}

const CLIENT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 5];
const CLIENT_ADDRESS: [u8; 4] = [10, 77, 1, 5];
const SERVER_ADDRESS: [u8; 4] = [10, 77, 0, 1];

impl Wire {
    fn open() -> Self {
        let link = |name: &str| {
            let mut all = nix::ifaddrs::getifaddrs().unwrap();
            all.find_map(|it| it.address?.as_link_addr().copied().filter(|_| it.interface_name == name))
                .unwrap()
        };
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let all = SockProtocol::EthAll;
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, all).unwrap();
        bind(socket.as_raw_fd(), &link("v1")).unwrap();
        Self { socket, server_mac: link("v0").addr().unwrap() }
    }

    /// Sends the INFORM of firmware that has its address from another server and asks us what to boot.
    fn inform(&self) {
        self.say(8, (CLIENT_ADDRESS, SERVER_ADDRESS), self.server_mac);
    }

    /// Sends the DISCOVER that goes before.
    fn discover(&self) {
        self.say(1, ([0; 4], [255; 4]), [255; 6]);
    }

    fn say(&self, kind: u8, (from, to): ([u8; 4], [u8; 4]), to_mac: [u8; 6]) {
        let mut dhcp = vec![1, 1, 6, 0, 0x5e, 0xed, 0, 5, 0, 0, 0, 0];
        dhcp.extend(from);
        dhcp.extend([0; 12]);
        dhcp.extend(CLIENT_MAC);
        dhcp.extend([0; 10 + 64 + 128]);
        dhcp.extend([99, 130, 83, 99, 53, 1, kind, 93, 2, 0, 7, 60, 9]);
        dhcp.extend(b"PXEClient");
        dhcp.push(255);
        dhcp.resize(300, 0);
        let word = |number: usize| u16::try_from(number).unwrap().to_be_bytes();
        let mut ip = vec![0x45, 0];
        ip.extend(word(28 + dhcp.len()));
        ip.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        ip.extend(from);
        ip.extend(to);
        let sum = ip.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum::<u32>();
        let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        let mut frame = to_mac.to_vec();
        frame.extend(CLIENT_MAC);
        frame.extend([8, 0]);
        frame.extend(ip);
        frame.extend([0, 68, 0, 67]);
        frame.extend(word(8 + dhcp.len()));
        frame.extend([0, 0]);
        frame.extend(dhcp);
        send(self.socket.as_raw_fd(), &frame, MsgFlags::empty()).unwrap();
    }

    /// Waits for a DHCP reply: the hardware address that it comes from.
    fn replied_from(&self) -> [u8; 6] {
        let (until, mut frame) = (Instant::now() + PATIENCE, [0; 2048]);
        while Instant::now() < until {
            match recv(self.socket.as_raw_fd(), &mut frame, MsgFlags::empty()) {
                Ok(octets) if octets > 42 && frame[12..14] == [8, 0] && frame[34..38] == [0, 67, 0, 68] => {
                    return frame[6..12].try_into().unwrap();
                }
                Ok(_) => {}
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        panic!("no reply");
    }

    /// Waits for a DHCP reply to the client. How often the kernel asked by ARP who the client is, meanwhile and for a moment longer.
    fn asked_until_replied(&self) -> usize {
        let (mut asked, mut until, mut replied) = (0, Instant::now() + PATIENCE, false);
        let mut frame = [0; 2048];
        while Instant::now() < until {
            let Ok(octets) = recv(self.socket.as_raw_fd(), &mut frame, MsgFlags::empty()) else {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            };
            let is_kernels_arp = frame[12..14] == [8, 6] && frame[28..32] == SERVER_ADDRESS;
            asked += usize::from(is_kernels_arp && frame[38..42] == CLIENT_ADDRESS);
            let is_reply = octets > 42 && frame[12..14] == [8, 0] && frame[34..38] == [0, 67, 0, 68];
            if is_reply && frame[..6] == CLIENT_MAC && !replied {
                (replied, until) = (true, Instant::now() + Duration::from_millis(100));
            }
        }
        assert!(replied, "no reply, and {asked} questions");
        asked
    }
}

/// Where another server gives the addresses: who asks what else there is is answered, and nothing is recorded of him.
fn beside_another_server(name: &str) -> Place {
    let place = Place::new(name);
    place.configure(|text| {
        let text = text.replace("temporary = \"10.77.200.1-10.77.200.254\"", "mode = \"proxy\"");
        text.replace("[boot]", "[boot]\nuefi-x64 = \"x.efi\"")
    });
    place
}

/// Firmware in mid-boot answers no ARP: its entry is there before anything is sent that needs it.
#[test]
fn the_neighbour_entry_is_there_before_the_answer_that_needs_it() {
    let place = beside_another_server("entry");
    let server = place.start();
    let wire = Wire::open();
    wire.inform();
    assert_eq!(wire.asked_until_replied(), 0, "the kernel asked for it by ARP");
    assert!(entries().contains("10.77.1.5"), "{}", entries());
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// A driver is loaded again, or a bond is set up afresh: what has the name then is another interface.
#[test]
fn an_interface_that_is_made_anew_is_served() {
    let place = beside_another_server("anew");
    let server = place.start();
    for _ in 0..2 {
        ip("link del v0");
        server.says("v0 is gone");
        make_interface();
        server.says("v0 was made anew");
        let wire = Wire::open();
        wire.inform();
        wire.asked_until_replied();
    }
    // Whoever sets one up may do it quicker than anybody looks.
    ip("link del v0");
    make_interface();
    server.says("v0 was made anew");
    let wire = Wire::open();
    wire.inform();
    wire.asked_until_replied();
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// An operator gives it another hardware address, or a bond takes that of another of its ports: nothing is bound a second time, and what is sent comes from the new one.
#[test]
fn an_interface_with_another_hardware_address_is_served() {
    let place = beside_another_server("other-mac");
    let server = place.start();
    let wire = Wire::open();
    wire.inform();
    wire.asked_until_replied();
    for last in [7, 8] {
        let mac = format!("02:00:00:00:01:0{last}");
        ip(&format!("link set v0 address {mac}"));
        server.says(&format!("v0 has the hardware address {mac} now"));
        // The kernel has forgotten it.
        let told = Instant::now();
        while !entries().contains("10.77.1.5") {
            assert!(told.elapsed() < PATIENCE, "{}", entries());
            std::thread::sleep(Duration::from_millis(10));
        }
        let wire = Wire::open();
        assert_eq!(wire.server_mac, [2, 0, 0, 0, 1, last]);
        wire.discover();
        assert_eq!(wire.replied_from(), wire.server_mac);
        wire.inform();
        assert_eq!(wire.asked_until_replied(), 0);
    }
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// The permanent neighbour entries.
fn entries() -> String {
    let entries = Command::new("ip").args(["neigh", "show", "nud", "permanent"]).output().unwrap();
    String::from_utf8(entries.stdout).unwrap()
}

#[test]
fn what_is_missing_is_told_with_a_remedy_and_nothing_is_started() {
    let place = Place::new("refused");
    let tell = |change: fn(String) -> String, words: &[&str]| {
        place.configure(change);
        let text = place.refused(&mut place.command());
        for word in words {
            assert!(text.contains(word), "{text:?} lacks {word:?}");
        }
    };
    tell(|text| text.replace("DIR/boot", "DIR/nothing"), &["boot.directory", "does not exist", "mkdir -p"]);
    tell(|text| text.replace("DIR/boot", "DIR/heorot.toml"), &["boot.directory", "is not a directory"]);
    tell(
        |text| text.replace("\"v0\"", "\"v9\"\naddress = \"10.77.0.1/16\""),
        &["no interface \"v9\"", "this host has"],
    );
    tell(|text| text.replace("DIR/state", "/proc/heorot"), &["/proc/heorot", "server.state"]);
    tell(|text| text.replace("DIR/run", "/proc/heorot"), &["/proc/heorot", "server.control"]);
    tell(|text| text.replace("first", "fist"), &["did you mean \"first\"?"]);

    let taken = UdpSocket::bind("0.0.0.0:67").unwrap();
    tell(|text| text, &["UDP port 67 (DHCP) on v0 is in use", "dnsmasq", "ss -ulpn 'sport = :67'"]);
    drop(taken);
    let taken = UdpSocket::bind("10.77.0.1:69").unwrap();
    tell(|text| text, &["UDP port 69 (TFTP) is in use", "tftpd-hpa", "ss -ulpn 'sport = :69'"]);
    drop(taken);
    let taken = TcpListener::bind("0.0.0.0:80").unwrap();
    tell(|text| text, &["TCP port 80 (HTTP) on 10.77.0.1 is in use", "http.port"]);
    drop(taken);

    let text = place.refused(place.command().uid(65534).gid(65534));
    for word in ["CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE", "as root"] {
        assert!(text.contains(word), "{text:?} lacks {word:?}");
    }
}
