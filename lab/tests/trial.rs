//! A machine that fails its trial stays where it is and says why; when the operator asks for less, it becomes a node without a new boot.

use heorot_lab::demo::{Up, machine_mac};
use heorot_lab::machine::{Firmware, Machine};
use heorot_lab::server::{Server, Settings};
use std::time::Duration;

const BOOT: Duration = Duration::from_secs(180);

#[test]
fn a_failed_machine_is_tried_again() {
    let settings = Settings { memory: "64GiB".to_owned(), ..Settings::default() };
    let server = Server::start(&settings).expect("the lab and the server start");
    let outcome = walk(&server);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

fn walk(server: &Server) -> Result<(), String> {
    let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(1))?;
    machine.wait_for("check memory: FAILED: only 512.0 MiB, at least 64.0 GiB wanted", BOOT)?;
    machine.wait_for("no number yet", BOOT)?;
    let node = server.ask(&["explain", &machine.mac.to_string()])?;
    let reason = node["reason"].as_str().unwrap_or_default();
    if node["state"] != "failed" || !node["number"].is_null() || !reason.contains("memory") {
        return Err(format!("after a trial that failed: {node}"));
    }

    server.reconfigure(&Settings::default())?;
    let up = Up::wait(&machine)?;
    if up.name != "node0" {
        return Err(format!("it became {}", up.name));
    }
    let boots = machine.lines().iter().filter(|line| line.text.contains("Linux version")).count();
    if boots == 1 { Ok(()) } else { Err(format!("it booted {boots} times")) }
}
