//! Debian's own NIS clients: yp-tools, ypbind, and glibc's NIS service. All of them know 4,096 nodes, forward and backward, whoever has port 111.

use heorot_lab::command::run;
use heorot_lab::network::Network;
use heorot_lab::server::{Server, Settings};
use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than 8,192 look-ups by a debug build on a busy machine take.
const PATIENCE: Duration = Duration::from_secs(120);
const SOON: Duration = Duration::from_secs(10);

/// The second network, behind a relay that nobody needs here.
const FURTHER: &str = r#"
[[network]]
interface = "eth1"
address = "10.78.0.0/16"
numbers = "1024-4095"
first = "10.78.1.0"
temporary = "10.78.200.1-10.78.200.254"

[[node]]
mac = "52:54:00:00:00:17"
number = 23
"#;

fn settings(accounts: &str) -> Settings {
    let nis = format!("\n[nis]\ndomain = \"cluster\"\n{accounts}");
    Settings { further: format!("{FURTHER}{nis}"), ..Settings::default() }
}

fn address_of(number: u32) -> Ipv4Addr {
    let (first, lowest) = match number {
        0..1024 => (Ipv4Addr::new(10, 77, 1, 0), 0),
        _ => (Ipv4Addr::new(10, 78, 1, 0), 1024),
    };
    Ipv4Addr::from_bits(first.to_bits() + number - lowest)
}

/// Runs commands on a client that is bound by this line of yp.conf. What each said, by command.
fn client(network: &Network, binding: &str, commands: &[&str]) -> Result<BTreeMap<String, String>, String> {
    // As a DHCP client sets it: ypbind asks the interface where to broadcast.
    network.client.ip("address delete 10.77.0.2/16 dev eth0")?;
    network.client.ip("address add 10.77.0.2/16 broadcast + dev eth0")?;
    let mut command: Command = network.client.command("unshare");
    command.args(["--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c"]);
    command.args([include_str!("nis/client.sh"), "sh", binding]).args(commands);
    let said = run(&mut command, PATIENCE)?;
    let parts = said.split("--- ").skip(1).filter_map(|part| part.split_once('\n'));
    let parts: BTreeMap<String, String> =
        parts.map(|(command, said)| (command.to_owned(), said.trim_end().to_owned())).collect();
    if parts.len() == commands.len() { Ok(parts) } else { Err(said) }
}

/// The commands and what they are to say.
fn expect(network: &Network, binding: &str, table: &[(&str, &str)]) -> Result<(), String> {
    let commands: Vec<_> = table.iter().map(|(command, _)| *command).collect();
    let said = client(network, binding, &commands)?;
    for (command, expected) in table {
        if said[*command] != *expected {
            return Err(format!("{command}: {:?} instead of {expected:?}", said[*command]));
        }
    }
    Ok(())
}

const NODE23: &str = "10.77.1.23      node23.cluster node23";

/// What a client finds, however it found the server.
const TABLE: [(&str, &str); 21] = [
    ("ypmatch master hosts.byname", "10.77.0.1\tmaster.cluster master"),
    ("ypmatch node23 hosts.byname", "10.77.1.23\tnode23.cluster node23"),
    ("ypmatch NODE23 hosts.byname", "10.77.1.23\tnode23.cluster node23"),
    ("ypmatch 10.78.12.255 hosts.byaddr", "10.78.12.255\tnode4095.cluster node4095"),
    (
        "ypmatch node4096 hosts.byname",
        "Can't match key node4096 in map hosts.byname. Reason: No such key in map\nexit code 1",
    ),
    ("ypcat hosts.byname | wc -l", "4098"),
    ("ypcat hosts.byaddr | sort -u | wc -l", "4097"),
    ("ypcat -k ethers.byname", "node23 52:54:00:00:00:17\tnode23"),
    ("ypcat passwd.byname", "alice:x:61000:100:Alice:/home/alice:/bin/sh"),
    ("ypwhich -m hosts.byname", "heorot"),
    ("ypwhich -m | wc -l", "12"),
    ("yppoll -h 10.77.0.1 -d cluster hosts.byname | grep -c 'The master server is heorot'", "1"),
    ("getent hosts node23", NODE23),
    ("getent hosts 10.77.1.23", NODE23),
    ("getent hosts node23.cluster", NODE23),
    ("getent hosts node4096", "exit code 2"),
    ("getent passwd alice", "alice:x:61000:100:Alice:/home/alice:/bin/sh"),
    ("getent passwd 61000", "alice:x:61000:100:Alice:/home/alice:/bin/sh"),
    ("getent initgroups alice", "alice                 10"),
    ("getent ethers node23; getent ethers 52:54:0:0:0:17", "52:54:0:0:0:17 node23\n52:54:0:0:0:17 node23"),
    ("getent netgroup cluster | tr ')' '\\n' | grep -c ',-,'", "4096"),
];

