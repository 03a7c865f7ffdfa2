//! OVMF's own PXE menu: shown by the firmware, led by its keyboard; what is chosen is asked for at port 4011 and booted.

use heorot_lab::demo::machine_mac;
use heorot_lab::loss::{GRUB, through_grub};
use heorot_lab::machine::{Firmware, Machine, check_firmware};
use heorot_lab::other_server::OtherServer;
use heorot_lab::server::{Server, Settings};
use std::time::Duration;

const FIRMWARE_PATIENCE: Duration = Duration::from_secs(60);

/// Two entries: GRUB is the second, and boots only if somebody chooses it.
fn settings(network: &str) -> Settings {
    let menu = format!(
        "\n[pxe]\nprompt = \"Press F8 for the menu\"\ntimeout = \"4s\"\n\
         [[pxe.service]]\narchitecture = \"uefi-x64\"\ntext = \"Cluster node\"\nfile = \"ipxe.efi\"\n\
         [[pxe.service]]\narchitecture = \"uefi-x64\"\ntext = \"GRUB of the cluster\"\nfile = \"{GRUB}\"\n"
    );
    Settings { network: network.to_owned(), further: menu, ..Settings::default() }
}

fn shown(server: &Server, outcome: Result<(), String>) {
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_is_chosen_in_the_menu_is_booted() {
    let server = through_grub(settings("")).expect("the lab and the server start");
    let outcome = choose_the_second(&server, 1).and_then(|machine| {
        // It goes on from where it came.
        machine.wait_for("Loading /vmlinuz", FIRMWARE_PATIENCE).map(drop)
    });
    shown(&server, outcome);
}

#[test]
fn what_is_chosen_in_the_menu_is_booted_beside_another_server() {
    let server = through_grub(settings("mode = \"proxy\"")).expect("the lab and the server start");
    let other = OtherServer::start(&server.network).expect("dnsmasq starts");
    // GRUB itself knows no server but the one that gave the address, and is not followed further.
    shown(&server, choose_the_second(&server, 2).map(drop));
    drop(other);
}

#[test]
fn the_first_entry_is_booted_when_nobody_presses_a_key() {
    let server = through_grub(settings("")).expect("the lab and the server start");
    let outcome = check_firmware(Firmware::Uefi).and_then(|()| {
        let machine = Machine::start(&server.network, Firmware::Uefi, machine_mac(3))?;
        machine.wait_for("Press F8 for the menu", FIRMWARE_PATIENCE)?;
        machine.wait_for("iPXE initialising devices", FIRMWARE_PATIENCE)?;
        told(&server, &machine, "ACK as a boot server, boot file ipxe.efi")
    });
    shown(&server, outcome);
}

fn choose_the_second(server: &Server, number: u8) -> Result<Machine, String> {
    check_firmware(Firmware::Uefi)?;
    let mut machine = Machine::start(&server.network, Firmware::Uefi, machine_mac(number))?;
    machine.wait_for("Press F8 for the menu", FIRMWARE_PATIENCE)?;
    machine.press("f8")?;
    machine.wait_for("GRUB of the cluster", FIRMWARE_PATIENCE)?;
    machine.press("down")?;
    machine.press("ret")?;
    machine.wait_for("Welcome to GRUB", FIRMWARE_PATIENCE)?;
    told(server, &machine, &format!("ACK as a boot server, boot file {GRUB}"))?;
    Ok(machine)
}

/// The machine's history says this.
fn told(server: &Server, machine: &Machine, wanted: &str) -> Result<(), String> {
    let history = server.ask(&["explain", &machine.mac.to_string()])?["history"].to_string();
    if history.contains(wanted) { Ok(()) } else { Err(format!("{wanted:?} is not in {history}")) }
}
