//! As much of HTTP/1.1 as a conversation of three requests needs: one connection a request, bodies with `Content-Length`.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::str::FromStr;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// `http://ADDRESS[:PORT]/PATH`; names are not looked up, for a node in its first second has nobody to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Where to connect.
    pub server: SocketAddrV4,
    /// What to ask for, from its first `/`.
    pub path: String,
}

/// What is not such a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAUrl;

/// A server's answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Such as 200.
    pub status: u16,
    /// What follows the header.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Error {
    /// Of the connection.
    Io(io::Error),
    /// The server's bytes are no answer: what is wrong with them.
    Malformed(&'static str),
}

/// Asks for `url` with `GET`, or, if there is a body, sends it as JSON with `POST`.
///
/// # Errors
/// If the connection fails, takes longer than its timeouts, or what comes is not HTTP.
pub fn request(url: &Url, body: Option<&[u8]>) -> Result<Answer, Error> {
    let mut stream = TcpStream::connect_timeout(&url.server.into(), CONNECT_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    let method = if body.is_some() { "POST" } else { "GET" };
    let mut message =
        format!("{method} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", url.path, url.server);
    message +=
        concat!("User-Agent: heorot-agent/", env!("CARGO_PKG_VERSION"), "\r\nAccept: application/json\r\n");
    if let Some(body) = body {
        message += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    message += "\r\n";
    let mut message = message.into_bytes();
    message.extend(body.unwrap_or_default());
    stream.write_all(&message)?;
    read_answer(stream)
}

impl Url {
    /// The same server, with `tail` after the path.
    #[must_use]
    pub fn join(&self, tail: &str) -> Self {
        Self { server: self.server, path: format!("{}{tail}", self.path.trim_end_matches('/')) }
    }
}

impl FromStr for Url {
    type Err = NotAUrl;

    fn from_str(text: &str) -> Result<Self, NotAUrl> {
        let rest = text.strip_prefix("http://").ok_or(NotAUrl)?;
        let (server, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        let server = match server.parse() {
            Ok(server) => server,
            Err(_) => SocketAddrV4::new(server.parse().map_err(|_| NotAUrl)?, 80),
        };
        // What would end the request's first line early has no place in a path.
        let clean = path.bytes().all(|byte| byte.is_ascii_graphic());
        if clean { Ok(Self { server, path: path.to_owned() }) } else { Err(NotAUrl) }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.server, self.path)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(formatter),
            Self::Malformed(what) => write!(formatter, "not an answer: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads one answer; its body ends after `Content-Length`, or with the connection if there is none.
///
/// # Errors
/// The stream's, or what is wrong with what came.
pub fn read_answer(stream: impl Read) -> Result<Answer, Error> {
    let mut bytes = Vec::new();
    let mut stream = stream.take(MAXIMUM_ANSWER);
    let mut chunk = [0; 2048];
    let header_length = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if bytes.len() > MAXIMUM_HEADER {
            return Err(Error::Malformed("its header is too long"));
        }
        match stream.read(&mut chunk)? {
            0 => return Err(Error::Malformed("it ends within its header")),
            length => bytes.extend(&chunk[..length]),
        }
    };
    let header = std::str::from_utf8(&bytes[..header_length])
        .map_err(|_| Error::Malformed("its header is no text"))?;
    let (status, content_length) = read_header(header)?;
    let mut body = bytes.split_off(header_length);
    match content_length {
        Some(length) if length > MAXIMUM_ANSWER => return Err(Error::Malformed("it is too long")),
        Some(length) => {
            let length = length as usize;
            while body.len() < length {
                match stream.read(&mut chunk)? {
                    0 => return Err(Error::Malformed("it is cut short")),
                    read => body.extend(&chunk[..read]),
                }
            }
            body.truncate(length);
        }
        None => {
            stream.read_to_end(&mut body)?;
        }
    }
    Ok(Answer { status, body })
}

/// The status, and the length of the body if it is told.
fn read_header(header: &str) -> Result<(u16, Option<u64>), Error> {
    let mut lines = header.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1."));
    let status = status
        .and_then(|line| line.get(2..5)?.parse().ok())
        .ok_or(Error::Malformed("it has no status line"))?;
    let mut content_length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            content_length =
                Some(value.trim().parse().map_err(|_| Error::Malformed("its length is no number"))?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Error::Malformed("its transfer encoding is not understood here"));
        }
    }
    Ok((status, content_length))
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than a server takes to make its record durable on a slow disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
const MAXIMUM_HEADER: usize = 16 << 10;
const MAXIMUM_ANSWER: u64 = 1 << 20;
