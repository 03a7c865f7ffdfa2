//! A UEFI machine that nobody has seen before, through its firmware's PXE, iPXE and Linux, to a number.

mod boot;

use heorot_lab::machine::Firmware;
use heorot_lab::server::Settings;

#[test]
fn a_uefi_machine_becomes_node0() {
    boot::becomes_node0(Firmware::Uefi, &Settings::default(), "iPXE initialising devices");
}
