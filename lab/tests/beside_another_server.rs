//! Beside dnsmasq, which gives the addresses: firmware boots from us, and where we only look on we tell what we would have done.

use heorot_lab::demo::{BOOT_PATIENCE, machine_mac};
use heorot_lab::machine::{Firmware, Machine, check_firmware};
use heorot_lab::other_server::{self, OtherServer};
use heorot_lab::server::{Server, Settings};
use std::thread;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);
const LOADER_PATIENCE: Duration = Duration::from_secs(60);

fn settings(mode: &str, boot: &str) -> Settings {
    Settings { network: format!("mode = \"{mode}\""), boot: boot.into(), ..Settings::default() }
}

/// OVMF takes its address from dnsmasq, asks us at port 4011, loads iPXE, and that its script and Linux, up to a number.
#[test]
fn a_uefi_machine_becomes_node0_with_another_servers_address() {
    let server = Server::start(&settings("proxy", "")).expect("the lab and the server start");
    let outcome = uefi(&server);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

fn uefi(server: &Server) -> Result<(), String> {
    check_firmware(Firmware::Uefi)?;
    let _other = OtherServer::start(&server.network)?;
    let machine = Machine::start(&server.network, Firmware::Uefi, machine_mac(1))?;
    machine.wait_for("iPXE initialising devices", LOADER_PATIENCE)?;
    // It goes on with the address that it has: the other server gives it no other.
    let first = other_server::FIRST.octets();
    let up = format!("up as node0 ({}.{}.{}.", first[0], first[1], first[2]);
    machine.wait_for(&up, BOOT_PATIENCE)?;
    let node = server.ask(&["explain", &machine.mac.to_string()])?;
    let is_the_others = node["temporary_address"].as_str().is_some_and(|address| up.contains(&address[..8]));
    if node["state"] != "up" || node["number"] != 0 || !is_the_others {
        return Err(format!("{node}"));
    }
    let history = node["history"].to_string();
    for said in
        ["OFFER beside another server, boot file ipxe.efi", "ACK as a boot server, boot file ipxe.efi"]
    {
        if !history.contains(said) {
            return Err(format!("{said:?} is not in {history}"));
        }
    }
    Ok(())
}

/// iPXE as a BIOS ROM takes everything from our offer.
#[test]
fn a_bios_machine_loads_from_us_with_another_servers_address() {
    let server =
        Server::start(&settings("proxy", "ipxe = \"pxelinux.0\"")).expect("the lab and the server start");
    let outcome = bios(&server);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

fn bios(server: &Server) -> Result<(), String> {
    check_firmware(Firmware::Bios)?;
    let _other = OtherServer::start(&server.network)?;
    let machine = Machine::start(&server.network, Firmware::Bios, machine_mac(2))?;
    machine.wait_for("PXELINUX", LOADER_PATIENCE)?;
    // Its configuration was made for it, and found by its address.
    machine.wait_for("Linux version", LOADER_PATIENCE)?;
    Ok(())
}

/// A host that looks for an address gets dnsmasq's, and one line of ours.
#[test]
fn where_we_look_on_an_exchange_is_one_line() {
    let server = Server::start(&settings("shadow", "")).expect("the lab and the server start");
    let outcome = shadow(&server);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

fn shadow(server: &Server) -> Result<(), String> {
    let _other = OtherServer::start(&server.network)?;
    let host = server.network.host(machine_mac(3))?;
    // -B: it asks for a broadcast answer, which we hear too. -x 0x5d:0000 makes it firmware, by its architecture.
    let arguments = ["-i", "eth0", "-n", "-q", "-f", "-B", "-s", "/bin/true", "-x", "0x5d:0000"];
    host.namespace.ask("udhcpc", &arguments)?;
    let start = Instant::now();
    loop {
        let told: Vec<_> =
            server.tail().lines().filter(|line| line.contains("would have")).map(str::to_owned).collect();
        let is_it = |line: &String| {
            line.contains("would have OFFERed 10.77.20")
                && line.contains("boot file pxelinux.0; 10.77.0.2 offered 10.77.5.")
                && line.contains("10.77.0.2 acknowledged 10.77.5.")
        };
        match told.as_slice() {
            [line] if is_it(line) => return Ok(()),
            [] if start.elapsed() < SOON => thread::sleep(Duration::from_millis(50)),
            lines => return Err(format!("not the one line: {lines:?}")),
        }
    }
}
