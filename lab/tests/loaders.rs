//! The other ways into a kernel: UEFI's own HTTP boot, and Secure Boot's chain, each from power-on to a number. None of their loaders is in the boot directory:
//! they are where Debian's packages put them.

mod boot;

use heorot_lab::demo::{Up, machine_mac};
use heorot_lab::machine::{Firmware, Machine, check_firmware};
use heorot_lab::packages;
use heorot_lab::server::{Server, Settings};
use heorot_lab::unified;
use std::time::Duration;

#[test]
fn a_machine_that_boots_by_http_becomes_node0() {
    boot::becomes_node0(Firmware::UefiHttp, &Settings::default(), "iPXE initialising devices");
}

#[test]
fn a_machine_with_secure_boot_becomes_node0() {
    let settings = Settings { uefi_loader: "shimx64.efi".to_owned(), ..Settings::default() };
    boot::becomes_node0(Firmware::UefiSecure, &settings, "Secure boot enabled");
}

/// Firmware loads the whole system as one file, whose command line is the same for all nodes: its agent finds its node by asking.
#[test]
fn a_machine_that_boots_a_unified_image_by_http_becomes_node0() {
    check_firmware(Firmware::UefiHttp).expect("there is firmware");
    let settings = Settings { http_loader: "node.efi".to_owned(), ..Settings::default() };
    let server = Server::start(&settings).expect("the lab and the server start");
    let files = packages::fetch().expect("the lab has its files");
    unified::image(&files, &server.boot_file(""), "console=ttyS0", "node.efi").expect("an image");
    let walk = || {
        let machine = Machine::start(&server.network, Firmware::UefiHttp, machine_mac(1))?;
        machine.wait_for(
            "no heorot= on the kernel's command line; asking 10.77.0.1",
            Duration::from_secs(120),
        )?;
        let up = Up::wait(&machine)?;
        let node = server.ask(&["explain", "node0"])?;
        if up.name != "node0"
            || node["state"] != "up"
            || !node["history"].to_string().contains("node.efi by HTTP")
        {
            return Err(format!("{} is not as it should be: {node}", up.name));
        }
        Ok(())
    };
    server.explain_failure(walk()).unwrap_or_else(|error| panic!("{error}"));
}

/// What the kernel wrote into the firmware's variables when it panicked is told to the server by the next start, once.
#[test]
fn the_last_words_before_a_panic_outlast_it() {
    check_firmware(Firmware::Uefi).expect("there is firmware");
    let crash = Settings { cmdline: " panic=1".to_owned(), ..with_check("echo c > /proc/sysrq-trigger") };
    let server = Server::start(&crash).expect("the lab and the server start");
    let walk = || {
        let machine = Machine::start(&server.network, Firmware::Uefi, machine_mac(1))?;
        let boot = Duration::from_secs(180);
        machine.wait_for("Kernel panic - not syncing", boot)?;
        server.reconfigure(&with_check("true"))?;
        machine.wait_for("the system before this one ended with a panic", boot)?;
        let up = Up::wait(&machine)?;
        let node = server.ask(&["explain", &up.name])?;
        if !node.to_string().contains("Kernel panic - not syncing: sysrq triggered crash") {
            return Err(format!("nobody knows its last words: {node}"));
        }
        let mut machine = machine;
        machine.power_cycle()?;
        Up::wait(&machine)?;
        let told = machine.lines().into_iter().find(|line| line.text.contains("the system before this one"));
        told.map_or(Ok(()), |line| Err(format!("told again: {}", line.text)))
    };
    server.explain_failure(walk()).unwrap_or_else(|error| panic!("{error}"));
}

/// A trial that does this.
fn with_check(command: &str) -> Settings {
    let check = format!("\n[[trial.check]]\nkind = \"command\"\nname = \"crash\"\ncommand = \"{command}\"\n");
    Settings { further: check, ..Settings::default() }
}
