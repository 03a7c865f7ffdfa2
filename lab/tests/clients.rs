//! Debian's DHCP clients, each in a namespace of its own: whatever client identifier they send, a listed machine is one node with one
//! address, and a host that does not boot from the network gets none.

use heorot_agent::frame::Mac;
use heorot_lab::network::Host;
use heorot_lab::server::{Server, Settings, address_of};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

const LISTED: Mac = Mac([0x52, 0x54, 0x00, 0x77, 0x01, 0x17]);
const STRANGER: Mac = Mac([0x52, 0x54, 0x00, 0x77, 0x01, 0x99]);

/// What a client's script wrote: the addresses that it was given, and nothing else is done with them.
struct Script {
    path: PathBuf,
    result: PathBuf,
}

impl Script {
    fn new(server: &Server, name: &str, body: &str) -> Self {
        let (path, result) = (server.scratch_file(name), server.scratch_file(&format!("{name}.result")));
        let text = format!("#!/bin/sh\n{}\nexit 0\n", body.replace("RESULT", &result.to_string_lossy()));
        fs::write(&path, text).expect("the script is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("and can be run");
        Self { path, result }
    }

    fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// The address, once; empty if there was none.
    fn take_result(&self) -> String {
        let text = fs::read_to_string(&self.result).unwrap_or_default();
        let _ = fs::remove_file(&self.result);
        text.trim().to_owned()
    }
}

fn dhclient(server: &Server, host: &Host, script: &Script, configuration: &str) -> String {
    let file = |name: &str| server.scratch_file(name).to_string_lossy().into_owned();
    let (leases, process, settings) = (file("dhclient.leases"), file("dhclient.pid"), file("dhclient.conf"));
    let _ = fs::remove_file(&leases);
    fs::write(&settings, format!("timeout 20;\n{configuration}\n")).expect("its configuration is written");
    let path = script.path();
    let common = ["-4", "-cf", &settings, "-lf", &leases, "-pf", &process, "-sf", &path];
    let ask = [common.as_slice(), &["-1", "eth0"]].concat();
    host.namespace.ask("dhclient", &ask).expect("dhclient gets a lease");
    let stop = [common.as_slice(), &["-x", "eth0"]].concat();
    host.namespace.ask("dhclient", &stop).expect("dhclient ends");
    script.take_result()
}

fn udhcpc(host: &Host, script: &Script, further: &[&str]) -> Result<String, String> {
    let path = script.path();
    let arguments = [&["-i", "eth0", "-f", "-q", "-n", "-t", "5", "-T", "2", "-s", &path], further].concat();
    host.namespace.ask("udhcpc", &arguments)?;
    Ok(script.take_result())
}

#[test]
fn one_machine_is_one_node_whatever_it_calls_itself() {
    let settings = Settings { listed: vec![(LISTED, 23)], ..Settings::default() };
    let server = Server::start(&settings).expect("the lab and the server start");
    let host = server.network.host(LISTED).expect("a host");
    let isc = Script::new(
        &server,
        "dhclient-script",
        "[ \"$reason\" = BOUND ] && echo \"$new_ip_address\" >> RESULT",
    );
    let busybox = Script::new(&server, "udhcpc-script", "[ \"$1\" = bound ] && echo \"$ip\" >> RESULT");
    let expected = address_of(23).to_string();

    let identifiers = [
        ("without a client identifier", ""),
        ("with 01 and the hardware address", "send dhcp-client-identifier = hardware;"),
        (
            "with a DUID",
            "send dhcp-client-identifier = ff:00:77:01:17:00:01:00:01:2c:8a:11:22:52:54:00:77:01:17;",
        ),
        ("with a text", "send dhcp-client-identifier \"a machine\";"),
    ];
    for (what, configuration) in identifiers {
        let address = dhclient(&server, &host, &isc, configuration);
        assert_eq!(address, expected, "dhclient {what}\n{}", server.tail());
    }
    for (what, further) in
        [("with 01 and the hardware address", [].as_slice()), ("without a client identifier", &["-C"])]
    {
        let address = udhcpc(&host, &busybox, further).expect("udhcpc gets a lease");
        assert_eq!(address, expected, "udhcpc {what}\n{}", server.tail());
    }
}

#[test]
fn a_host_that_does_not_boot_from_the_network_gets_no_number() {
    let server = Server::start(&Settings::default()).expect("the lab and the server start");
    let host = server.network.host(STRANGER).expect("a host");
    let busybox = Script::new(&server, "udhcpc-script", "[ \"$1\" = bound ] && echo \"$ip\" >> RESULT");
    let refused = udhcpc(&host, &busybox, &["-t", "2", "-T", "1"]);
    assert!(refused.is_err(), "it was given {refused:?}");
    let nodes = server.ask(&["node", "list"]).expect("the server lists its nodes");
    let numbered =
        nodes.as_array().map(|nodes| nodes.iter().filter(|node| !node["number"].is_null()).count());
    assert_eq!(numbered, Some(0), "{nodes}");
}
