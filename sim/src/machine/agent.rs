//! What runs on a machine when its image is loaded: heorot-agent, as agent/src has it.
//!
//! ```text
//! DHCP ──> GET ──────────────────────────────> it has a number ──> DHCP for the new address, RELEASE of the old ──> POST /up ──> up
//!           │ ^        on trial                     ^
//!           │ └── 30 s, no number yet <──┐          │
//!           └──> POST /trial ────────────┴──────────┘
//! ```

use super::dhcp::{self, Conversation, Lease};
use super::enquiry::Enquiry;
use super::kind::{AGENT_ASKER, MOVING_AGENT_ASKER};
use super::message::{Ask, Output, Told};
use super::plan::Url;
use crate::chance::Chance;
use crate::frame::Frame;
use heorot_core::mac::Mac;
use heorot_core::time::Time;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::Duration;

/// The agent of one machine.
#[derive(Debug)]
pub(super) struct Agent {
    mac: Mac,
    url: Url,
    lease: Option<Lease>,
    /// It has passed its trial: it does not run it again.
    passed: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It asks for an address; the next if it has one.
    Addressing(Box<Conversation>),
    /// It talks with the server.
    Asking(About, Enquiry),
    /// It has no number yet, and will ask again.
    Waiting(Time),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Itself,
    Trial,
    Up,
}

/// What has become of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes on.
    Goes,
    /// It is up.
    Up,
    /// It starts its machine anew, so long later.
    StartsAnew(Duration),
}

impl Agent {
    /// Begins with DHCP.
    pub(super) fn begin(now: Time, mac: Mac, url: Url, chance: &mut Chance, out: &mut Vec<Output>) -> Self {
        let conversation = Conversation::begin(now, &AGENT_ASKER, mac, chance, out);
        Self { mac, url, lease: None, passed: false, state: State::Addressing(Box::new(conversation)) }
    }

    /// When it wants to be woken.
    pub(super) fn wakeup_at(&self) -> Time {
        match &self.state {
            State::Addressing(conversation) => conversation.wakeup_at(),
            State::Asking(_, enquiry) => enquiry.wakeup_at(),
            State::Waiting(at) => *at,
        }
    }

    /// A frame came.
    pub(super) fn frame(
        &mut self,
        now: Time,
        frame: &Frame,
        chance: &mut Chance,
        out: &mut Vec<Output>,
    ) -> Step {
        let State::Addressing(conversation) = &mut self.state else { return Step::Goes };
        let step = conversation.frame(now, frame, chance, out);
        self.addressed(now, step, chance, out)
    }

    /// Its moment has come.
    pub(super) fn wakeup(&mut self, now: Time, chance: &mut Chance, out: &mut Vec<Output>) -> Step {
        match &mut self.state {
            State::Addressing(conversation) => {
                let step = conversation.wakeup(now, chance, out);
                self.addressed(now, step, chance, out)
            }
            State::Asking(_, enquiry) => {
                if enquiry.wakeup(now, out) {
                    Step::Goes
                } else {
                    Step::StartsAnew(REBOOT_WAIT)
                }
            }
            State::Waiting(_) => {
                self.ask(now, About::Itself, None, out);
                Step::Goes
            }
        }
    }

    /// The server answered.
    pub(super) fn answer(
        &mut self,
        now: Time,
        status: u16,
        body: &str,
        chance: &mut Chance,
        out: &mut Vec<Output>,
    ) -> Step {
        let State::Asking(about, enquiry) = &mut self.state else { return Step::Goes };
        if !(200..300).contains(&status) {
            enquiry.refused(now, status, chance);
            return Step::Goes;
        }
        let Ok(body) = serde_json::from_str::<Value>(body) else { return Step::StartsAnew(REBOOT_WAIT) };
        let is_to_this = match about {
            About::Itself => body.get("checks").is_some(),
            About::Trial => body.get("reboot").is_some(),
            About::Up => body.get("checks").is_none() && body.get("reboot").is_none(),
        };
        match about {
            // The answer to a question that was asked twice.
            _ if !is_to_this => Step::Goes,
            About::Itself => self.is_told(now, &body, chance, out),
            About::Trial if body["reboot"] == true => Step::StartsAnew(Duration::ZERO),
            About::Trial => self.is_numbered(now, &body, chance, out),
            About::Up => {
                out.push(Output::Told(Told::Up));
                Step::Up
            }
        }
    }

