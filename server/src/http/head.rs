//! What is asked: the head of a request (RFC 9112 2 to 6), understood whole or refused.
//!
//! Whatever leaves it open where the next request begins ends the connection: a client that means one thing where we read another gets nothing.

use super::text;
use heorot_core::limit::{HTTP_HEAD_OCTETS_MAX, HTTP_HEADERS_MAX, POST_OCTETS_MAX};
use httparse::{EMPTY_HEADER, Header, Status};

/// A request, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: Method,
    /// Percent-decoded, with its leading slash, without query.
    pub(super) path: String,
    /// Whether it is HTTP/1.0: such a client is told that its connection stays.
    pub(super) is_old: bool,
    /// Whether another request may follow on this connection.
    pub(super) keeps: bool,
    /// Octets of the body that follows.
    pub(super) body_octets: usize,
    /// Whether it waits to be told to send the body.
    pub(super) expects_leave: bool,
    pub(super) conditions: Conditions,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    Post,
}

/// Under which conditions, and what of it (RFC 9110 13 and 14). As they came; several fields of a name are one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) matches: Option<String>,
    pub(super) matches_none: Option<String>,
    pub(super) modified_since: Option<String>,
    pub(super) unmodified_since: Option<String>,
    pub(super) range: Option<String>,
    pub(super) range_if: Option<String>,
}

/// Why a request is not answered, and by which status. The connection ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) why: &'static str,
}

const fn refusal(status: u16, why: &'static str) -> Refusal {
    Refusal { status, why }
}

/// Reads a head from what has come so far: it, and its length. None: it is not yet whole.
pub(super) fn read(octets: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let mut headers = [EMPTY_HEADER; HTTP_HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let known = octets.get(..HTTP_HEAD_OCTETS_MAX).unwrap_or(octets);
    let length = match request.parse(known) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if known.len() < HTTP_HEAD_OCTETS_MAX => return Ok(None),
        // RFC 9112 3, RFC 6585 5.
        Ok(Status::Partial) if !known.contains(&b'\n') => return Err(refusal(414, "the path is too long")),
        Ok(Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return Err(refusal(431, "there is more before the body than any client needs"));
        }
        Err(httparse::Error::Version) => return of_another_version(known),
        Err(
            httparse::Error::HeaderName
            | httparse::Error::HeaderValue
            | httparse::Error::NewLine
            | httparse::Error::Status
            | httparse::Error::Token,
        ) => return Err(refusal(400, "this is no request of HTTP/1.1")),
    };
    understood(&request).map(|head| Some((head, length)))
}

/// Reads a head whose first line does not end in the version 1.1 or 1.0.
fn of_another_version(octets: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let Some(end) = octets.iter().position(|octet| *octet == b'\n') else {
        // What stands before its end may be part of a path with blanks.
        return if octets.len() < HTTP_HEAD_OCTETS_MAX {
            Ok(None)
        } else {
            Err(refusal(414, "the path is too long"))
        };
    };
    let line = octets[..end].trim_ascii_end();
    let words = line.split(|octet| *octet == b' ').count();
    match line.rsplit(|octet| *octet == b' ').next() {
        // RFC 9110 2.5: of a higher minor version it is taken as of the highest that we know.
        Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9']) if words == 3 => {
            let mut known = octets.to_vec();
            known[line.len() - 1] = b'1';
            read(&known)
        }
        Some(version) if words == 3 && version.starts_with(b"HTTP/") => {
            Err(refusal(505, "only HTTP/1.1 and HTTP/1.0 are spoken here"))
        }
        // RFC 9112 3: an invalid request line.
        Some(_) | None => Err(refusal(400, "a blank in a path is written %20")),
    }
}

