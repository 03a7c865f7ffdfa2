//! As much of HTTP/1.1 as a conversation of a few requests needs, and the fetching of a large file: one connection a request, bodies with
//! `Content-Length`.

use std::fmt;
use std::io::{self, Cursor, Read, Write};
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
    /// What the server is called there, if that is not its address.
    pub name: Option<String>,
}

/// What is not such a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAUrl;

/// A server's answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Such as 200.
    pub status: u16,
    /// When, by the server's clock.
    pub date: Option<String>,
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
    let mut stream = connect(url)?;
    let method = if body.is_some() { "POST" } else { "GET" };
    let mut message = opening(method, url) + "Accept: application/json\r\n";
    if let Some(body) = body {
        message += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    message += "\r\n";
    let mut message = message.into_bytes();
    message.extend(body.unwrap_or_default());
    stream.write_all(&message)?;
    read_answer(stream)
}

/// A large answer, to be read as it comes.
#[derive(Debug)]
pub struct Download {
    /// Such as 200, or 206 if it does not begin at the file's beginning.
    pub status: u16,
    /// How many bytes come, if that was told.
    pub length: Option<u64>,
    /// What tells this version of the file from others (RFC 9110 section 8.8.3).
    pub tag: Option<String>,
    rest: io::Chain<Cursor<Vec<u8>>, TcpStream>,
}

/// Asks for the file at `url`, from the byte `from` on. With a tag, a file that is another one by now comes from its beginning (RFC 9110
/// section 13.1.5).
///
/// # Errors
/// As [`request`].
pub fn download(url: &Url, from: u64, tag: Option<&str>) -> Result<Download, Error> {
    let mut stream = connect(url)?;
    let mut message = opening("GET", url) + "Accept: */*\r\n";
    if from > 0 {
        message += &format!("Range: bytes={from}-\r\n");
    }
    if let Some(tag) = tag.filter(|_| from > 0) {
        message += &format!("If-Range: {tag}\r\n");
    }
    message += "\r\n";
    stream.write_all(message.as_bytes())?;
    let (header, begun) = read_header(&mut stream)?;
    let Header { status, content_length: length, tag, .. } = header;
    Ok(Download { status, length, tag, rest: Cursor::new(begun).chain(stream) })
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.rest.read(buffer)
    }
}

impl Url {
    /// The same server, with `tail` after the path.
    #[must_use]
    pub fn join(&self, tail: &str) -> Self {
        let path = format!("{}{tail}", self.path.trim_end_matches('/'));
        Self { path, ..self.clone() }
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
        if clean { Ok(Self { server, path: path.to_owned(), name: None }) } else { Err(NotAUrl) }
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

fn connect(url: &Url) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&url.server.into(), CONNECT_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    Ok(stream)
}

/// A request's first lines.
fn opening(method: &str, url: &Url) -> String {
    const AGENT: &str = concat!("User-Agent: heorot-agent/", env!("CARGO_PKG_VERSION"));
    let host = url.name.clone().unwrap_or_else(|| url.server.to_string());
    format!("{method} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{AGENT}\r\n", url.path)
}

/// Reads one answer; its body ends after `Content-Length`, or with the connection if there is none.
///
/// # Errors
/// The stream's, or what is wrong with what came.
pub fn read_answer(stream: impl Read) -> Result<Answer, Error> {
    let mut stream = stream.take(MAXIMUM_ANSWER);
    let (Header { status, content_length, date, .. }, mut body) = read_header(&mut stream)?;
    let mut chunk = [0; 2048];
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
    Ok(Answer { status, date, body })
}

/// What an answer's header tells.
struct Header {
    status: u16,
    content_length: Option<u64>,
    tag: Option<String>,
    date: Option<String>,
}

/// The header, and what came of the body with it.
fn read_header(stream: &mut impl Read) -> Result<(Header, Vec<u8>), Error> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 2048];
    let length = loop {
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
    let text =
        std::str::from_utf8(&bytes[..length]).map_err(|_| Error::Malformed("its header is no text"))?;
    let header = Header::parse(text)?;
    Ok((header, bytes.split_off(length)))
}

impl Header {
    fn parse(text: &str) -> Result<Self, Error> {
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1."));
        let status = status
            .and_then(|line| line.get(2..5)?.parse().ok())
            .ok_or(Error::Malformed("it has no status line"))?;
        let mut header = Self { status, content_length: None, tag: None, date: None };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                header.content_length =
                    Some(value.parse().map_err(|_| Error::Malformed("its length is no number"))?);
            } else if name.eq_ignore_ascii_case("etag") {
                header.tag = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("date") {
                header.date = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                return Err(Error::Malformed("its transfer encoding is not understood here"));
            }
        }
        Ok(header)
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than a server takes to make its record durable on a slow disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
const MAXIMUM_HEADER: usize = 16 << 10;
/// The largest archive of this node's files, and more than the largest names file.
const MAXIMUM_ANSWER: u64 = 20 << 20;
