//! A UEFI machine that nobody has seen before, through its firmware's PXE, iPXE and Linux, to a number.

mod boot;

use heorot_lab::machine::Firmware;

#[test]
fn a_uefi_machine_becomes_node0() {
    boot::becomes_node0(Firmware::Uefi, "iPXE initialising devices");
}
