//! One boot from power-on to `up`, watched on the console, on the wire, and in what the server says.

use heorot_lab::demo::{Up, dig_both_ways, machine_mac, straight_to_its_number};
use heorot_lab::machine::{Firmware, Machine, check_firmware};
use heorot_lab::server::{Server, Settings, address_of};
use heorot_lab::sniff::{Frame, Sniffer, What, violations};
use heorot_lab::timeline::Timeline;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// Boots one machine; `loader` is what its loader says on the console.
pub(crate) fn becomes_node0(firmware: Firmware, settings: &Settings, loader: &str) {
    let server = Server::start(settings).expect("the lab and the server start");
    let outcome = walk(&server, firmware, loader);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

fn walk(server: &Server, firmware: Firmware, loader: &str) -> Result<(), String> {
    check_firmware(firmware)?;
    let sniffer = Sniffer::start(&server.network)?;
    let mut machine = Machine::start(&server.network, firmware, machine_mac(1))?;
    let up = Up::wait(&machine)?;
    for step in [
        loader,
        "Linux version",
        "check memory: passed",
        "check shell: passed",
        "trial passed",
        "released 10.77.20",
    ] {
        machine.wait_for(step, SOON)?;
    }
    expect_eq("the name", &up.name, &"node0".to_owned())?;

    let node = server.ask(&["explain", &machine.mac.to_string()])?;
    expect_eq("number", &node["number"], &0.into())?;
    expect_eq("name", &node["name"], &"node0".into())?;
    expect_eq("address", &node["address"], &address_of(0).to_string().into())?;
    expect_eq("state", &node["state"], &"up".into())?;
    let timeline = Timeline::of(&machine, server)?.to_string();
    for word in ["discover", "offer", "ack", "number"] {
        if !timeline.contains(word) {
            return Err(format!("no {word} in the timeline:\n{timeline}"));
        }
    }
    dig_both_ways(&server.network, &up.name, up.address)?;

    machine.power_cycle()?;
    let second = Up::wait(&machine)?;
    let server_mac = sniffer.server;
    let frames = sniffer.stop()?;
    straight_to_its_number(&frames, &machine, &up, &second)?;
    expect_eq("releases of the temporary address", &releases(&frames), &1)?;
    expect_eq("what should not have been on the wire", &violations(&frames, server_mac), &Vec::new())
}

fn releases(frames: &[Frame]) -> usize {
    frames.iter().filter(|frame| matches!(frame.what, What::Release(_))).count()
}

fn expect_eq<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}
