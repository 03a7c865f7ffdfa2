//! Whoever is asked for the nodes says the same of all 4,096, forward and backward: this server by DNS, BIND and Knot DNS that copied its zones,
//! glibc by NIS, and glibc by the names file; before, during and after the promotion of a machine.

use heorot_lab::command::run;
use heorot_lab::demo::machine_mac;
use heorot_lab::host::SimulatedHost;
use heorot_lab::network::{CLIENT, SERVER};
use heorot_lab::secondary::{Copies, Secondary};
use heorot_lab::server::{Server, Settings, program};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Knot's address; BIND has the client's own.
const KNOT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);
const ZONES: [&str; 3] = ["cluster", "77.10.in-addr.arpa", "78.10.in-addr.arpa"];

/// Longer than a debug build on a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Every second, the names file and NIS take what is new.
const SOON: Duration = Duration::from_secs(5);

/// Nodes 1024 and above are on a second network, behind a relay that nobody needs here; two have names of their own, two are machines that
/// are known.
fn settings() -> Settings {
    let further = format!(
        r#"
[[network]]
interface = "eth1"
address = "10.78.0.0/16"
numbers = "1024-4095"
first = "10.78.1.0"
temporary = "10.78.200.1-10.78.200.254"
[[node]]
mac = "52:54:00:00:00:17"
number = 23
name = "login"
[[node]]
mac = "52:54:00:00:00:18"
number = 2000
name = "storage"
[names]
file = "SCRATCH/names"
[nis]
domain = "cluster"
[dns]
secondaries = ["{CLIENT}", "{KNOT}"]
"#
    );
    Settings { further, ..Settings::default() }
}

/// What each number has: an address, and the name that is told for the address.
type Nodes = BTreeMap<u32, (Ipv4Addr, String)>;

fn by_arithmetic() -> Nodes {
    let node = |number: u32| {
        let (first, lowest) = match number {
            0..1024 => (Ipv4Addr::new(10, 77, 1, 0), 0),
            _ => (Ipv4Addr::new(10, 78, 1, 0), 1024),
        };
        let name = match number {
            23 => "login".to_owned(),
            2000 => "storage".to_owned(),
            number => format!("node{number}"),
        };
        (number, (Ipv4Addr::from_bits(first.to_bits() + number - lowest), format!("{name}.cluster")))
    };
    (0..4096).map(node).collect()
}

/// The nodes of zones that somebody gives away whole: addresses of the computed names, and what the reverse zones say of these.
fn by_zone(server: &Server, whom: Ipv4Addr) -> Result<Nodes, String> {
    let at = format!("@{whom}");
    let transfer = |zone: &str| {
        let question = [at.as_str(), "-b", "10.77.0.2", "+noall", "+answer", "+onesoa", "AXFR", zone];
        server.network.client.ask("dig", &question)
    };
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for zone in ["77.10.in-addr.arpa", "78.10.in-addr.arpa"] {
        names.extend(records(&transfer(zone)?, "PTR"));
    }
    let addresses = records(&transfer("cluster")?, "A");
    let address = |name: &str| addresses.get(name)?.parse::<Ipv4Addr>().ok();
    let nodes = (0..4097).filter_map(|number| {
        let address = address(&format!("node{number}.cluster."))?;
        let [a, b, c, d] = address.octets();
        let name = names.get(&format!("{d}.{c}.{b}.{a}.in-addr.arpa."))?.trim_end_matches('.').to_owned();
        Some((number, (address, name)))
    });
    Ok(nodes.collect())
}

/// Name and data of all records of a type.
fn records(zone: &str, kind: &str) -> BTreeMap<String, String> {
    let fields = zone.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let wanted = fields.filter_map(|fields| match fields[..] {
        [name, _, "IN", found, data] if found == kind => Some((name.to_owned(), data.to_owned())),
        _ => None,
    });
    wanted.collect()
}

/// What a batch of `getent hosts` said, a line a node in their order: address and first name.
fn by_lines(said: &str) -> Nodes {
    let node = |(number, line): (u32, &str)| {
        let mut words = line.split_whitespace();
        Some((number, (words.next()?.parse().ok()?, words.next()?.to_owned())))
    };
    (0..).zip(said.lines()).filter_map(node).collect()
}

