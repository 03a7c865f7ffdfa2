//! What is answered: status, fields and a short text, as octets (RFC 9112 4 to 6). Always with a length and never in chunks; no field without a value, and none that no
//! client needs.

use super::calendar;
use super::head::Refusal;
use super::selection::Version;
use std::fmt::Write as _;
use std::ops::Range;

/// An answer, with what follows its head if that is a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    status: u16,
    fields: String,
    /// Octets of the body that the head promises. None: there never is one (304).
    length: Option<u64>,
    text: String,
}

/// How it is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Without its body: it was asked for by HEAD.
    pub(super) headless: bool,
    /// The connection ends with it.
    pub(super) closes: bool,
    /// The client speaks HTTP/1.0 and has to be told that it does not end.
    pub(super) is_old: bool,
}

impl Reply {
    /// A text for people, or for a loader.
    pub(super) fn text(status: u16, text: String) -> Self {
        Self::of(status, "text/plain; charset=utf-8", text)
    }

    /// A text whose beginning is here, and whose rest follows from a file.
    pub(super) fn text_before(first: String, rest_octets: u64) -> Self {
        let reply = Self::text(200, first);
        let length = reply.length.map(|octets| octets + rest_octets);
        Self { length, ..reply }
    }

    /// A JSON document.
    pub(super) fn json(status: u16, text: String) -> Self {
        Self::of(status, "application/json", text)
    }

    /// What is said of a request that was not understood.
    pub(super) fn refusal(refusal: Refusal) -> Self {
        let mut reply = Self::text(refusal.status, format!("{}\n", refusal.why));
        if refusal.status == 405 {
            reply.field("Allow", "GET, HEAD, POST");
        }
        reply
    }

    /// The server cannot answer now: ask again.
    pub(super) fn busy() -> Self {
        let mut reply = Self::text(503, "the server is busy, or ends: ask again\n".into());
        reply.field("Retry-After", "1");
        reply
    }

    /// A file, or a part of it, that follows the head.
    pub(super) fn file(kind: &str, version: &Version, part: Option<&Range<u64>>) -> Self {
        let octets = part.map_or(version.size, |part| part.end - part.start);
        let status = if part.is_some() { 206 } else { 200 };
        let mut reply = Self { status, fields: String::new(), length: Some(octets), text: String::new() };
        reply.field("Content-Type", kind);
        if let Some(part) = part {
            let last = part.end.saturating_sub(1);
            reply.field("Content-Range", &format!("bytes {}-{last}/{}", part.start, version.size));
        }
        reply.validators(version);
        reply.field("Accept-Ranges", "bytes");
        reply
    }

    /// The client has it already.
    pub(super) fn not_modified(version: &Version) -> Self {
        let mut reply = Self { status: 304, fields: String::new(), length: None, text: String::new() };
        reply.validators(version);
        reply
    }

    /// The file does not reach as far as is asked for (RFC 9110 15.5.17).
    pub(super) fn out_of_reach(version: &Version) -> Self {
        let mut reply = Self::text(416, format!("the file has {} octets\n", version.size));
        reply.field("Content-Range", &format!("bytes */{}", version.size));
        reply
    }

    /// Its octets: the head, and the text if there is one. `date` is now.
    pub(super) fn written(&self, date: &str, manner: Manner) -> Vec<u8> {
        let Manner { headless, closes, is_old } = manner;
        let mut head = format!("HTTP/1.1 {} {}\r\nDate: {date}\r\n", self.status, reason(self.status));
        if let Some(length) = self.length {
            let _ = write!(head, "Content-Length: {length}\r\n");
        }
        head.push_str(&self.fields);
        match (closes, is_old) {
            (true, _) => head.push_str("Connection: close\r\n"),
            (false, true) => head.push_str("Connection: keep-alive\r\n"),
            (false, false) => {}
        }
        head.push_str("\r\n");
        if !headless {
            head.push_str(&self.text);
        }
        head.into_bytes()
    }

    fn of(status: u16, kind: &str, text: String) -> Self {
        let mut reply = Self { status, fields: String::new(), length: Some(text.len() as u64), text };
        reply.field("Content-Type", kind);
        reply
    }

    fn validators(&mut self, version: &Version) {
        self.field("Last-Modified", &calendar::written(version.modified));
        self.field("ETag", &version.tag);
    }

    fn field(&mut self, name: &str, value: &str) {
        debug_assert!(!value.is_empty() && !value.contains(['\r', '\n']), "{name} has no such value");
        let _ = write!(self.fields, "{name}: {value}\r\n");
    }
}

