//! A BIOS machine that nobody has seen before, through its network card's ROM, pxelinux and Linux, to a number.

mod boot;

use heorot_lab::machine::Firmware;
use heorot_lab::server::Settings;

#[test]
fn a_bios_machine_becomes_node0() {
    boot::becomes_node0(Firmware::Bios, &Settings::through_pxelinux(), "PXELINUX");
}
