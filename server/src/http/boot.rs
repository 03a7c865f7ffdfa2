//! What machines ask: boot files, generated files, and their own affairs. What the answer is, the loop says.

use super::file::FileBody;
use super::text::{self, Wanted};
use super::{Connection, NoAnswer, Site, answer};
use crate::ask::Ask;
use crate::images::directory::BootFile;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE, RETRY_AFTER,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use heorot_core::limit::POST_OCTETS_MAX;
use heorot_core::message::{Answer, Via};
use heorot_core::transfer::Refusal;

/// Every path is the loop's affair.
pub(super) fn router(site: Site) -> Router {
    Router::new().fallback(handle).with_state(site)
}

async fn handle(
    State(site): State<Site>,
    Extension(connection): Extension<Connection>,
    request: Request,
) -> Response {
    let Some(path) = text::percent_decoded(request.uri().path()) else {
        return (StatusCode::BAD_REQUEST, "the path is no UTF-8\n").into_response();
    };
    let (parts, body) = request.into_parts();
    let via = match parts.method {
        Method::GET | Method::HEAD => Via::HttpGet,
        Method::POST => match to_bytes(body, POST_OCTETS_MAX).await {
            Ok(octets) => Via::HttpPost(octets.into()),
            Err(_) => {
                return (StatusCode::PAYLOAD_TOO_LARGE, format!("at most {POST_OCTETS_MAX} octets\n"))
                    .into_response();
            }
        },
        _ => return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD, POST")]).into_response(),
    };
    let Connection { peer, local } = connection;
    match answer(&site, |reply| Ask::Machine { from: peer, local, via, path, reply }).await {
        Ok(Answer::Text(text)) => text.into_response(),
        Ok(Answer::Json(status, text)) => json(status, text),
        Ok(Answer::Missing(why)) => (StatusCode::NOT_FOUND, why + "\n").into_response(),
        Ok(Answer::Refused(why)) => (StatusCode::FORBIDDEN, why + "\n").into_response(),
        Ok(Answer::File(path) | Answer::FirstOf([_, path])) => {
            file(&site, connection, path, &parts.headers, &parts.method).await
        }
        Err(NoAnswer::Busy) => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response(),
        Err(NoAnswer::Late) => StatusCode::GATEWAY_TIMEOUT.into_response(),
    }
}

/// A JSON document with its status.
pub(super) fn json(status: u16, text: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/json")], text).into_response()
}

async fn file(
    site: &Site,
    connection: Connection,
    path: String,
    headers: &HeaderMap,
    method: &Method,
) -> Response {
    let directory = site.directory.clone();
    let kind = content_type(&path);
    let name = path.clone();
    let opened = tokio::task::spawn_blocking(move || directory.open_for(connection.peer, &name)).await;
    let refuse = |status: StatusCode, why: String| {
        // The loop hears of it if it has the time: it is for the node's history alone.
        let _ = site.asks.try_say(Ask::Unavailable { from: connection.peer, path, why: why.clone() });
        (status, why + "\n").into_response()
    };
    let file = match opened {
        Ok(Ok(file)) => file,
        Ok(Err(Refusal::Missing(why))) => return refuse(StatusCode::NOT_FOUND, why),
        Ok(Err(Refusal::Denied(why))) => return refuse(StatusCode::FORBIDDEN, why),
        Ok(Err(Refusal::Changed)) | Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let size = file.identity.size;
    let tag = entity_tag(&file);
    let (status, range) = match wanted(headers, &tag, size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            let whole = format!("bytes */{size}");
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, whole)]).into_response();
        }
    };
    let octets = range.end - range.start;
    let content_range = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::new(FileBody::new(site, connection.peer, file, range))
    };
    // Always with its length: firmware takes the file's size from it.
    let headers = [
        (CONTENT_LENGTH, octets.to_string()),
        (CONTENT_TYPE, kind.into()),
        (ETAG, tag),
        (ACCEPT_RANGES, "bytes".into()),
    ];
    let mut response = (status, headers, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        response.headers_mut().extend(content_range.try_into().map(|value| (CONTENT_RANGE, value)));
    }
    response
}

/// What of the file is wanted. A range of another version of it is no range (RFC 9110 13.1.5).
fn wanted(headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let same = headers.get(IF_RANGE).is_none_or(|value| value.as_bytes() == tag.as_bytes());
    let range = headers.get(RANGE).filter(|_| same).and_then(|value| value.to_str().ok());
    range.map_or(Wanted::Whole, |range| text::range(range, size))
}

/// Changes whenever the file does.
fn entity_tag(file: &BootFile) -> String {
    let identity = file.identity;
    format!("\"{:x}-{:x}-{:x}\"", identity.file, identity.size, identity.modified)
}

/// UEFI tells a boot program from a disk image by this, or else by the name (UEFI 2.10, 24.7.2).
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("efi") => "application/efi",
        Some("iso") => "application/vnd.efi-iso",
        _ => "application/octet-stream",
    }
}
