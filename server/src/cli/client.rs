//! HTTP/1.1 over the control socket, as much of it as a GET or a POST needs.

use crate::rights;
use heorot_core::service::view::ErrorView;
use nix::unistd::{Gid, Group};
use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long the server may take to say something. It answers at once, unless it hangs.
const WITHIN: Duration = Duration::from_secs(10);

/// Octets of the longest answer: all nodes at 4 KiB each.
const ANSWER_OCTETS_MAX: u64 = 64 << 20;

/// The way to a server.
pub(super) struct Client<'a> {
    pub(super) socket: &'a Path,
}

/// Why there is no answer, in words that say what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody is there.
    Unreachable(String),
    /// A server runs, and its socket is in its place no more.
    Lost(String),
    /// Somebody is, and says nothing.
    Late(String),
    /// The server says that it cannot be.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The server's words.
        error: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(text) | Self::Lost(text) | Self::Late(text) => f.write_str(text),
            Self::Answered { error, .. } => f.write_str(error),
        }
    }
}

impl Client<'_> {
    /// Asks for a resource; its body.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) fn get(&self, path: &str) -> Result<String, Failure> {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: heorot\r\nConnection: close\r\n\r\n"))
    }

    /// Posts a JSON document; the body of the answer.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) fn post(&self, path: &str, body: &str) -> Result<String, Failure> {
        self.exchange(&format!(
            "POST {path} HTTP/1.1\r\nHost: heorot\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ))
    }

    fn exchange(&self, request: &str) -> Result<String, Failure> {
        let mut stream = UnixStream::connect(self.socket).map_err(|e| self.unreachable(&e))?;
        let mut response = Vec::new();
        stream
            .set_read_timeout(Some(WITHIN))
            .and_then(|()| stream.set_write_timeout(Some(WITHIN)))
            .and_then(|()| stream.write_all(request.as_bytes()))
            .and_then(|()| stream.take(ANSWER_OCTETS_MAX).read_to_end(&mut response))
            .map_err(|e| self.broken(&e))?;
        let (status, body) =
            parse(&response).ok_or_else(|| self.broken(&io::ErrorKind::UnexpectedEof.into()))?;
        if status < 400 {
            return Ok(body.into());
        }
        let error = serde_json::from_str(body)
            .map_or_else(|_| format!("the server answers {status}: {body}"), |view: ErrorView| view.error);
        Err(Failure::Answered { status, error })
    }

    fn unreachable(&self, error: &io::Error) -> Failure {
        let path = self.socket.display();
        if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ECONNREFUSED))
            && let Some(inode) = listening_as(self.socket)
        {
            let (who, signal) = match process_with(inode) {
                Some(pid) => (format!(" (process {pid})"), format!("kill -HUP {pid}")),
                None => (String::new(), "SIGHUP".into()),
            };
            return Failure::Lost(format!(
                "heorot runs{who}, and its control socket {path} was removed: nobody can ask it\n  systemctl reload heorot, or {signal}, makes it anew"
            ));
        }
        Failure::Unreachable(match error.raw_os_error() {
            Some(libc::EACCES | libc::EPERM) => {
                format!("you may not use {path}\n  become root{}", joining(operators(self.socket).as_deref()))
            }
            Some(libc::ENOENT | libc::ECONNREFUSED) => format!(
                "no server answers at {path}: is `heorot serve` running?\n  see: systemctl status heorot; if its `server.control` is another: --control PATH"
            ),
            _ => format!("no server can be reached at {path}: {error}"),
        })
    }

    fn broken(&self, error: &io::Error) -> Failure {
        let path = self.socket.display();
        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
            return Failure::Late(format!(
                "the server at {path} did not answer within {} s\n  see its journal: journalctl -u heorot",
                WITHIN.as_secs()
            ));
        }
        Failure::Unreachable(format!("the server at {path} broke off: {error}"))
    }
}

/// The socket that listens by this name, of which the kernel knows also when the name leads nowhere any more (proc(5), /proc/net/unix): its inode.
fn listening_as(path: &Path) -> Option<u64> {
    /// `__SO_ACCEPTCON`: it takes connections.
    const LISTENS: u32 = 1 << 16;
    let path = std::path::absolute(path).ok()?;
    let sockets = std::fs::read("/proc/net/unix").ok()?;
    let sockets = String::from_utf8_lossy(&sockets);
    sockets.lines().skip(1).find_map(|line| {
        let (columns, name) = line.split_once('/')?;
        let mut columns = columns.split_whitespace().skip(3);
        let flags = u32::from_str_radix(columns.next()?, 16).ok()?;
        let inode = columns.nth(2)?.parse().ok()?;
        (flags & LISTENS != 0 && Path::new("/").join(name) == path).then_some(inode)
    })
}