/// Runs commands on a host that has both services, bound to this server. What each said.
fn client(server: &Server, commands: &[String]) -> Result<Vec<String>, String> {
    let module = program()?.with_file_name("libnss_heorot.so");
    let prepare = format!(
        "cp -a /etc /run/etc && mkdir -p /run/etc/heorot /run/lib && ln -s {} /run/etc/heorot/names && cp {} /run/lib/libnss_heorot.so.2 && mount --bind /run/etc /etc",
        server.scratch_file("names").display(),
        module.display()
    );
    let commands: Vec<String> = std::iter::once(prepare).chain(commands.iter().cloned()).collect();
    let mut command = server.network.client.command("unshare");
    command.args(["--mount", "--uts", "--pid", "--fork", "--kill-child", "sh", "-c"]);
    command.args([include_str!("nis/client.sh"), "sh", "domain cluster server 10.77.0.1"]).args(&commands);
    let said = run(command.env("LD_LIBRARY_PATH", "/run/lib"), PATIENCE)?;
    let parts = said.split("--- ").skip(1).filter_map(|part| part.split_once('\n'));
    let parts: Vec<String> = parts.map(|(_, said)| said.trim_end().to_owned()).collect();
    if parts.len() == commands.len() { Ok(parts[1..].to_vec()) } else { Err(said) }
}

/// Asks everybody for everything.
fn agree(server: &Server, secondaries: &[Secondary], when: &str) {
    let expected = by_arithmetic();
    let differ = |whom: &str, found: &Nodes| {
        let wrong = expected.iter().find(|(number, node)| found.get(number) != Some(node));
        assert_eq!(wrong.map(|(number, _)| (number, found.get(number))), None, "{when}: {whom}");
        assert_eq!(found.len(), expected.len(), "{when}: {whom}");
    };
    for secondary in secondaries {
        let copied = secondary.wait_for_copies(server, &ZONES);
        server.explain_failure(copied).unwrap_or_else(|error| panic!("{when}: {error}"));
    }
    let whom = [("heorot", SERVER)].into_iter().chain(secondaries.iter().map(|one| ("a copy", one.address)));
    for (name, address) in whom {
        let found = by_zone(server, address).unwrap_or_else(|error| panic!("{when}: {name}: {error}"));
        differ(&format!("{name} at {address}"), &found);
    }

    // Each name and each address, by glibc, with both services.
    let names: Vec<String> = expected.keys().map(|number| format!("node{number}")).collect();
    let addresses: Vec<String> = expected.values().map(|(address, _)| address.to_string()).collect();
    // NIS's own client has to find localhost, by the files that go before it.
    let ways: Vec<(&str, String)> = [("NIS", ""), ("the names file", "-s heorot")]
        .into_iter()
        .flat_map(|(service, option)| {
            [&names, &addresses].map(|asked| (service, format!("getent {option} hosts {}", asked.join(" "))))
        })
        .collect();
    let commands: Vec<String> = ways.iter().map(|(_, command)| command.clone()).collect();
    let said = client(server, &commands);
    let said = server.explain_failure(said).unwrap_or_else(|error| panic!("{when}: {error}"));
    for ((service, command), said) in ways.iter().zip(&said) {
        let begins = |text: &str| text.chars().take(60).collect::<String>();
        differ(&format!("{service}: {}: {}", begins(command), begins(said)), &by_lines(said));
    }
}

