use super::super::dhcp::Lease;
use super::*;
use std::net::SocketAddrV4;

const START: Time = Time::from_nanoseconds(1_000_000_000);
const TEMPORARY: Ipv4Addr = Ipv4Addr::new(10, 77, 200, 1);
const MAC: Mac = Mac([2, 0, 0, 0, 0, 2]);

struct Trial {
    agent: Agent,
    now: Time,
    chance: Chance,
}

impl Trial {
    /// An agent with an address, which has just asked what it is.
    fn begin() -> (Self, Vec<Output>) {
        let server = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), 80);
        let url = Url { server, path: "/node/ab".into() };
        let (mut chance, mut out) = (Chance::new(1), Vec::new());
        let agent = Agent::begin(START, MAC, url, &mut chance, &mut out);
        let mut trial = Self { agent, now: START, chance };
        let out = trial.has(TEMPORARY);
        (trial, out)
    }

    fn has(&mut self, address: Ipv4Addr) -> Vec<Output> {
        let server = Ipv4Addr::new(10, 77, 0, 1);
        let lease = Lease {
            address,
            server,
            server_mac: Mac([2, 0, 0, 0, 0, 1]),
            next_server: server,
            boot_file: None,
        };
        let mut out = Vec::new();
        let step = dhcp::Step::Has(Box::new(lease));
        let step = self.agent.addressed(self.now, step, &mut self.chance, &mut out);
        assert_eq!(step, Step::Goes);
        out
    }

    fn answer(&mut self, status: u16, body: &str) -> (Step, Vec<Output>) {
        let mut out = Vec::new();
        let step = self.agent.answer(self.now, status, body, &mut self.chance, &mut out);
        (step, out)
    }

    fn wake(&mut self) -> (Step, Vec<Output>) {
        self.now = self.agent.wakeup_at();
        let mut out = Vec::new();
        let step = self.agent.wakeup(self.now, &mut self.chance, &mut out);
        (step, out)
    }
}

fn asks(out: &[Output]) -> Vec<(String, Option<String>)> {
    let asks = out.iter().filter_map(|output| match output {
        Output::Ask(ask) => Some((ask.path.clone(), ask.body.clone())),
        Output::Send(_) | Output::Fetch(_) | Output::Told(_) => None,
    });
    asks.collect()
}

const TESTING: &str = r#"{"state":"testing","checks":[{"kind":"memory","name":"RAM"}],"number":null,"name":null,"address":null}"#;
const READY: &str = r#"{"state":"ready","checks":[],"number":23,"name":"node23","address":"10.77.1.23"}"#;
const PASSED: &str = r#"{"state":"ready","number":23,"name":"node23","address":"10.77.1.23","reboot":false}"#;

#[test]
fn a_machine_on_trial_reports_every_check_and_moves() {
    let (mut trial, out) = Trial::begin();
    assert_eq!(asks(&out), [("/node/ab".into(), None)]);
    let (_, out) = trial.answer(200, TESTING);
    let [(path, Some(report))] = &asks(&out)[..] else { panic!("{out:?}") };
    assert_eq!(path, "/node/ab/trial");
    let report: Value = serde_json::from_str(report).unwrap();
    assert_eq!(report["checks"], json!([{ "name": "RAM", "passed": true, "detail": "simulated" }]));
    assert_eq!(
        (&report["passed"], &report["facts"]["interfaces"][0]["mac"]),
        (&json!(true), &json!("02:00:00:00:00:02"))
    );

    // The answer to the first question comes again: it is not the answer to this one.
    assert!(trial.answer(200, TESTING).1.is_empty());
    let (_, out) = trial.answer(200, PASSED);
    assert_eq!(out[0], Output::Told(Told::Number(23)));
    let out = trial.has(Ipv4Addr::new(10, 77, 1, 23));
    let Output::Send(release) = &out[1] else { panic!("{out:?}") };
    assert_eq!((*release.source.ip(), release.to), (TEMPORARY, Mac([2, 0, 0, 0, 0, 1])));
    let [(path, Some(_))] = &asks(&out)[..] else { panic!("{out:?}") };
    assert_eq!(path, "/node/ab/up");
    assert!(trial.answer(200, PASSED).1.is_empty(), "an old answer");
    let (step, out) = trial.answer(200, r#"{"state":"up","number":23}"#);
    assert_eq!((step, out), (Step::Up, vec![Output::Told(Told::Up)]));
}

#[test]
fn a_machine_with_its_address_comes_up_at_once() {
    let (mut trial, _) = Trial::begin();
    let (_, out) = trial.answer(200, &READY.replace("10.77.1.23", "10.77.200.1"));
    assert_eq!(asks(&out), [("/node/ab/up".into(), Some("{}".into()))]);
}

#[test]
fn a_machine_without_a_number_asks_again_and_is_tried_once() {
    let (mut trial, _) = Trial::begin();
    trial.answer(200, TESTING);
    let (_, out) = trial.answer(200, r#"{"number":null,"name":null,"address":null,"reboot":false}"#);
    assert!(out.is_empty());
    let before = trial.now;
    let (_, out) = trial.wake();
    assert_eq!(
        (trial.now.since(before), asks(&out)),
        (Duration::from_secs(30), vec![("/node/ab".into(), None)])
    );
    assert!(trial.answer(200, TESTING).1.is_empty(), "it has passed already");
    trial.wake();
    assert_eq!(trial.answer(200, READY).1[0], Output::Told(Told::Number(23)));
    for state in ["held", "retired", "denied"] {
        let (mut trial, _) = Trial::begin();
        let (step, out) = trial.answer(200, &READY.replace("ready", state));
        assert_eq!((step, out), (Step::Goes, vec![]), "{state}");
    }
}

#[test]
fn a_server_that_is_silent_or_refuses_is_asked_again_until_patience_ends() {
    for (status, patience) in [(None, 600), (Some(503), 600), (Some(404), 60)] {
        let (mut trial, _) = Trial::begin();
        let mut asked = 1;
        let end = loop {
            if let Some(status) = status {
                assert_eq!(trial.answer(status, "no").0, Step::Goes);
            }
            let (step, out) = trial.wake();
            asked += asks(&out).len();
            if step != Step::Goes {
                break step;
            }
        };
        assert_eq!(end, Step::StartsAnew(Duration::from_secs(30)), "{status:?}");
        let seconds = trial.now.since(START).as_secs();
        assert!((patience..patience + 12).contains(&seconds), "{status:?}: {seconds} s");
        assert!(asked > 8, "{status:?}: asked {asked} times");
    }
}

#[test]
fn a_server_that_wants_a_reboot_gets_it() {
    let (mut trial, _) = Trial::begin();
    trial.answer(200, TESTING);
    assert_eq!(trial.answer(200, &PASSED.replace("false", "true")).0, Step::StartsAnew(Duration::ZERO));
    let (mut trial, _) = Trial::begin();
    assert_eq!(trial.answer(200, "<html>").0, Step::StartsAnew(Duration::from_secs(30)));
}
