//! What operators ask, on the control socket: `/v1/`.

use super::{NoAnswer, Site, answer, json, text};
use crate::ask::Ask;
use crate::overlay::{Shown, Unshown};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use heorot_core::limit::POST_OCTETS_MAX;
use heorot_core::message::{Answer, Measured, Query, Unwritten, Verb};
use heorot_core::service::view::{ChangeRequest, ErrorView};
use heorot_names::export::Export;

/// The export that is no part of the table of nodes: keys are made from the server's secret.
pub(crate) const KNOWN_HOSTS: &str = "known-hosts";

pub(super) fn router(site: Site) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/nodes", get(nodes))
        .route("/v1/nodes/{node}", get(node).post(change))
        .route("/v1/nodes/{node}/explain", get(explain))
        .route("/v1/nodes/{node}/files", get(files))
        .route("/v1/nodeset", get(node_set))
        .route("/v1/groups", get(groups))
        .route("/v1/export/{form}", get(export))
        .fallback(missing)
        .method_not_allowed_fallback(not_so)
        .with_state(site)
}

async fn status(State(site): State<Site>) -> Response {
    ask(&site, Query::Status(Measured::default())).await
}

async fn nodes(State(site): State<Site>, RawQuery(query): RawQuery) -> Response {
    let value = |key| query.as_deref().and_then(|query| text::query_value(query, key));
    ask(&site, Query::Nodes { set: value("set"), without: value("without") }).await
}

async fn node_set(State(site): State<Site>, RawQuery(query): RawQuery) -> Response {
    let value = |key| query.as_deref().and_then(|query| text::query_value(query, key));
    ask(&site, Query::NodeSet { set: value("set").unwrap_or_default(), without: value("without") }).await
}

async fn groups(State(site): State<Site>) -> Response {
    ask(&site, Query::Groups).await
}

async fn export(State(site): State<Site>, Path(form): Path<String>) -> Response {
    if form == KNOWN_HOSTS {
        return known_hosts(site).await;
    }
    let Some(export) = Export::named(&form) else {
        let forms: Vec<_> = Export::NAMED.iter().map(|(name, _)| *name).chain([KNOWN_HOSTS]).collect();
        return error(404, &format!("there is no such form: {}", forms.join(", ")));
    };
    ask(&site, Query::Export(export)).await
}

async fn node(State(site): State<Site>, Path(node): Path<String>) -> Response {
    ask(&site, Query::Node(node)).await
}

/// The verbs stand where nodes do: a POST to one of them changes nodes, which are named in its body.
async fn change(State(site): State<Site>, Path(verb): Path<String>, octets: Bytes) -> Response {
    let Some((_, verb)) = Verb::NAMED.into_iter().find(|(name, _)| *name == verb) else {
        let verbs: Vec<_> = Verb::NAMED.iter().map(|(name, _)| *name).collect();
        return error(404, &format!("there is no such verb: {}", verbs.join(", ")));
    };
    match serde_json::from_slice::<ChangeRequest>(&octets) {
        Ok(request) => ask(&site, Query::Change(verb, Box::new(request))).await,
        Err(e) => error(400, &format!("not a change of nodes: {e}")),
    }
}

async fn explain(State(site): State<Site>, Path(node): Path<String>) -> Response {
    ask(&site, Query::Explain(node)).await
}

/// The small files of a node, as they are made now; with `path`, what is in one of them.
async fn files(State(site): State<Site>, Path(node): Path<String>, RawQuery(query): RawQuery) -> Response {
    let path = query.as_deref().and_then(|query| text::query_value(query, "path"));
    let wanted = match answer(&site, |reply| Ask::Operator { query: Query::Files(node), reply }).await {
        Ok(Answer::Files(wanted)) => wanted,
        other => return told(other),
    };
    // It reads files, and this thread has others to answer.
    let made = tokio::task::spawn_blocking(move || site.overlays.shown(&wanted, path.as_deref())).await;
    match made {
        Ok(Ok(Shown::List(view))) => json(200, view),
        Ok(Ok(Shown::Content(octets))) => octets.into_response(),
        Ok(Err(Unshown::Missing(why))) => error(404, &why),
        Ok(Err(Unshown::Refused(why))) => error(403, &why),
        Ok(Err(Unshown::Wrong(why))) => error(500, &why),
        Err(_) => error(500, "the files could not be made"),
    }
}

/// The SSH host keys of all nodes, for who logs in there.
async fn known_hosts(site: Site) -> Response {
    let of = match answer(&site, |reply| Ask::Operator { query: Query::HostKeys, reply }).await {
        Ok(Answer::HostKeys(of)) => of,
        other => return told(other),
    };
    match tokio::task::spawn_blocking(move || site.overlays.all_known_hosts(&of)).await {
        Ok(Ok(text)) => text.into_response(),
        Ok(Err(why)) => error(400, &why),
        Err(_) => error(500, "the keys could not be made"),
    }
}

/// A body is longer than any question (RFC 9110 15.5.14).
pub(super) fn too_long() -> Response {
    error(413, &format!("at most {POST_OCTETS_MAX} octets"))
}

async fn missing() -> Response {
    error(
        404,
        "there is no such resource: /v1/status, /v1/nodes, /v1/nodes/NODE, /v1/nodes/NODE/explain, /v1/nodes/NODE/files, /v1/nodeset, /v1/groups, /v1/export/FORM; POST /v1/nodes/VERB",
    )
}

/// It is known, and not asked in this way; `Allow` says how (RFC 9110 15.5.6).
async fn not_so() -> Response {
    error(405, "GET asks, and POST /v1/nodes/VERB changes: deny, accept and the like")
}

/// A long answer comes in parts, of which each is asked for when the last one is there: so no turn of the loop has to make it whole.
async fn ask(site: &Site, query: Query) -> Response {
    let (mut parts, mut query) = (String::new(), query);
    loop {
        match answer(site, |reply| Ask::Operator { query, reply }).await {
            Ok(Answer::Part(text, rest)) => {
                parts.push_str(&text);
                query = Query::More(rest);
            }
            Ok(Answer::Json(200, text)) => return json(200, parts + &text),
            Ok(Answer::Unwritten(unwritten)) => return write(*unwritten).await,
            other => return told(other),
        }
    }
}

/// What is to be written takes its time: this thread has others to answer.
async fn write(unwritten: Unwritten) -> Response {
    match tokio::task::spawn_blocking(move || unwritten.write()).await {
        Ok(Answer::Text(text)) => text.into_response(),
        Ok(other) => told(Ok(other)),
        Err(_) => error(500, "the text could not be written"),
    }
}

fn told(answer: Result<Answer, NoAnswer>) -> Response {
    match answer {
        Ok(Answer::Json(status, text)) => json(status, text),
        Ok(Answer::Missing(why)) => error(404, &why),
        Ok(Answer::Refused(why)) => error(403, &why),
        Ok(Answer::Files(_) | Answer::HostKeys(_) | Answer::Part(..) | Answer::Unwritten(_)) => {
            error(500, "the answer is no JSON")
        }
        Ok(Answer::Text(text) | Answer::File(text) | Answer::FirstOf([text, _])) => {
            error(500, &format!("the answer is no JSON: {text}"))
        }
        Err(NoAnswer::Busy) => {
            error(503, "the server has more questions than it can take, or is ending: ask again")
        }
        Err(NoAnswer::Late) => error(504, "the server did not answer in time"),
    }
}

fn error(status: u16, text: &str) -> Response {
    let view = ErrorView { error: text.into() };
    json(status, serde_json::to_string(&view).expect("a text is JSON"))
}