/// The process that has a socket open, if we may know.
fn process_with(inode: u64) -> Option<u32> {
    let link = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().filter_map(Result::ok);
        open.filter_map(|entry| std::fs::read_link(entry.path()).ok())
            .any(|to| to.as_os_str() == link.as_str())
    })
}

/// The group that may use a socket, as far as that can be seen from here.
fn operators(socket: &Path) -> Option<String> {
    let of_socket = std::fs::metadata(socket).map(|found| Gid::from_raw(found.gid()));
    let group = of_socket.map_or_else(|_| rights::operators(), |gid| Group::from_gid(gid).ok().flatten());
    group.filter(|group| group.gid.as_raw() != 0).map(|group| group.name)
}

/// How somebody becomes an operator, where there is a group for that.
fn joining(group: Option<&str>) -> String {
    let Some(group) = group else { return String::new() };
    format!(", or a member of the group {group}: usermod -aG {group} $USER")
}

/// Status and body of a response that ended with its connection and whose body came whole and unchunked.
fn parse(response: &[u8]) -> Option<(u16, &str)> {
    let text = std::str::from_utf8(response).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let length: usize = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
    })?;
    (length == body.len()).then_some((status, body))
}

/// With percent signs for all that may mean something in a path or a query.
pub(super) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|octet| match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':' => {
                char::from(octet).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses() {
        for (response, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", Some((200, "[]"))),
            ("HTTP/1.1 404 Not Found\r\nx: y\r\ncontent-length: 0\r\n\r\n", Some((404, ""))),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]", None),
            ("HTTP/1.1 200 OK\r\n\r\n[]", None),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", None),
            ("SSH-2.0", None),
            ("", None),
        ] {
            assert_eq!(parse(response.as_bytes()), expected, "{response:?}");
        }
    }

    #[test]
    fn who_may_not_is_told_of_a_group_that_is_there() {
        let directory = crate::testing::directory("client");
        let socket = directory.path().join("control.sock");
        std::fs::write(&socket, "").unwrap();
        let group = Group::from_name("daemon").unwrap().unwrap();
        nix::unistd::chown(&socket, None, Some(group.gid)).unwrap();
        let denied = || {
            (Client { socket: &socket }).unreachable(&io::Error::from_raw_os_error(libc::EACCES)).to_string()
        };
        assert!(denied().ends_with("become root, or a member of the group daemon: usermod -aG daemon $USER"));
        // Root's is nobody else's.
        nix::unistd::chown(&socket, None, Some(Gid::from_raw(0))).unwrap();
        assert!(denied().ends_with("\n  become root"));
    }

    /// Who looks for a server whose socket somebody has removed is not told to look whether it runs.
    #[test]
    fn a_server_whose_socket_is_gone_is_known() {
        let directory = crate::testing::directory("client-lost");
        let socket = directory.path().join("control sock");
        let ask = || (Client { socket: &socket }).get("/v1/status").unwrap_err();
        assert!(matches!(ask(), Failure::Unreachable(_)));
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        std::fs::remove_file(&socket).unwrap();
        let Failure::Lost(said) = ask() else { panic!("{:?}", ask()) };
        assert!(said.contains(&format!("kill -HUP {}", std::process::id())), "{said}");
        // Nor is one that has another's in its place.
        drop(std::os::unix::net::UnixDatagram::bind(&socket).unwrap());
        assert!(matches!(ask(), Failure::Lost(_)));
        drop(listener);
        assert!(matches!(ask(), Failure::Unreachable(_)));
    }

    #[test]
    fn names_survive_the_way() {
        for (text, expected) in [
            ("node[0-9,12]", "node%5B0-9%2C12%5D"),
            ("52:54:00:00:00:17", "52:54:00:00:00:17"),
            ("a/b?c", "a%2Fb%3Fc"),
        ] {
            assert_eq!(encoded(text), expected);
        }
    }
}