    /// What it is, and what it shall check.
    fn is_told(&mut self, now: Time, body: &Value, chance: &mut Chance, out: &mut Vec<Output>) -> Step {
        let state = body["state"].as_str().unwrap_or_default();
        if body["number"].is_u64() && matches!(state, "ready" | "booting" | "up" | "down") {
            return self.is_numbered(now, body, chance, out);
        }
        if self.passed || !matches!(state, "seen" | "temporary" | "testing" | "failed") {
            return self.wait(now);
        }
        self.passed = true;
        let wanted = body["checks"].as_array().into_iter().flatten();
        let checks: Vec<_> = wanted
            .map(|check| json!({ "name": check["name"], "passed": true, "detail": "simulated" }))
            .collect();
        let interfaces = json!([{ "name": "eth0", "mac": self.mac.to_string() }]);
        let facts = json!({ "processors": 1, "interfaces": interfaces });
        let report = json!({ "passed": true, "checks": checks, "facts": facts });
        self.ask(now, About::Trial, Some(report.to_string()), out);
        Step::Goes
    }

    /// It has a number, and with it an address; or not yet.
    fn is_numbered(&mut self, now: Time, body: &Value, chance: &mut Chance, out: &mut Vec<Output>) -> Step {
        let number = body["number"].as_u64().and_then(|number| u32::try_from(number).ok());
        let address = body["address"].as_str().and_then(|text| text.parse::<Ipv4Addr>().ok());
        let (Some(number), Some(address)) = (number, address) else { return self.wait(now) };
        out.push(Output::Told(Told::Number(number)));
        if self.lease.as_ref().is_some_and(|lease| lease.address == address) {
            self.ask(now, About::Up, Some("{}".into()), out);
        } else {
            let conversation = Conversation::begin(now, &MOVING_AGENT_ASKER, self.mac, chance, out);
            self.state = State::Addressing(Box::new(conversation));
        }
        Step::Goes
    }

    /// It may have an address, its first or the one that its number brings.
    fn addressed(&mut self, now: Time, step: dhcp::Step, chance: &mut Chance, out: &mut Vec<Output>) -> Step {
        let lease = match step {
            dhcp::Step::Goes => return Step::Goes,
            dhcp::Step::GaveUp(_) => return Step::StartsAnew(REBOOT_WAIT),
            dhcp::Step::Has(lease) => *lease,
        };
        let old = self.lease.replace(lease.clone());
        if old.as_ref().is_none_or(|old| old.address != lease.address) {
            out.push(Output::Told(Told::Address(lease.address)));
        }
        match old {
            None => self.ask(now, About::Itself, None, out),
            Some(old) => {
                if old.address != lease.address {
                    out.push(Output::Send(dhcp::release(self.mac, &old, chance)));
                }
                self.ask(now, About::Up, Some("{}".into()), out);
            }
        }
        Step::Goes
    }

    fn wait(&mut self, now: Time) -> Step {
        self.state = State::Waiting(now + ASK_AGAIN);
        Step::Goes
    }

    fn ask(&mut self, now: Time, about: About, body: Option<String>, out: &mut Vec<Output>) {
        let from = self.lease.as_ref().map_or(Ipv4Addr::UNSPECIFIED, |lease| lease.address);
        let below = match about {
            About::Itself => "",
            About::Trial => "/trial",
            About::Up => "/up",
        };
        let path = format!("{}{below}", self.url.path);
        let ask = Ask { from, to: self.url.server, path, body };
        self.state = State::Asking(about, Enquiry::begin(now, ask, SILENCE_PATIENCE, out));
    }
}

/// As in agent/src/main.rs, and the next two.
const ASK_AGAIN: Duration = Duration::from_secs(30);
const REBOOT_WAIT: Duration = Duration::from_secs(30);
const SILENCE_PATIENCE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
