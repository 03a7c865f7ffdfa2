//! Disks that do not answer, and those of which nobody can say what is in memory.

use super::*;
use crate::testing::standing::{OCTETS, Standing, content};

/// A server with a file system in its boot directory that stands still, in a space of mounts of its own.
fn with_a_disk_that_stands(test: impl FnOnce(Server, Standing) + Send + 'static) {
    testing::with_mounts(|| {
        let server = server();
        server.write("kernel", vec![7; 200_000]);
        let standing = Standing::at(server.directory.path().join("standing"));
        test(server, standing);
    });
}

fn ask(stream: &mut TcpStream, path: &str) {
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
}

/// More of them than there are threads at one place wait for it.
#[test]
fn a_disk_that_stands_still_holds_up_nobody_else() {
    with_a_disk_that_stands(|server, standing| {
        let mut waiting: Vec<TcpStream> = (0..8).map(|_| server.connect()).collect();
        waiting.iter_mut().for_each(|stream| ask(stream, "standing/stands"));
        server.until("somebody reads", |_| standing.held() > 0);
        assert_eq!(server.get("GET /text").1, b"#!ipxe\n");
        assert_eq!(server.get("GET /kernel").1.len(), 200_000);
        // Who has gone holds nobody up when it answers again.
        waiting.truncate(4);
        standing.release();
        for mut stream in waiting {
            let mut response = Vec::new();
            stream.read_to_end(&mut response).unwrap();
            assert!(parted(&response).1 == content(0, OCTETS as u32));
        }
        server.until("the end of all connections", |server| server.counts().connections == 0);
    });
}

#[test]
fn what_may_have_to_be_waited_for_is_read_by_others() {
    with_a_disk_that_stands(|server, _standing| {
        assert!(server.get("GET /standing/quick").1 == content(0, OCTETS as u32));
        let (head, body) = server.get("GET /standing/quick\nRange: bytes=100000-399999");
        assert!(head.starts_with("http/1.1 206") && body == content(100_000, 300_000), "{head}");
        let mut stream = server.connect_by_tls(&rustls::version::TLS13);
        let (head, body) = exchange(&mut stream, "GET /standing/quick");
        assert!(head.starts_with("http/1.1 200") && body == content(0, OCTETS as u32), "{head}");
        server.until("the end of all files", |server| server.counts().sending == 0);
    });
}