fn understood(request: &httparse::Request<'_, '_>) -> Result<Head, Refusal> {
    let is_old = request.version == Some(0);
    let headers = &*request.headers;
    // RFC 9112 3.2: exactly one, and of old clients at most one; what cannot be one is refused with 400 too.
    let mut hosts = all(headers, "host");
    let is_missing = hosts.next().is_none() && !is_old;
    if is_missing || hosts.next().is_some() {
        return Err(refusal(400, "a request names one host"));
    }
    if !all(headers, "host").all(is_host) {
        return Err(refusal(400, "a host is a name or an address, and maybe a port"));
    }
    let body_octets = body_octets(headers)?;
    let method = match request.method.unwrap_or_default() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" | "DELETE" | "OPTIONS" | "PATCH" | "TRACE" | "CONNECT" => {
            return Err(refusal(405, "only GET, HEAD and POST are possible here"));
        }
        _ => return Err(refusal(501, "nobody here knows this method")),
    };
    let connection = joined(headers, "connection").unwrap_or_default().to_ascii_lowercase();
    let says = |word: &str| connection.split(',').any(|part| part.trim() == word);
    Ok(Head {
        method,
        path: path(request.path.unwrap_or_default())?,
        is_old,
        // RFC 9112 9.3
        keeps: !says("close") && (!is_old || says("keep-alive")),
        body_octets,
        // RFC 9110 10.1.1: of an old client it is ignored.
        expects_leave: !is_old && expects_leave(headers)?,
        conditions: Conditions {
            matches: joined(headers, "if-match"),
            matches_none: joined(headers, "if-none-match"),
            modified_since: joined(headers, "if-modified-since"),
            unmodified_since: joined(headers, "if-unmodified-since"),
            range: joined(headers, "range"),
            range_if: joined(headers, "if-range"),
        },
    })
}

/// Whether it can be a host and a port (RFC 9112 3.2: else the answer is 400; RFC 3986 3.2.2). It may be empty.
fn is_host(value: &str) -> bool {
    let value = value.trim();
    let (host, port) = match value.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let is_part = |octet: u8| octet.is_ascii_alphanumeric() || b":.%-_~".contains(&octet);
            (address.bytes().all(is_part), rest.strip_prefix(':').unwrap_or(rest))
        }
        None => {
            let (name, port) = value.split_once(':').unwrap_or((value, ""));
            let is_part = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&octet);
            (name.bytes().all(is_part), port)
        }
    };
    host && port.bytes().all(|octet| octet.is_ascii_digit())
}

/// How much follows (RFC 9112 6).
fn body_octets(headers: &[Header<'_>]) -> Result<usize, Refusal> {
    if all(headers, "transfer-encoding").next().is_some() {
        // 6.3: a server may want the length. Both together are an attempt at being misunderstood.
        return Err(match all(headers, "content-length").next() {
            Some(_) => refusal(400, "a body has one length"),
            None => refusal(411, "say how long the body is: Content-Length"),
        });
    }
    let mut lengths = all(headers, "content-length").flat_map(|value| value.split(',')).map(|text| {
        let text = text.trim();
        text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse::<u64>().ok())?
    });
    let Some(first) = lengths.next() else { return Ok(0) };
    let length = first.filter(|first| lengths.all(|other| other == Some(*first)));
    let length = length.ok_or(refusal(400, "a body has one length"))?;
    match usize::try_from(length) {
        Ok(octets) if octets <= POST_OCTETS_MAX => Ok(octets),
        Ok(_) | Err(_) => Err(refusal(413, "the body is longer than any report")),
    }
}

fn expects_leave(headers: &[Header<'_>]) -> Result<bool, Refusal> {
    match joined(headers, "expect") {
        None => Ok(false),
        Some(value) if value.trim().eq_ignore_ascii_case("100-continue") => Ok(true),
        Some(_) => Err(refusal(417, "only 100-continue can be expected here")),
    }
}

/// The path of a target: `/path?query`, or the same with a scheme and a host before it, which is what proxies are sent (RFC 9112 3.2.2).
fn path(target: &str) -> Result<String, Refusal> {
    let after_scheme = ["http://", "https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let path = match after_scheme {
        None => target,
        Some(rest) => rest.find(['/', '?']).map_or("/", |start| &rest[start..]),
    };
    let path = path.split('?').next().unwrap_or_default();
    let path = if path.is_empty() && after_scheme.is_some() { "/" } else { path };
    if !path.starts_with('/') || path.contains('#') {
        return Err(refusal(400, "a path begins with a slash"));
    }
    let path = text::percent_decoded(path)
        .ok_or(refusal(400, "the path is no UTF-8, or has a percent sign without two digits"))?;
    if path.contains('\0') {
        return Err(refusal(400, "no file has a name with a NUL in it"));
    }
    Ok(path)
}

fn all<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a str> {
    let named = headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
    // What is no text is no value that means anything here, and still a value.
    named.map(|header| std::str::from_utf8(header.value).unwrap_or("?"))
}

/// All values of a name, as one list (RFC 9110 5.3).
fn joined(headers: &[Header<'_>], name: &str) -> Option<String> {
    let mut values = all(headers, name);
    let first = values.next()?.to_owned();
    Some(values.fold(first, |list, value| list + ", " + value))
}

#[cfg(test)]
mod tests;
