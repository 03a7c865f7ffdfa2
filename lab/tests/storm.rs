//! Simulated machines with real packets at the real server: whatever their firmware, all of them load what they should.

use heorot_agent::frame::Mac;
use heorot_lab::server::{self, Server, Settings};
use serde_json::Value;
use std::fs;
use std::time::Instant;

const MACHINES: u64 = 50;
/// Kernel and RAM disk: 100 kB together.
const IMAGE: [(&str, usize); 2] = [("vmlinuz", 30_000), ("initrd.img", 70_000)];
/// Of the interface itself: the machines have addresses of their own.
const INTERFACE: Mac = Mac([0x52, 0x54, 0x00, 0x77, 0x02, 0x01]);

#[test]
fn fifty_machines_at_once_are_all_loaded() {
    // iPXE's own script is fetched by HTTP, which a storm does not speak: here it gets one by TFTP.
    let settings = Settings { boot: "ipxe = \"boot.ipxe\"".to_owned(), ..Settings::default() };
    let server = Server::start(&settings).expect("the lab and the server start");
    let script = "#!ipxe\nkernel vmlinuz\ninitrd initrd.img\nboot\n";
    fs::write(server.boot_file("boot.ipxe"), script).expect("the script is written");
    for (name, octets) in IMAGE.into_iter().chain([("grubx64.efi", 100_000), ("bootcode.bin", 50_000)]) {
        fs::write(server.boot_file(name), vec![7; octets]).expect("the image is written");
    }
    let host = server.network.host(INTERFACE).expect("a host");
    let program = server::program().expect("heorot was built");

    let start = Instant::now();
    let machines = MACHINES.to_string();
    let output = host
        .namespace
        .command(program)
        .args([
            "storm",
            "--interface",
            "eth0",
            "--server",
            "10.77.0.1",
            "--nodes",
            &machines,
            "--seconds",
            "60",
        ])
        .args(["--image", IMAGE[0].0, "--image", IMAGE[1].0, "--no-calibration", "-o", "json"])
        .output()
        .expect("the storm runs");
    let seconds = start.elapsed().as_secs();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no report: {error}: {said}\n{}", server.tail()));

    let shown = format!("{report:#}\n{}", server.tail());
    assert_eq!(report["nodes"], MACHINES, "{shown}");
    assert_eq!(report["lost"], 0, "{shown}");
    assert_eq!(report["own_kernel_drops"], 0, "{shown}");
    assert_eq!(report["address_conflicts"], 0, "{shown}");
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(seconds < 30, "{seconds} s: {shown}");
    let image: u64 = IMAGE.iter().map(|(_, octets)| *octets as u64).sum();
    assert!(report["bytes"].as_u64() >= Some(MACHINES * image), "each has its whole image: {shown}");
    let nodes = server.ask(&["node", "list"]).expect("the server lists its nodes");
    assert_eq!(nodes.as_array().map(Vec::len), usize::try_from(MACHINES).ok(), "each is one node: {nodes}");
}

/// A storm may do harm, so it is not let loose on an interface by which this host is on a network.
#[test]
fn a_storm_is_refused_on_the_way_out() {
    let server = Server::start(&Settings::default()).expect("the lab and the server start");
    let host = server.network.host(INTERFACE).expect("a host");
    host.namespace.ip("address add 10.77.0.9/16 dev eth0").expect("it has an address");
    host.namespace.ip("route add default via 10.77.0.1").expect("and a way out");
    let program = server::program().expect("heorot was built");
    let storm = |further: &[&str]| {
        let mut command = host.namespace.command(&program);
        let storm = ["storm", "--interface", "eth0", "--nodes", "1", "--seconds", "1", "--no-calibration"];
        command.args(storm).args(further).output().expect("it runs")
    };
    let refused = storm(&[]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--yes-this-network"), "{refused:?}");
    let sure = storm(&["--yes-this-network"]);
    assert_ne!(sure.status.code(), Some(2), "{sure:?}");
}
