//! The conversation with the server about this node: `GET` what it is, `POST /trial` how it did, `POST /up`.

use crate::checks::{Check, Outcome};
use crate::facts::Facts;
use crate::http::{self, Url};
use crate::root::Root;
use crate::{client, say};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

/// What the server says this machine is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Node {
    /// A word of the node's life, such as `testing` or `ready`.
    pub state: String,
    /// What has to hold for it to be numbered.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// Its root, if it is not to stay in its initial RAM disk.
    #[serde(default)]
    pub root: Option<Root>,
    /// Whether it gets small files that its users may read.
    #[serde(default)]
    pub overlay: bool,
    /// Whether it gets some that they may not.
    #[serde(default)]
    pub secrets: bool,
    /// Whether the checks are to be made; usually its state tells.
    #[serde(default, rename = "try")]
    pub is_to_be_tried: Option<bool>,
    /// When to ask again.
    #[serde(default)]
    pub again_seconds: Option<u64>,
    /// What it is from now on, if that is decided.
    #[serde(flatten)]
    pub identity: Identity,
}

/// What a numbered node is called and where it lives; all absent for one that is not numbered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// Its number.
    #[serde(default)]
    pub number: Option<u32>,
    /// Its name, without a domain.
    #[serde(default)]
    pub name: Option<String>,
    /// Its address for good.
    #[serde(default)]
    pub address: Option<Ipv4Addr>,
}

/// How the trial went.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether all checks passed.
    pub passed: bool,
    /// Each check's outcome.
    pub checks: Vec<Outcome>,
    /// What this machine is made of.
    pub facts: Facts,
}

/// What the server makes of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Verdict {
    /// What the node is now.
    #[serde(flatten)]
    pub identity: Identity,
    /// Whether to start anew instead of changing the address.
    #[serde(default)]
    pub reboot: bool,
    /// When to ask again, for a machine that has no number yet.
    #[serde(default)]
    pub again_seconds: Option<u64>,
}

impl Node {
    /// Whether a trial decides what becomes of this machine.
    #[must_use]
    pub fn on_trial(&self) -> bool {
        let by_state = matches!(self.state.as_str(), "seen" | "temporary" | "testing" | "failed");
        self.is_to_be_tried.unwrap_or(by_state)
    }

    /// Whether it has a number and may work under it. One that an operator holds or has retired may not.
    #[must_use]
    pub fn may_go_up(&self) -> bool {
        self.identity.number.is_some() && matches!(self.state.as_str(), "ready" | "booting" | "up" | "down")
    }
}

/// Asks what this machine is.
///
/// # Errors
/// In words, as from [`post_up`].
pub fn get(url: &Url) -> Result<Node, String> {
    let body = ask_until_answered(url, None)?;
    serde_json::from_slice(&body).map_err(|error| format!("{url} answered what is not understood: {error}"))
}

/// Asks a server where this machine is to talk about itself: by its address it is known there.
///
/// # Errors
/// In words, as from [`post_up`].
pub fn get_url(server: &Url) -> Result<Url, String> {
    #[derive(Deserialize)]
    struct Told {
        url: String,
    }
    let asked = server.join("/node");
    let body = ask_until_answered(&asked, None)?;
    let told: Result<Told, _> = serde_json::from_slice(&body);
    let url = told.ok().and_then(|told| told.url.parse().ok());
    url.ok_or_else(|| format!("{asked} answered what is not understood"))
}

/// Fetches the names of all nodes: the text of the system's names file. A server that has none is not asked again.
///
/// # Errors
/// In words, when the server has been silent for ten minutes, or has refused.
pub fn get_names(url: &Url) -> Result<String, String> {
    let url = url.join("/names");
    let body = ask_until_answered_or(&url, None, Duration::ZERO)?;
    String::from_utf8(body).map_err(|_| format!("{url} answered what is no text"))
}

/// Fetches the small files of this node that its users may read: an archive.
///
/// # Errors
/// In words, as from [`post_up`].
pub fn get_overlay(url: &Url) -> Result<Vec<u8>, String> {
    ask_until_answered(&url.join("/overlay"), None)
}

/// Fetches the others. They are given once, so that a refusal is final.
///
/// # Errors
/// In words.
pub fn get_secrets(url: &Url) -> Result<Vec<u8>, String> {
    ask_until_answered_or(&url.join("/secrets"), Some(b"{}"), Duration::ZERO)
}

/// Tells how the trial went. The server answers the same again if it is told twice.
///
/// # Errors
/// In words, as from [`post_up`].
pub fn post_trial(url: &Url, report: &Report) -> Result<Verdict, String> {
    let url = url.join("/trial");
    let body = serde_json::to_vec(report).map_err(|error| format!("a report that is no JSON: {error}"))?;
    let answer = ask_until_answered(&url, Some(&body))?;
    serde_json::from_slice(&answer).map_err(|error| format!("{url} answered what is not understood: {error}"))
}

/// Tells that the system runs; with `checks_in`, that this will be told now and then: how often the server wants that, if it does.
///
/// # Errors
/// In words, when the server has been silent for ten minutes, or has refused for one.
pub fn post_up(url: &Url, checks_in: bool) -> Result<Option<Duration>, String> {
    let answer = ask_until_answered(&url.join("/up"), Some(up(checks_in).as_bytes()))?;
    Ok(wanted_interval(&answer))
}

