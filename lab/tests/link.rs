//! Addresses on the wire: neighbour entries that no dead server leaves behind, addresses that somebody has already, servers that nobody knows.

use heorot_agent::dhcp::{Kind, Query};
use heorot_agent::frame::Mac;
use heorot_lab::demo::machine_mac;
use heorot_lab::host::SimulatedHost;
use heorot_lab::network::{Host, SERVER};
use heorot_lab::server::{Server, Settings};
use serde_json::Value;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(5);

/// What the server's kernel knows of an address: empty if nothing.
fn neighbour(server: &Server, address: Ipv4Addr) -> String {
    server.network.server.ip(&format!("neighbour show to {address}")).expect("the kernel lists neighbours")
}

/// The host has a network stack from now on, with this address.
fn settle(host: &Host, address: Ipv4Addr) {
    host.namespace.ip(&format!("address add {address}/16 dev eth0")).expect("an address is added");
}

fn can_reach(server: &Server, address: Ipv4Addr) -> Result<String, String> {
    server.network.server.ask("busybox", &["ping", "-c", "1", "-W", "2", &address.to_string()])
}

#[test]
fn after_a_killed_server_another_machine_gets_the_address_and_is_reached() {
    let mut server = Server::start(&Settings::default()).expect("the lab and the server start");
    let mut first =
        SimulatedHost::new(server.network.host(machine_mac(1)).expect("a host")).expect("a machine");
    let address = first.boot().expect("it gets an address");
    // An operator's own entry looks the same but for the mark.
    let of_operator = Ipv4Addr::new(10, 77, 99, 9);
    let theirs = format!("neighbour add {of_operator} lladdr 02:00:00:00:00:99 dev eth1 nud permanent");
    server.network.server.ip(&theirs).expect("an entry by hand");
    server.kill();
    let left = neighbour(&server, address);
    assert!(left.contains(&machine_mac(1).to_string()) && left.contains("PERMANENT"), "left behind: {left}");

    // Restarted with what it knew, the entry stands for the machine that may be in mid-download.
    server.start_again().expect("the server starts again");
    server.ask(&["status"]).expect("its loop runs");
    let again = neighbour(&server, address);
    assert!(again.contains(&machine_mac(1).to_string()) && again.contains("PERMANENT"), "again: {again}");
    server.kill();

    // The state is lost: no one knows of the first machine any more, and the entry is gone with it.
    fs::remove_dir_all(server.scratch_file("state")).expect("the state is lost");
    server.start_again().expect("the server starts with nothing");
    server.ask(&["status"]).expect("its loop runs");
    assert_eq!(neighbour(&server, address), "", "an entry of ours that nobody knows");
    assert!(neighbour(&server, of_operator).contains("02:00:00:00:00:99"), "the operator's entry stands");

    let mut second =
        SimulatedHost::new(server.network.host(machine_mac(2)).expect("a host")).expect("a machine");
    second.request(address).expect("another machine gets the address");
    let now = neighbour(&server, address);
    assert!(now.contains(&machine_mac(2).to_string()) && now.contains("PERMANENT"), "now: {now}");
    settle(second.host(), address);
    server.explain_failure(can_reach(&server, address)).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn an_address_that_a_foreign_host_has_is_not_lent() {
    let server = Server::start(&Settings::default()).expect("the lab and the server start");
    let mut machine =
        SimulatedHost::new(server.network.host(machine_mac(3)).expect("a host")).expect("a machine");
    let place = machine.boot().expect("it gets an address");
    machine.release().expect("and gives it back");
    // It is free again as soon as nobody answers for it.
    thread::sleep(Duration::from_millis(500));
    let foreign = server.network.host(Mac([2, 0, 0, 0, 0, 7])).expect("a foreign host");
    settle(&foreign, place);
    let asked = Instant::now();
    let address = machine.boot().expect("the machine gets an address");
    let took = asked.elapsed();
    assert_ne!(address, place, "{}", server.tail());
    // One wait for the next address; the foreign host has answered for its own at once.
    assert!(took >= Duration::from_millis(290), "the offer waited {took:?}");
    let explained = server.ask(&["explain", &machine_mac(3).to_string()]).expect("the server explains");
    assert!(explained.to_string().contains(&format!("{place} is used by 02:00:00:00:00:07")), "{explained}");
    // It has its address: nobody is asked a second time.
    let asked = Instant::now();
    assert_eq!(machine.boot(), Ok(address));
    assert!(asked.elapsed() < Duration::from_millis(250), "it waited again: {:?}", asked.elapsed());
}

#[test]
fn behind_a_relay_it_is_asked_by_icmp() {
    let further = "\n[[network]]\ninterface = \"eth1\"\naddress = \"10.88.0.1/16\"\nnumbers = \"5000-5009\"\nfirst = \"10.88.1.0\"\n\
                   temporary = \"10.88.200.1-10.88.200.3\"\n";
    let settings = Settings { further: further.to_owned(), ..Settings::default() };
    let server = Server::start(&settings).expect("the lab and the server start");
    let (router, head) = (&server.network.client, &server.network.server);
    head.ip("route add 10.88.0.0/16 via 10.77.0.2").expect("a route to the network behind");
    // The network behind the relay, with foreign hosts on two of its three addresses.
    for address in ["10.88.0.1/32", "10.88.200.1/32", "10.88.200.2/32"] {
        router.ip(&format!("address add {address} dev lo")).expect("an address");
    }
    let offered = router.enter(|| {
        let mut query = Query::new(Kind::Discover, machine_mac(4), 7);
        query.vendor_class = b"PXEClient:Arch:00000:UNDI:002001".to_vec();
        let mut packet = query.encode();
        packet[24..28].copy_from_slice(&[10, 88, 0, 1]); // giaddr
        let relay = UdpSocket::bind(SocketAddr::from(([10, 88, 0, 1], 67))).map_err(|e| e.to_string())?;
        relay.set_read_timeout(Some(PATIENCE)).map_err(|e| e.to_string())?;
        relay.send_to(&packet, SocketAddr::from((SERVER, 67))).map_err(|e| e.to_string())?;
        let mut reply = [0; 1500];
        relay.recv(&mut reply).map_err(|e| format!("no answer: {e}"))?;
        Ok(Ipv4Addr::new(reply[16], reply[17], reply[18], reply[19]))
    });
    let offered = server.explain_failure(offered).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(offered, Ipv4Addr::new(10, 88, 200, 3));
}

#[test]
fn a_rogue_server_is_named() {
    let settings = Settings { listed: vec![(machine_mac(5), 5)], ..Settings::default() };
    let server = Server::start(&settings).expect("the lab and the server start");
    let rogue = server.network.host(Mac([2, 0, 0, 0, 0, 9])).expect("a host");
    settle(&rogue, Ipv4Addr::new(10, 77, 0, 99));
    let mut dnsmasq = rogue.namespace.command("dnsmasq");
    let leases = server.scratch_file("rogue.leases");
    dnsmasq
        .args(["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--no-ping", "--interface=eth0"])
        .args([
            "--user=root",
            "--pid-file=",
            "--dhcp-authoritative",
            "--dhcp-range=10.77.9.1,10.77.9.9,255.255.0.0,1h",
        ])
        .arg(format!("--dhcp-leasefile={}", leases.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut dnsmasq = dnsmasq.spawn().expect("dnsmasq starts");
    let outcome = name_the_rogue(&server);
    let _ = dnsmasq.kill();
    let _ = dnsmasq.wait();
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

fn name_the_rogue(server: &Server) -> Result<(), String> {
    // A stranger, whom we do not answer, chooses it: its answers go to that host alone, but the REQUEST names it to everybody.
    let stranger = server.network.host(Mac([2, 0, 0, 0, 0, 8]))?;
    let udhcpc = ["-i", "eth0", "-f", "-q", "-n", "-t", "5", "-T", "1", "-s", "/bin/true"];
    stranger.namespace.ask("udhcpc", &udhcpc)?;
    let named = rogue_of(server, |rogue| rogue["address"] == "10.77.0.99")?;
    if named["last"] != "was chosen by" || named["last_client"] != "02:00:00:00:00:08" {
        return Err(format!("it was noticed in another way: {named}"));
    }
    // A node that wants its answers broadcast: now it is heard itself.
    let node = server.network.host(machine_mac(5))?;
    node.namespace.ask("udhcpc", &[&udhcpc[..], &["-B"]].concat())?;
    rogue_of(server, |rogue| rogue["mac"] == "02:00:00:00:00:09")?;
    let explained = server.ask(&["explain", "node5"])?.to_string();
    if !explained.contains("another DHCP server, 10.77.0.99") {
        return Err(format!("it is not named for the node that it answered: {explained}"));
    }
    let status = server.network.server.ask(
        &heorot_lab::server::program()?.to_string_lossy(),
        &["status", "--control", &server.scratch_file("control.sock").to_string_lossy()],
    )?;
    if !status.contains("rogue server  10.77.0.99 (02:00:00:00:00:09) on eth1") {
        return Err(format!("the status does not name it: {status}"));
    }
    // Allowed, it is no rogue any more.
    let allowed = "other-servers = [\"10.77.0.99\"]".to_owned();
    server.reconfigure(&Settings {
        listed: vec![(machine_mac(5), 5)],
        network: allowed,
        ..Settings::default()
    })?;
    let end = Instant::now() + PATIENCE;
    while server.ask(&["status"])?["rogue_servers"] != Value::Array(Vec::new()) {
        if Instant::now() > end {
            return Err("it is a rogue although it is allowed".to_owned());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The one rogue server, as soon as it is as wanted.
fn rogue_of(server: &Server, is_wanted: impl Fn(&Value) -> bool) -> Result<Value, String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = server.ask(&["status"])?;
        match status["rogue_servers"].as_array().map(Vec::as_slice) {
            Some([rogue]) if is_wanted(rogue) => return Ok(rogue.clone()),
            rogues if Instant::now() > end => return Err(format!("no such rogue server: {rogues:?}")),
            _ => thread::sleep(Duration::from_millis(50)),
        }
    }
}

#[test]
fn other_hosts_are_told_where_a_downloading_machine_is() {
    let settings = Settings { network: "answer-arp = true".to_owned(), ..Settings::default() };
    let server = Server::start(&settings).expect("the lab and the server start");
    fs::write(server.boot_file("blocks"), vec![7; 10_000]).expect("a file to serve");
    // Like firmware, it answers no ARP.
    let mut machine =
        SimulatedHost::new(server.network.host(machine_mac(6)).expect("a host")).expect("a machine");
    let address = machine.boot().expect("it gets an address");
    let client = &server.network.client;
    let ask = || {
        // Its kernel asks anew, and does not wait for its next try.
        let _ = client.ip(&format!("neighbour delete {address} dev eth0"));
        let _ = client.ask("busybox", &["ping", "-c", "1", "-W", "1", &address.to_string()]);
        client.ip(&format!("neighbour show to {address}")).expect("the kernel lists neighbours")
    };
    let before = ask();
    assert!(!before.contains("lladdr"), "it answers ARP itself: {before}");
    machine.fetch("blocks").expect("it loads a file");
    let known = ask();
    assert!(known.contains(&format!("lladdr {}", machine_mac(6))), "{known}\n{}", server.tail());
}
