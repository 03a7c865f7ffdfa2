//! Connections that load one file again and again, as fast as it comes.

use nix::sys::socket::{MsgFlags, recv};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// All of them.
pub(super) struct Loads {
    epoll: OwnedFd,
    loads: Vec<Load>,
    request: String,
    octets: u64,
    room: Vec<u8>,
}

struct Load {
    stream: TcpStream,
    /// What of the present answer is still to come. None: its head.
    rest: Option<u64>,
    head: Vec<u8>,
}

/// What is taken from one connection before others get their turn.
const ROOM_OCTETS: usize = 1 << 20;
const EVENTS: usize = 256;
/// So long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

impl Loads {
    /// Connects them, and has each ask.
    pub(super) fn open(address: SocketAddr, path: &str, count: usize, octets: u64) -> Result<Self, String> {
        let wrong = |error: std::io::Error| format!("{address}: {error}");
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {}\r\n\r\n", address.ip());
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(|error| wrong(error.into()))?;
        let mut loads = Vec::with_capacity(count);
        for place in 0..count {
            let mut stream = TcpStream::connect(address).map_err(wrong)?;
            stream.write_all(request.as_bytes()).map_err(wrong)?;
            stream.set_nonblocking(true).map_err(wrong)?;
            epoll::add(&epoll, &stream, EventData::new_u64(place as u64), EventFlags::IN)
                .map_err(|error| wrong(error.into()))?;
            loads.push(Load { stream, rest: None, head: Vec::new() });
        }
        Ok(Self { epoll, loads, request, octets, room: vec![0; ROOM_OCTETS] })
    }

    /// Loads for so long: how many octets of the file came, in how many seconds.
    pub(super) fn run(&mut self, duration: Duration) -> Result<(u64, f64), String> {
        let begun = Instant::now();
        let mut octets = 0;
        let mut events = Vec::with_capacity(EVENTS);
        let pause = Timespec::try_from(PATIENCE).map_err(|error| error.to_string())?;
        while begun.elapsed() < duration {
            let count = epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&pause));
            if count.map_err(|error| error.to_string())? == 0 {
                return Err("nothing comes any more".into());
            }
            for event in events.drain(..) {
                let place = usize::try_from(event.data.u64()).map_err(|error| error.to_string())?;
                octets += self.take(place)?;
            }
        }
        Ok((octets, begun.elapsed().as_secs_f64()))
    }

    fn take(&mut self, place: usize) -> Result<u64, String> {
        let load = &mut self.loads[place];
        let Some(rest) = load.rest else {
            let octets = load.begin(self.octets)?;
            return Ok(octets);
        };
        // Thrown away in the kernel (tcp(7)).
        let most = usize::try_from(rest).unwrap_or(usize::MAX).min(self.room.len());
        let taken = match recv(load.stream.as_raw_fd(), &mut self.room[..most], MsgFlags::MSG_TRUNC) {
            Ok(0) => return Err("the server closed a connection".into()),
            Ok(octets) => octets as u64,
            Err(nix::errno::Errno::EAGAIN) => return Ok(0),
            Err(error) => return Err(error.to_string()),
        };
        load.rest = Some(rest - taken);
        if rest == taken {
            load.rest = None;
            load.stream.write_all(self.request.as_bytes()).map_err(|error| error.to_string())?;
        }
        Ok(taken)
    }
}

impl Load {
    /// Reads of an answer's head what has come; and the first octets that follow it, if it is whole.
    fn begin(&mut self, expected: u64) -> Result<u64, String> {
        const HEAD_OCTETS_MAX: usize = 1024;
        let mut room = [0; HEAD_OCTETS_MAX];
        let octets = match self.stream.read(&mut room[self.head.len()..]) {
            Ok(0) => return Err("the server closed a connection".into()),
            Ok(octets) => octets,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error.to_string()),
        };
        let before = self.head.len();
        self.head.extend_from_slice(&room[before..before + octets]);
        let Some(end) = self.head.windows(4).position(|octets| octets == b"\r\n\r\n") else { return Ok(0) };
        let head = String::from_utf8_lossy(&self.head[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<u64>().ok());
        if !head.starts_with("http/1.1 200") || length != Some(expected) {
            return Err(format!("an unexpected answer: {head}"));
        }
        let begun = (self.head.len() - end - 4) as u64;
        self.head.clear();
        self.rest = Some(expected - begun);
        Ok(begun)
    }
}

/// Loads the file once, and compares it.
pub(super) fn compare(address: SocketAddr, path: &str, expected: &[u8]) -> Result<(), String> {
    let load = || {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(format!("GET /{path} HTTP/1.0\r\nHost: x\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer: Vec<u8> = load().map_err(|error: std::io::Error| format!("{address}: {error}"))?;
    let start = answer.windows(4).position(|octets| octets == b"\r\n\r\n").map_or(0, |end| end + 4);
    if answer.get(start..) == Some(expected) { Ok(()) } else { Err("what came is not the file".into()) }
}
