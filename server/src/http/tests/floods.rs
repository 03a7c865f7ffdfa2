//! Connections and octets without end, of one client: everybody else is served.

use super::*;
use heorot_core::limit::HTTP_HELD_OCTETS_MAX;
use socket2::{SockAddr, Type};
use std::net::Shutdown;

impl Server {
    /// As another client: loopback has many addresses.
    fn connect_from(&self, client: u8) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let from = SocketAddrV4::new(Ipv4Addr::new(127, 77, 0, client), 0);
        socket.bind(&SockAddr::from(from)).unwrap();
        socket.connect(&self.address.into()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.into()
    }
}

/// Whoever loads a file and takes nothing of it has five times as long as who has just come.
#[test]
fn who_has_most_connections_gives_way() {
    let server = server();
    server.write("large", vec![2; 1 << 20]);
    server.grants.store(0, Ordering::Relaxed);
    let stall = |count: usize| -> Vec<TcpStream> {
        let stalled = (0..count).map(|_| {
            let mut stream = server.connect_from(1);
            stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            stream
        });
        stalled.collect()
    };
    let first = stall(20);
    server.until("as many as there may be", |server| server.counts().sending == 20);
    let mut fresh: Vec<TcpStream> = (2..5).map(|client| server.connect_from(client)).collect();
    let further = stall(60);
    server.until("all of them", |server| server.counts().streams.accepted == 83);
    assert_eq!(server.counts().connections, 20);
    for stream in &mut fresh {
        stream.write_all(b"GET /text HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!(next_answer(stream, true).1, b"#!ipxe\n");
    }
    drop((first, further));
}

/// Bodies that never come whole: they have a bound together, and who holds most of it gives way.
#[test]
fn who_holds_most_gives_way() {
    rights::raise_descriptor_limit();
    let server = server_within(Limits { connections: 2000, ..limits() });
    let begin = |client, octets: usize| {
        let mut stream = server.connect_from(client);
        let head = format!("POST /node/x HTTP/1.1\r\nHost: x\r\nContent-Length: {POST_OCTETS_MAX}\r\n\r\n");
        // It may give way while it speaks.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&vec![b'x'; octets]));
        stream
    };
    let mut honest = begin(2, POST_OCTETS_MAX - 10);
    let count = HTTP_HELD_OCTETS_MAX / POST_OCTETS_MAX + 20;
    let held: Vec<TcpStream> = (0..count).map(|_| begin(1, POST_OCTETS_MAX - 10)).collect();
    server.until("some that gave way", |server| server.counts().streams.displaced >= 15);
    honest.write_all(&[b'x'; 10]).unwrap();
    assert!(next_answer(&mut honest, true).0.starts_with("http/1.1 202"));
    assert!(server.counts().connections >= count - 30, "and no more than had to: {:?}", server.counts());
    for stream in held {
        let _ = stream.shutdown(Shutdown::Both);
    }
    server.until("all gone", |server| server.counts().connections <= 1);
}
