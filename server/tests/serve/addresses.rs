//! Addresses of the host that come and go under the server.

use super::{PATIENCE, Place, Wire, entries, ip};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

/// What `heorot status` says is wrong.
pub(super) fn troubles(place: &Place) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_heorot"))
        .args(["status", "-o", "json", "--control"])
        .arg(place.path("run/control.sock"))
        .output()
        .unwrap();
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let troubles = status["troubles"].as_array().unwrap();
    troubles.iter().map(|trouble| trouble.as_str().unwrap().to_owned()).collect()
}

/// Waits until as many things are wrong, of which the last is told with these words.
pub(super) fn until_troubles(place: &Place, count: usize, words: &str) {
    let asked = Instant::now();
    while troubles(place).len() != count || troubles(place).last().is_some_and(|it| !it.contains(words)) {
        assert!(asked.elapsed() < PATIENCE, "not {count} with {words:?}: {:?}", troubles(place));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Names, TFTP and HTTP, each at an address of the server that is not the first it ever had.
fn is_served_at(address: &str) {
    let node5 = asked_at(address, b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x05node5\x07cluster\0\0\x01\0\x01", 53);
    assert_eq!(node5[node5.len() - 4..], [10, 77, 1, 5]);
    let master =
        asked_at(address, b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x06heorot\x07cluster\0\0\x01\0\x01", 53);
    let octets: Vec<u8> = address.split('.').map(|octet| octet.parse().unwrap()).collect();
    assert_eq!(master[master.len() - 4..], octets, "it knows its own address");
    let block = asked_at(address, b"\0\x01file\0octet\0", 69);
    assert_eq!(block, b"\0\x03\0\x01content");
    let mut client = TcpStream::connect((address, 80)).unwrap();
    client.write_all(b"GET /file HTTP/1.0\r\n\r\n").unwrap();
    let mut reply = String::new();
    client.read_to_string(&mut reply).unwrap();
    assert!(reply.ends_with("\r\n\r\ncontent"), "{reply}");
}

/// What is answered to this, from that address.
fn asked_at(address: &str, question: &[u8], port: u16) -> Vec<u8> {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(question, (address, port)).unwrap();
    let mut reply = [0; 600];
    let (octets, from) = socket.recv_from(&mut reply).unwrap();
    assert_eq!(from.ip().to_string(), address);
    reply[..octets].to_vec()
}

/// A network that is up only after the server (systemd), and one that is taken down and up again.
#[test]
fn an_address_that_comes_after_the_start_is_served() {
    let place = Place::new("address");
    std::fs::write(place.path("boot/file"), "content").unwrap();
    std::fs::write(place.path("boot/x.efi"), "loader").unwrap();
    place.configure(|text| {
        let text = text.replace("temporary = \"10.77.200.1-10.77.200.254\"", "mode = \"proxy\"");
        let text = text.replace("[boot]", "[boot]\nuefi-x64 = \"x.efi\"");
        text.replace("interface = \"v0\"", "interface = \"v0\"\naddress = \"10.77.0.1/16\"")
    });
    ip("addr del 10.77.0.1/16 dev v0");
    let server = place.start();
    until_troubles(&place, 1, "v0 has no IPv4 address");
    ip("addr add 10.77.0.1/16 dev v0");
    server.says("now 10.77.0.1 of v0 are served");
    until_troubles(&place, 0, "");
    is_served_at("10.77.0.1");
    let wire = Wire::open();
    wire.inform();
    assert_eq!(wire.asked_until_replied(), 0, "the kernel asked for it by ARP");

    ip("addr del 10.77.0.1/16 dev v0");
    until_troubles(&place, 1, "v0 has lost 10.77.0.1");
    assert!(!entries().contains("10.77.1.5"), "the kernel forgets them");
    ip("addr add 10.77.0.1/16 dev v0");
    server.says("v0 has 10.77.0.1 again");
    until_troubles(&place, 0, "");
    until_entry("10.77.1.5");
    is_served_at("10.77.0.1");
    ip("link set v0 down");
    ip("link set v0 up");
    until_entry("10.77.1.5");
    wire.inform();
    wire.asked_until_replied();
    is_served_at("10.77.0.1");
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// A cable that is pulled is no silence of machines.
#[test]
fn an_interface_that_hears_nobody_is_told() {
    let place = Place::new("deaf");
    let server = place.start();
    until_troubles(&place, 0, "");
    ip("link set v1 down");
    server.says("v0 has no carrier, and nobody there is heard");
    until_troubles(&place, 1, "v0 has no carrier since 2");
    ip("link set v1 up");
    server.says("v0 hears those there again");
    until_troubles(&place, 0, "");
    ip("link set v0 down");
    until_troubles(&place, 1, "v0 is down since 2");
    ip("link set v0 up");
    until_troubles(&place, 0, "");
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// Whoever asks gets blocks that are not cut in pieces on the interface as it is now.
#[test]
fn what_an_interface_takes_is_changed_under_the_server() {
    let place = Place::new("mtu");
    // The files by which the kernel tells of interfaces are those of the namespace that they were mounted in.
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    for arguments in [["--make-rprivate", "/"].as_slice(), &["-t", "sysfs", "sysfs", "/sys"]] {
        assert!(Command::new("mount").args(arguments).status().unwrap().success(), "{arguments:?}");
    }
    std::fs::write(place.path("boot/file"), "content").unwrap();
    let server = place.start();
    for (mtu, octets) in [(1500, 1468), (1400, 1368), (1500, 1468)] {
        ip(&format!("link set v0 mtu {mtu}"));
        let expected = format!("\0\x06blksize\0{octets}\0");
        let asked = Instant::now();
        let oack = || asked_at("10.77.0.1", b"\0\x01file\0octet\0blksize\x001468\0", 69);
        while oack() != expected.as_bytes() {
            assert!(asked.elapsed() < PATIENCE, "{mtu}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

fn until_entry(address: &str) {
    let asked = Instant::now();
    while !entries().contains(address) {
        assert!(asked.elapsed() < PATIENCE, "no entry of {address}: {}", entries());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A file that says no address takes the one that the interface has.
#[test]
fn an_address_that_is_changed_is_served_from_then_on() {
    let place = Place::new("changed");
    std::fs::write(place.path("boot/file"), "content").unwrap();
    let server = place.start();
    is_served_at("10.77.0.1");
    for (old, new) in [("10.77.0.1", "10.77.0.2"), ("10.77.0.2", "10.77.0.3"), ("10.77.0.3", "10.77.0.1")] {
        ip(&format!("addr del {old}/16 dev v0"));
        ip(&format!("addr add {new}/16 dev v0"));
        server.says(&format!("now {new} of v0 are served"));
        until_troubles(&place, 0, "");
        is_served_at(new);
    }
    // One that is not of the network changes nothing, and what the file says is read as before.
    ip("addr add 192.0.2.1/24 dev v0");
    ip("addr del 10.77.0.1/16 dev v0");
    until_troubles(&place, 1, "v0 has lost 10.77.0.1");
    server.signal(Signal::SIGHUP);
    server.says("the configuration was read anew");
    ip("addr add 10.77.0.1/16 dev v0");
    until_troubles(&place, 0, "");
    is_served_at("10.77.0.1");
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// One dead card, or a VLAN that is set up late: all others are served meanwhile, and it is when it comes.
#[test]
fn an_interface_that_is_not_there_at_the_start_keeps_nobody_else_from_being_served() {
    let place = Place::new("late");
    std::fs::write(place.path("boot/file"), "content").unwrap();
    // Where none is there, nothing can be served.
    place.configure(|text| {
        text.replace("interface = \"v0\"", "interface = \"late0\"\naddress = \"10.77.0.1/16\"")
    });
    let text = place.refused(&mut place.command());
    assert!(text.contains("there is no interface late0 with a hardware address"), "{text}");
    place.configure(with_late0);
    let server = place.start();
    until_troubles(&place, 1, "late0 is gone");
    is_served_at("10.77.0.1");
    ip("link add late0 type veth peer name late1");
    ip("addr add 10.99.0.1/16 dev late0");
    ip("link set late1 up");
    ip("link set late0 up");
    server.says("late0 is there now, and is listened to");
    until_troubles(&place, 0, "");
    let block = asked_at("10.99.0.1", b"\0\x01file\0octet\0", 69);
    assert_eq!(block, b"\0\x03\0\x01content");
    server.signal(Signal::SIGHUP);
    server.says("the configuration was read anew");
    assert_eq!(asked_at("10.77.0.1", b"\0\x01file\0octet\0", 69), block);
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// A further network, on an interface that is not there yet.
fn with_late0(text: String) -> String {
    let further = "[[network]]\ninterface = \"late0\"\naddress = \"10.99.0.1/16\"\nnumbers = \"0-99\"\nfirst = \"10.99.1.0\"\n\
                   suffix = \"-ib\"\ntemporary = \"10.99.200.1-10.99.200.9\"\n[boot]";
    text.replace("[boot]", further)
}

/// One that comes late and cannot be served as it is: it is told why, once, and what to do; and it is served as soon as that is done.
#[test]
fn why_an_interface_that_came_late_is_not_served_is_told() {
    let place = Place::new("unfit");
    std::fs::write(place.path("boot/file"), "content").unwrap();
    place.configure(with_late0);
    let server = place.start();
    until_troubles(&place, 1, "late0 is gone");
    // Whatever its name is when it is bound, the port is that interface's.
    ip("link add wait0 type veth peer name wait1");
    let taken = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
    taken.bind_device(Some(b"wait0")).unwrap();
    taken.bind(&std::net::SocketAddrV4::new(std::net::Ipv4Addr::UNSPECIFIED, 67).into()).unwrap();
    ip("link set wait0 name late0");
    ip("addr add 10.99.0.2/16 dev late0");
    ip("link set wait1 up");
    ip("link set late0 up");
    let said = server.says("late0 cannot be served");
    for words in
        ["UDP port 67 (DHCP) on late0 is in use", "ss -ulpn 'sport = :67'", "tried again every second"]
    {
        assert!(said.contains(words), "{said}");
    }
    until_troubles(&place, 2, "");
    assert!(troubles(&place)[0].contains("UDP port 67 (DHCP) on late0 is in use"), "{:?}", troubles(&place));
    // It is tried more than once, and told once.
    std::thread::sleep(Duration::from_millis(2500));
    drop(taken);
    let mut before = Vec::new();
    while before.last().is_none_or(|line: &String| !line.contains("late0 is there now")) {
        before.push(server.lines.recv_timeout(PATIENCE).unwrap());
    }
    assert!(!before.iter().any(|line| line.contains("cannot be served")), "{before:#?}");
    // Its address is another one than the file says.
    until_troubles(&place, 1, "late0 has come with 10.99.0.2 and not with 10.99.0.1");
    let [told] = &troubles(&place)[..] else { panic!("one of them is done") };
    assert!(told.contains("ip address add 10.99.0.1/16 dev late0"), "{told}");
    server.signal(Signal::SIGHUP);
    server.says("the configuration was read anew");
    until_troubles(&place, 1, "late0 has come with 10.99.0.2 and not with 10.99.0.1");
    ip("addr add 10.99.0.1/16 dev late0");
    server.says("10.99.0.1 of late0");
    until_troubles(&place, 0, "");
    assert_eq!(asked_at("10.99.0.1", b"\0\x01file\0octet\0", 69), b"\0\x03\0\x01content");
    ip("link del late0");
    server.says("late0 is gone");
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// A name that is taken away and given back is the same interface's: its ports stay bound, and are not in their own way.
#[test]
fn an_interface_that_is_renamed_away_and_back_is_served() {
    let place = Place::new("renamed");
    std::fs::write(place.path("boot/file"), "content").unwrap();
    let server = place.start();
    until_troubles(&place, 0, "");
    for _ in 0..2 {
        ip("link set v0 down");
        ip("link set v0 name away0");
        server.says("v0 is gone");
        until_troubles(&place, 1, "v0 is gone");
        ip("link set away0 name v0");
        ip("link set v0 up");
        server.says("v0 is back, and is served");
        until_troubles(&place, 0, "");
        is_served_at("10.77.0.1");
    }
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// Two that exchange their names (udev, other slots): each is served by its new one, and neither is in the way of the other.
#[test]
fn interfaces_that_exchange_their_names_are_served() {
    let place = Place::new("exchanged");
    std::fs::write(place.path("boot/file"), "content").unwrap();
    ip("link add late0 type veth peer name late1");
    ip("addr add 10.99.0.1/16 dev late0");
    ip("link set late1 up");
    ip("link set late0 up");
    place.configure(|text| {
        with_late0(text).replace("interface = \"v0\"", "interface = \"v0\"\naddress = \"10.77.0.1/16\"")
    });
    let server = place.start();
    until_troubles(&place, 0, "");
    for _ in 0..2 {
        for name in ["v0", "late0"] {
            ip(&format!("link set {name} down"));
            ip(&format!("addr flush dev {name}"));
        }
        ip("link set v0 name away0");
        ip("link set late0 name v0");
        ip("link set away0 name late0");
        for (name, address) in [("v0", "10.77.0.1"), ("late0", "10.99.0.1")] {
            ip(&format!("link set {name} up"));
            ip(&format!("addr add {address}/16 dev {name}"));
        }
        server.says("is called");
        until_troubles(&place, 0, "");
        for address in ["10.77.0.1", "10.99.0.1"] {
            assert_eq!(asked_at(address, b"\0\x01file\0octet\0", 69), b"\0\x03\0\x01content");
        }
    }
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

/// One whose address is replaced, where the file says the old one: that is told, and who comes later on another interface is served all the same.
#[test]
fn an_address_that_is_replaced_keeps_no_other_interface_unserved() {
    let place = Place::new("replaced");
    std::fs::write(place.path("boot/file"), "content").unwrap();
    place.configure(|text| {
        with_late0(text).replace("interface = \"v0\"", "interface = \"v0\"\naddress = \"10.77.0.1/16\"")
    });
    let server = place.start();
    until_troubles(&place, 1, "late0 is gone");
    ip("addr del 10.77.0.1/16 dev v0");
    ip("addr add 10.77.0.2/16 dev v0");
    server.says("this host has other addresses, for which the configuration is wrong");
    ip("link add late0 type veth peer name late1");
    ip("addr add 10.99.0.1/16 dev late0");
    ip("link set late1 up");
    ip("link set late0 up");
    server.says("10.99.0.1 of late0");
    assert_eq!(asked_at("10.99.0.1", b"\0\x01file\0octet\0", 69), b"\0\x03\0\x01content");
    until_troubles(&place, 2, "the configuration is wrong for the addresses that this host has");
    ip("addr add 10.77.0.1/16 dev v0");
    until_troubles(&place, 0, "");
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}
/// RFC 1123 4.2.3.5: a request to everybody is answered by nobody.
#[test]
fn a_request_to_everybody_is_not_answered() {
    const NOT_LONG: Duration = Duration::from_millis(300);
    let place = Place::new("everybody");
    std::fs::write(place.path("boot/small"), "x").unwrap();
    let server = place.start();
    let mut packet = [0; 600];
    for (to, is_answered, patience) in [
        ("10.77.0.1:69", true, PATIENCE),
        ("10.77.255.255:69", false, NOT_LONG),
        ("255.255.255.255:69", false, NOT_LONG),
    ] {
        // Another port each time: what is repeated to the one before is none of this one's.
        let client = UdpSocket::bind("10.77.0.1:0").unwrap();
        client.set_broadcast(true).unwrap();
        client.set_read_timeout(Some(patience)).unwrap();
        client.send_to(b"\0\x01small\0octet\0", to).unwrap();
        assert_eq!(client.recv(&mut packet).is_ok(), is_answered, "{to}");
    }
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}