/// UEFI tells a boot program from a disk image by this, or else by the name (UEFI 2.10, 24.7.2): EDK2 by `.efi` as it stands there, and what is neither it does not find.
/// `starts`: firmware is told to start it, so that it is a program whatever it is called.
pub(super) fn content_type(path: &str, starts: bool) -> &'static str {
    let suffix = path.rsplit_once('.').map(|(_, suffix)| suffix).unwrap_or_default();
    let is = |known: &str| suffix.eq_ignore_ascii_case(known);
    match () {
        () if is("iso") => "application/vnd.efi-iso",
        () if is("img") => "application/vnd.efi-img",
        () if is("efi") || starts => "application/efi",
        () => "application/octet-stream",
    }
}

/// Words for people (RFC 9110 15).
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Answer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heorot_core::transfer::ImageIdentity;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const KEPT: Manner = Manner { headless: false, closes: false, is_old: false };

    fn written(reply: &Reply, manner: Manner) -> String {
        String::from_utf8(reply.written(DATE, manner)).unwrap()
    }

    fn version() -> Version {
        Version::of(&ImageIdentity { file: 1, size: 1000, modified: 5_000_000_000 }, 100)
    }

    #[test]
    fn a_file_is_told_with_its_length_and_its_version() {
        let reply = Reply::file(content_type("a/boot.efi", false), &version(), None);
        let expected = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 1000\r\n\
            Content-Type: application/efi\r\nLast-Modified: Thu, 01 Jan 1970 00:00:05 GMT\r\n\
            ETag: \"1-3e8-12a05f200\"\r\nAccept-Ranges: bytes\r\n\r\n";
        assert_eq!(written(&reply, KEPT), expected);
        let part = written(&Reply::file(content_type("kernel", false), &version(), Some(&(990..1000))), KEPT);
        assert!(
            part.contains("206 Partial Content\r\n") && part.contains("Content-Length: 10\r\n"),
            "{part}"
        );
        assert!(part.contains("Content-Range: bytes 990-999/1000\r\n"), "{part}");
    }

    /// UEFI 2.10, 24.7.2.
    #[test]
    fn firmware_is_told_what_it_starts() {
        for (path, starts, expected) in [
            ("a/boot.efi", false, "efi"),
            ("EFI/BOOT/BOOTX64.EFI", false, "efi"),
            ("shimx64.efi.signed", true, "efi"),
            ("node", true, "efi"),
            ("images.efi/node", true, "efi"),
            ("rescue.iso", true, "vnd.efi-iso"),
            ("disk.IMG", true, "vnd.efi-img"),
            ("initrd.img", false, "vnd.efi-img"),
            ("vmlinuz-6.1", false, "octet-stream"),
            ("efi", false, "octet-stream"),
        ] {
            assert_eq!(content_type(path, starts), format!("application/{expected}"), "{path}");
        }
    }

    #[test]
    fn head_is_get_without_its_body() {
        for reply in [Reply::text(200, "#!ipxe\n".into()), Reply::json(404, "{}".into()), Reply::busy()] {
            let whole = written(&reply, KEPT);
            let head = written(&reply, Manner { headless: true, ..KEPT });
            assert_eq!(whole, format!("{head}{}", reply.text));
            assert!(head.contains(&format!("Content-Length: {}\r\n", reply.text.len())), "{head}");
        }
    }

    #[test]
    fn what_is_said_of_the_connection() {
        for (closes, is_old, expected) in [
            (false, false, None),
            (false, true, Some("keep-alive")),
            (true, false, Some("close")),
            (true, true, Some("close")),
        ] {
            let text = written(&Reply::busy(), Manner { headless: false, closes, is_old });
            let said = text.lines().find_map(|line| line.strip_prefix("Connection: "));
            assert_eq!(said, expected, "{text}");
        }
    }

    /// RFC 9110 15.4.5, 15.5.17.
    #[test]
    fn answers_without_the_file() {
        let text = written(&Reply::not_modified(&version()), KEPT);
        assert!(
            text.contains("ETag: ") && !text.contains("Content-") && text.ends_with("\r\n\r\n"),
            "{text}"
        );
        let text = written(&Reply::out_of_reach(&version()), KEPT);
        assert!(text.contains("Content-Range: bytes */1000\r\n"), "{text}");
        let refusal = Refusal { status: 405, why: "no" };
        assert!(written(&Reply::refusal(refusal), KEPT).contains("Allow: GET, HEAD, POST\r\n"));
    }
}
