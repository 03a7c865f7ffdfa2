//! The server is killed in mid-boot and started again; the boot goes on. `make kill` does it 20 times.

use heorot_lab::kill;

#[test]
fn a_boot_survives_a_killed_server() {
    let mut shown = Vec::new();
    let outcome = kill::run(2, 4, &mut shown);
    let shown = String::from_utf8_lossy(&shown).into_owned();
    outcome.unwrap_or_else(|error| panic!("{shown}{error}"));
}
