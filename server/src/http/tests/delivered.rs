//! What the loop is told of files for the history of a machine.

use super::*;

impl Server {
    /// What it was told of files, in order, once there is so much of it.
    fn files(&self, lines: usize) -> Vec<String> {
        let all = |server: &Self| -> Vec<String> {
            let told = server.told.lock().unwrap();
            let is_of_file = |line: &&String| line.contains(" is sent ") || line.starts_with("sent ");
            told.iter().filter(is_of_file).cloned().collect()
        };
        self.until("what became of files", |server| all(server).len() >= lines);
        all(self)
    }
}

#[test]
fn what_is_sent_to_its_end_is_told_of() {
    let server = server();
    server.write("small", vec![1; 1000]);
    server.write("large", vec![2; 300_000]);
    server.get("HEAD /large");
    server.get("GET /large\nRange: bytes=999999-");
    server.get("GET /text");
    server.get("GET /files");
    assert_eq!(server.get("GET //large").1.len(), 300_000);
    assert_eq!(server.files(2), ["127.0.0.1 is sent large", "sent large 300000 Complete"]);
    assert_eq!(server.get("GET /small").1.len(), 1000);
    assert_eq!(server.files(4)[2..], ["127.0.0.1 is sent small", "sent small 1000 Complete"]);
    // On a connection that goes on, too.
    let mut stream = server.connect();
    for lines in [6, 8] {
        stream.write_all(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        next_answer(&mut stream, true);
        assert_eq!(server.files(lines)[lines - 1], "sent small 1000 Complete");
    }
    let mut secured = server.connect_by_tls(&rustls::version::TLS13);
    secured.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut read = Vec::new();
    secured.read_to_end(&mut read).unwrap();
    assert_eq!(server.files(10)[9], "sent large 300000 Complete");
    assert_eq!(server.files(10).len(), 10);
}

/// The last octets of a file are not the file.
#[test]
fn a_part_is_told_of_as_that() {
    let server = server();
    server.write("large", vec![2; 300_000]);
    for (lines, range, octets, told) in [
        (2, "0-99999", 100_000, "sent large 100000 of 0..100000 of 300000 Complete"),
        (4, "100000-", 200_000, "sent large 300000 of 100000..300000 of 300000 Complete"),
        (6, "-4", 4, "sent large 300000 of 299996..300000 of 300000 Complete"),
        (8, "0-", 300_000, "sent large 300000 Complete"),
    ] {
        assert_eq!(server.get(&format!("GET /large\nRange: bytes={range}")).1.len(), octets, "{range}");
        assert_eq!(server.files(lines)[lines - 2..], ["127.0.0.1 is sent large", told], "{range}");
    }
}

#[test]
fn a_machine_that_breaks_off_is_told_of_with_what_it_has() {
    let server = server();
    server.write("large", vec![2; 16 << 20]);
    let mut stream = server.connect();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 200_000]).unwrap();
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    let told = server.files(2)[1].clone();
    let octets =
        told.strip_prefix("sent large ").and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    assert!(octets.is_some_and(|octets| (100_000..16 << 20).contains(&octets)), "{told}");
    assert!(told.ends_with("BrokenOff(\"it broke off the connection\")"), "{told}");
}

/// EDK2 closes its connections by a RST, when it has all and before its timer for the last ACK is over.
#[test]
fn who_has_all_and_breaks_off_has_it() {
    let server = server();
    server.write("small", vec![1; 3000]);
    let mut stream = server.connect();
    stream.write_all(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    next_answer(&mut stream, true);
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    let told = server.files(2)[1].clone();
    assert!(["sent small 3000 Complete", "sent small 0 Unconfirmed"].contains(&&*told), "{told}");
}

/// It says that it asks for nothing more, and reads.
#[test]
fn who_says_no_more_has_what_it_was_sent() {
    let server = server();
    server.grants.store(64 << 20, Ordering::Relaxed);
    server.write("large", vec![2; 8 << 20]);
    for (lines, close) in [(2, ""), (4, "Connection: close\r\n")] {
        let mut stream = server.connect();
        stream.write_all(format!("GET /large HTTP/1.1\r\nHost: x\r\n{close}\r\n").as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let mut read = Vec::new();
        stream.read_to_end(&mut read).unwrap();
        assert_eq!(parted(&read).1.len(), 8 << 20);
        assert_eq!(server.files(lines)[lines - 1], "sent large 8388608 Complete");
    }
    server.until("the end of both", |server| server.counts().connections == 0);
}

#[test]
fn a_machine_that_takes_nothing_is_told_of() {
    let server = server_within(Limits { silence: Duration::from_secs(1), ..limits() });
    server.write("large", vec![2; 64 << 20]);
    server.grants.store(64 << 20, Ordering::Relaxed);
    let mut stream = server.connect();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let told = server.files(2)[1].clone();
    assert!(told.ends_with("Failed(\"nothing heard for 1 s\")"), "{told}");
    drop(stream);
}

/// All of it may be with our kernel: what the peer has not acknowledged, it does not have.
#[test]
fn what_waits_in_our_kernel_is_not_delivered() {
    let server = server_within(Limits {
        silence: Duration::from_secs(1),
        lingers: Duration::from_millis(100),
        request_within: Duration::from_millis(500),
        ..limits()
    });
    server.write("large", vec![2; 3 << 20]);
    server.grants.store(64 << 20, Ordering::Relaxed);
    for close in ["", "Connection: close\r\n"] {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(100_000).unwrap();
        socket.connect(&server.address.into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.write_all(format!("GET /large HTTP/1.1\r\nHost: x\r\n{close}\r\n").as_bytes()).unwrap();
        let lines = if close.is_empty() { 2 } else { 4 };
        let told = server.files(lines)[lines - 1].clone();
        assert!(told.ends_with("Failed(\"nothing heard for 1 s\")"), "{told}");
    }
}

#[test]
fn a_file_that_is_changed_in_place_is_told_to_be() {
    let server = server();
    server.write("large", vec![2; 1 << 20]);
    server.grants.store(0, Ordering::Relaxed);
    let mut stream = server.connect();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    server.until("a wish", |server| server.told("Begun") == 1);
    std::thread::sleep(Duration::from_millis(20));
    server.write("large", vec![3; 1 << 20]);
    for key in LISTENERS_MAX..LISTENERS_MAX + 9 {
        server.http.lock().unwrap().grant(StreamId(key << 20 | 1), 1 << 19);
    }
    server.http.lock().unwrap().flush();
    let told = server.files(2)[1].clone();
    assert!(told.ends_with("Failed(\"the file was changed in place\")"), "{told}");
    drop(stream);
}