/// A machine asks, is tried and gets a number, as a firmware and then its agent would, and has its address from then on.
fn promote(server: &Server, number: u32) -> Result<SimulatedHost, String> {
    let mut machine = SimulatedHost::new(server.network.host(machine_mac(7))?)?;
    let temporary = machine.boot()?;
    let menu = machine.fetch(&format!("pxelinux.cfg/01-{}", machine.mac().to_string().replace(':', "-")))?;
    let menu = String::from_utf8_lossy(&menu).into_owned();
    let words = menu.split_whitespace();
    let url = words.filter_map(|word| word.strip_prefix("heorot=")).next().ok_or_else(|| menu.clone())?;
    let namespace = &machine.host().namespace;
    namespace.ip(&format!("address add {temporary}/16 dev eth0"))?;
    let checks = ["memory", "processors", "shell"]
        .map(|check| format!(r#"{{"name":"{check}","passed":true,"detail":""}}"#));
    let passed = format!(r#"{{"passed":true,"checks":[{}],"facts":{{}}}}"#, checks.join(","));
    let answer = namespace.ask("curl", &["-sS", "-f", "-m", "10", "-d", &passed, &format!("{url}/trial")])?;
    if !answer.contains(&format!("\"name\":\"node{number}\"")) {
        return Err(answer);
    }
    namespace.ip(&format!("address add 10.77.1.{number}/16 dev eth0"))?;
    Ok(machine)
}

/// The tools by which people reach node 0, each by each service.
fn people_reach_it(server: &Server) -> Result<(), String> {
    let by_service = ["dns", "nis", "heorot"].into_iter().flat_map(|service| {
        let services = format!("echo 'hosts: files {service}' > /etc/nsswitch.conf");
        let servers = "printf 'nameserver 10.77.0.1\\nsearch cluster\\n' > /etc/resolv.conf";
        // Nobody listens for ssh there: whom it connects to is all that matters.
        let ssh = "ssh -v -o BatchMode=yes -o ConnectTimeout=5 node0 true";
        [
            ("ping -c 1 -W 5 node0 | grep -v statistics".to_owned(), vec!["(10.77.1.0)", " 1 received"]),
            (ssh.into(), vec!["Connecting to node0 [10.77.1.0] port 22"]),
            ("getent ahosts node0".into(), vec!["10.77.1.0"]),
        ]
        .map(|(command, expected)| (format!("{services}; {servers}; {command}"), expected))
    });
    let by_host = [
        ("host node0.cluster 10.77.0.1".to_owned(), vec!["node0.cluster has address 10.77.1.0"]),
        (
            "host 10.77.1.0 10.77.0.1".into(),
            vec!["0.1.77.10.in-addr.arpa domain name pointer node0.cluster."],
        ),
    ];
    let (commands, expected): (Vec<String>, Vec<_>) = by_service.chain(by_host).unzip();
    for ((command, expected), said) in commands.iter().zip(expected).zip(client(server, &commands)?) {
        if let Some(missing) = expected.iter().find(|words| !said.contains(**words)) {
            return Err(format!("{missing:?} is not in what `{command}` says:\n{said}"));
        }
    }
    Ok(())
}

#[test]
fn everybody_says_the_same() {
    let server = Server::start(&settings()).expect("the lab and the server start");
    server.network.client.ip(&format!("address add {KNOT}/16 dev eth0")).expect("a second address");
    let copies = Copies { zones: &ZONES, secret: None };
    let secondaries = [Secondary::bind(&server, CLIENT, copies), Secondary::knot(&server, KNOT, copies)]
        .map(|secondary| secondary.expect("it starts"));
    agree(&server, &secondaries, "before");

    let over = AtomicBool::new(false);
    let question = ["@10.77.0.1", "+short", "+time=2", "+tries=1", "node0.cluster", "-x", "10.77.1.0"];
    let (told, _machine) = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut told: BTreeMap<String, u32> = BTreeMap::new();
            while !over.load(Ordering::Relaxed) {
                let answer = server.network.client.ask("dig", &question).unwrap_or_else(|error| error);
                *told.entry(answer).or_default() += 1;
            }
            told
        });
        let outcome = promote(&server, 0);
        // Some more, now that it is a node.
        thread::sleep(Duration::from_millis(300));
        over.store(true, Ordering::Relaxed);
        let machine = server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
        (asking.join().expect("it asks"), machine)
    });
    assert_eq!(told.keys().collect::<Vec<_>>(), ["10.77.1.0\nnode0.cluster.\n"], "during: {told:?}");
    agree(&server, &secondaries, "after");
    people_reach_it(&server).unwrap_or_else(|error| panic!("{error}"));

    // What is new after it: which hardware address the node has.
    let since = Instant::now();
    let ethers = "getent ethers node0; getent -s heorot ethers node0".to_owned();
    let expected = format!("{0} node0\n{0} node0", short(&machine_mac(7).to_string()));
    loop {
        let said = client(&server, std::slice::from_ref(&ethers)).expect("it is asked");
        if said == [expected.clone()] {
            break;
        }
        assert!(since.elapsed() < SOON, "{said:?} instead of {expected:?}");
    }
}

/// As glibc writes it.
fn short(mac: &str) -> String {
    let octets = mac.split(':').map(|octet| if octet == "00" { "0" } else { octet.trim_start_matches('0') });
    octets.collect::<Vec<_>>().join(":")
}