/// The same once, without patience: the next one comes soon.
///
/// # Errors
/// In words.
pub fn check_in(url: &Url) -> Result<Option<Duration>, String> {
    let answer =
        http::request(&url.join("/up"), Some(up(true).as_bytes())).map_err(|error| error.to_string())?;
    if (200..300).contains(&answer.status) {
        return Ok(wanted_interval(&answer.body));
    }
    Err(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)))
}

/// Tells once that the system runs, and that nothing more is to be heard of that.
///
/// # Errors
/// In words.
pub fn post_up_once(url: &Url) -> Result<(), String> {
    http::request(&url.join("/up"), Some(up(false).as_bytes())).map(|_| ()).map_err(|error| error.to_string())
}

fn up(checks_in: bool) -> String {
    serde_json::json!({ "checks_in": checks_in }).to_string()
}

fn wanted_interval(answer: &[u8]) -> Option<Duration> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    answer["check_in_seconds"].as_u64().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

/// Tells that the system ends, and why; or how the one before ended. Once, for a system that ends does not wait.
///
/// # Errors
/// In words.
pub fn post_down(url: &Url, reason: &str, last_words: &str) -> Result<(), String> {
    let body = serde_json::json!({ "reason": reason, "last_words": last_words }).to_string();
    let answer =
        http::request(&url.join("/down"), Some(body.as_bytes())).map_err(|error| error.to_string())?;
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(answer.status.to_string()) }
}

/// Tells what went wrong, once: whoever hears it can do something before this machine starts anew. A server that does not hear it is no
/// further trouble.
pub fn post_trouble(url: &Url, trouble: &str) {
    let body = serde_json::json!({ "reason": trouble }).to_string();
    let _ = http::request(&url.join("/trouble"), Some(body.as_bytes()));
}

/// Repeats a request until it is answered with success: the server may be starting again just now.
fn ask_until_answered(url: &Url, body: Option<&[u8]>) -> Result<Vec<u8>, String> {
    ask_until_answered_or(url, body, REFUSED_PATIENCE)
}

/// The same with so much patience for a server that refuses.
fn ask_until_answered_or(
    url: &Url,
    body: Option<&[u8]>,
    refused_patience: Duration,
) -> Result<Vec<u8>, String> {
    let start = Instant::now();
    let mut wait = FIRST_WAIT;
    loop {
        let (trouble, patience) = match http::request(url, body) {
            Ok(answer) if (200..300).contains(&answer.status) => return Ok(answer.body),
            Ok(answer) => {
                let text = String::from_utf8_lossy(&answer.body);
                let text: String = text.chars().filter(|letter| !letter.is_control()).take(200).collect();
                let patience = if answer.status < 500 { refused_patience } else { SILENCE_PATIENCE };
                (format!("{} {text}", answer.status), patience)
            }
            Err(error) => (error.to_string(), SILENCE_PATIENCE),
        };
        if start.elapsed() >= patience {
            return Err(format!("{url}: {trouble}"));
        }
        say!("{url}: {trouble}; asking again");
        thread::sleep(client::scattered(wait));
        wait = (wait * 2).min(LAST_WAIT);
    }
}

const FIRST_WAIT: Duration = Duration::from_millis(250);
const LAST_WAIT: Duration = Duration::from_secs(8);
/// A server that does not answer is being repaired.
const SILENCE_PATIENCE: Duration = Duration::from_secs(600);
/// A server that refuses means it, but its clock of our boot may lag behind ours.
const REFUSED_PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_is_understood() {
        let cases = [
            (r#"{"state":"testing","checks":[],"number":null,"name":null,"address":null}"#, true, false),
            (r#"{"state":"failed"}"#, true, false),
            (
                r#"{"state":"ready","number":23,"name":"node23","address":"10.77.1.23","later":1}"#,
                false,
                true,
            ),
            (r#"{"state":"booting","number":23,"name":"node23","address":"10.77.1.23"}"#, false, true),
            (r#"{"state":"held","number":23,"name":"node23","address":"10.77.1.23"}"#, false, false),
            (r#"{"state":"denied"}"#, false, false),
            // The server says who is tried, and when.
            (r#"{"state":"failed","try":false,"again_seconds":20}"#, false, false),
            (r#"{"state":"temporary","try":false}"#, false, false),
            (
                r#"{"state":"booting","number":23,"name":"node23","address":"10.77.1.23","try":true}"#,
                true,
                true,
            ),
        ];
        for (json, on_trial, may_go_up) in cases {
            let node: Node = serde_json::from_str(json).expect(json);
            assert_eq!((node.on_trial(), node.may_go_up()), (on_trial, may_go_up), "{json}");
        }
    }

    #[test]
    fn a_verdict_may_leave_out_what_is_not_decided() {
        let verdict: Verdict = serde_json::from_str(r#"{"number":null,"reboot":false}"#).expect("a verdict");
        assert_eq!(verdict, Verdict::default());
        let verdict: Verdict =
            serde_json::from_str(r#"{"number":0,"name":"node0","address":"10.77.1.0","reboot":true}"#)
                .expect("a verdict");
        assert_eq!((verdict.identity.address, verdict.reboot), (Some(Ipv4Addr::new(10, 77, 1, 0)), true));
    }
}
