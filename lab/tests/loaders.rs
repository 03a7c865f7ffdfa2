//! The other ways into a kernel: UEFI's own HTTP boot, and Secure Boot's chain, each from power-on to a number. None of their loaders is in the boot directory:
//! they are where Debian's packages put them.

mod boot;

use heorot_lab::machine::Firmware;
use heorot_lab::server::Settings;

#[test]
fn a_machine_that_boots_by_http_becomes_node0() {
    boot::becomes_node0(Firmware::UefiHttp, &Settings::default(), "iPXE initialising devices");
}

#[test]
fn a_machine_with_secure_boot_becomes_node0() {
    let settings = Settings { uefi_loader: "shimx64.efi".to_owned(), ..Settings::default() };
    boot::becomes_node0(Firmware::UefiSecure, &settings, "Secure boot enabled");
}
