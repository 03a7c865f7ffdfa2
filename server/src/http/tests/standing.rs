//! Who reads nothing.

use super::*;

/// By TLS more goes out than the file has: when all of that is delivered, nothing more of it will be, and nobody stands still of whom nothing would say that he moves again.
#[test]
fn who_reads_nothing_after_the_octets_of_a_file_does_not_stand_still() {
    // What TLS adds is more than the client's kernel takes.
    const SIZE: usize = 32 << 20;
    const BEFORE_THE_END: usize = 256 << 10;
    let server = server();
    server.grants.store(SIZE as u64, Ordering::Relaxed);
    server.write("kernel", vec![7; SIZE]);
    let mut stream = server.connect_by_tls(&rustls::version::TLS13);
    stream.write_all(b"GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    // As it comes, with so little room that little of it waits for us, and at the end with as little as there may be.
    let socket = &mut stream.sock;
    socket2::SockRef::from(&*socket).set_recv_buffer_size(64 << 10).unwrap();
    socket.read_exact(&mut vec![0; SIZE - BEFORE_THE_END]).unwrap();
    socket2::SockRef::from(&*socket).set_recv_buffer_size(1 << 12).unwrap();
    socket.read_exact(&mut vec![0; BEFORE_THE_END + 4096]).unwrap();
    let delivered = |server: &Server| {
        let told = server.told.lock().unwrap();
        let octets = |line: &String| {
            line.strip_prefix("Delivered { octets: ")?.split(',').next()?.parse::<usize>().ok()
        };
        let last = told.iter().rposition(|line| octets(line).is_some()).unwrap_or(0);
        let after = told[last..].iter().filter(|line| line.starts_with("StandsStill")).count();
        (told.iter().filter_map(octets).sum::<usize>(), after)
    };
    server.until("that all is delivered", |server| delivered(server).0 == SIZE);
    // It is looked at every few milliseconds.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(delivered(&server), (SIZE, 0));
    assert_eq!(server.counts().sending, 1, "some of it is with the server still");
}