/// A server with accounts, and the path of its files in its configuration.
fn server() -> Server {
    let server = Server::start(&settings("")).expect("the lab and the server start");
    let passwd = server.scratch_file("passwd");
    let group = server.scratch_file("group");
    fs::write(&passwd, "alice:$6$hash:61000:100:Alice:/home/alice:/bin/sh\n").expect("a scratch file");
    fs::write(&group, "users:x:100:\nwheel:x:10:alice\n").expect("a scratch file");
    let accounts = format!("passwd = \"{}\"\ngroup = \"{}\"\n", passwd.display(), group.display());
    server.reconfigure(&settings(&accounts)).expect("it runs");
    let asked = Instant::now();
    while !server.tail().contains("the configuration was read anew") {
        assert!(asked.elapsed() < SOON, "the configuration is not read:\n{}", server.tail());
        thread::sleep(Duration::from_millis(20));
    }
    server
}

#[test]
fn a_client_that_names_the_server_finds_everybody() {
    let server = server();
    let outcome = expect(&server.network, "domain cluster server 10.77.0.1", &TABLE);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
    let outcome = everybody(&server.network);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

/// 4,096 names and 4,096 addresses by glibc, which asks the portmapper before nearly each.
fn everybody(network: &Network) -> Result<(), String> {
    let names: Vec<String> = (0..4096).map(|number| format!("node{number}")).collect();
    let addresses: Vec<String> = (0..4096).map(|number| address_of(number).to_string()).collect();
    let (forward, reverse) =
        (format!("getent hosts {}", names.join(" ")), format!("getent hosts {}", addresses.join(" ")));
    let said = client(network, "domain cluster server 10.77.0.1", &[&forward, &reverse])?;
    for answer in [&said[&forward], &said[&reverse]] {
        let lines: Vec<&str> = answer.lines().collect();
        if lines.len() != 4096 {
            return Err(format!("{} answers of 4096", lines.len()));
        }
        for ((line, name), address) in lines.iter().zip(&names).zip(&addresses) {
            let found: Vec<&str> = line.split_whitespace().collect();
            if found != [address.as_str(), &format!("{name}.cluster"), name] {
                return Err(format!("{line:?} is not {name} at {address}"));
            }
        }
    }
    Ok(())
}

#[test]
fn a_client_finds_the_server_by_broadcast() {
    let server = server();
    let outcome = expect(&server.network, "domain cluster broadcast", &TABLE);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

/// rpcbind, with files of its own.
struct Rpcbind(Child);

impl Rpcbind {
    fn start(network: &Network) -> Self {
        let mut command = network.server.command("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c"]);
        let script = "mount -t tmpfs none /run && exec rpcbind -f -r";
        let process = command.arg(script).stdin(Stdio::null()).spawn().expect("rpcbind starts");
        let rpcbind = Self(process);
        let started = Instant::now();
        while registered(network).is_err() {
            assert!(started.elapsed() < SOON, "rpcbind does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        rpcbind
    }
}

impl Drop for Rpcbind {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the server's portmapper says of YPSERV.
fn registered(network: &Network) -> Result<Vec<String>, String> {
    let all = network.client.ask("rpcinfo", &["-p", "10.77.0.1"])?;
    let ours = all.lines().filter(|line| line.contains("100004"));
    Ok(ours.map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" ")).collect())
}

#[test]
fn where_rpcbind_runs_it_tells_clients_of_us() {
    let mut server = server();
    let own = ["100004 2 udp 834", "100004 2 tcp 834"];
    assert_eq!(registered(&server.network).expect("we are the portmapper"), own);
    server.kill();
    let rpcbind = Rpcbind::start(&server.network);
    assert_eq!(registered(&server.network), Ok(vec![]));
    let outcome = server.start_again();
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(registered(&server.network).expect("rpcbind answers"), own);
    for binding in ["domain cluster server 10.77.0.1", "domain cluster broadcast"] {
        let outcome = expect(&server.network, binding, &TABLE);
        server.explain_failure(outcome).unwrap_or_else(|error| panic!("{binding}: {error}"));
    }
    // Killed, it leaves its entries behind; the next one is not kept out by them.
    server.kill();
    let outcome = server.start_again();
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
    let outcome = server.stop();
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(registered(&server.network), Ok(vec![]), "it took its entries back");
    drop(rpcbind);
}
