//! `make demo`: two machines that nobody has seen before, from power-on to a number, a name, and a second boot into a Debian over NFS.

use crate::machine::{Firmware, Machine};
use crate::network::{Network, SERVER};
use crate::server::{Server, Settings, address_of};
use crate::sniff::{Frame, Sniffer, What, violations};
use crate::timeline::Timeline;
use crate::tree;
use heorot_agent::dhcp::Kind;
use heorot_agent::frame::Mac;
use std::io::Write;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// From power-on to `up` takes 20-40 s in an emulated machine; this is for a busy host.
pub const BOOT_PATIENCE: Duration = Duration::from_secs(180);

/// Walks through all of it, and prints what happens.
///
/// # Errors
/// In words, at the first thing that is not as it should be.
pub fn run(output: &mut impl Write) -> Result<String, String> {
    // Made once; it takes half a minute, of which the machines' boots are not a part.
    let tree = tree::debian()?;
    let served = format!("\n[nfs]\ndirectories = [\"{}\"]\n", tree.display());
    let settings = Settings { further: served, ..Settings::through_pxelinux() };
    let server = Server::start(&settings)?;
    let with_root = Settings { profile: format!("root = \"nfs:{}\"", tree.display()), ..settings };
    let outcome = walk(&server, &with_root, output);
    server.explain_failure(outcome)
}

fn walk(server: &Server, with_root: &Settings, output: &mut impl Write) -> Result<String, String> {
    let mut say =
        |text: &str| writeln!(output, "{text}").and_then(|()| output.flush()).map_err(|e| e.to_string());
    let network = &server.network;
    let sniffer = Sniffer::start(network)?;
    let macs = [machine_mac(1), machine_mac(2)];
    let mut machines = Vec::new();
    for mac in macs {
        machines.push(Machine::new(network, Firmware::Bios, mac)?);
    }
    say(&format!("two BIOS machines are switched on: {} and {}\n", macs[0], macs[1]))?;
    for machine in &mut machines {
        machine.power_on()?;
    }
    let mut nodes = Vec::new();
    for machine in &machines {
        nodes.push(Up::wait(machine)?);
    }
    for (machine, up) in machines.iter().zip(&nodes) {
        say(&format!("{}, from power-on to {} in {:.1} s:", machine.mac, up.name, up.after.as_secs_f64()))?;
        say(&Timeline::of(machine, server)?.to_string())?;
    }
    let mut names: Vec<_> = nodes.iter().map(|up| up.name.as_str()).collect();
    names.sort_unstable();
    if names != ["node0", "node1"] {
        return Err(format!("the machines became {names:?}, not node0 and node1"));
    }

    for up in &nodes {
        let (forward, reverse) = dig_both_ways(network, &up.name, up.address)?;
        say(&format!("dig {}.cluster -> {forward}     dig -x {} -> {reverse}", up.name, up.address))?;
    }

    // Whichever of the two was first.
    let node0 = usize::from(nodes[0].name != "node0");
    let (machine, first) = (&mut machines[node0], &nodes[node0]);
    say(&format!(
        "\nits profile gets a root: {}\n{} ({}) is switched off and on:",
        with_root.profile, first.name, machine.mac
    ))?;
    server.reconfigure(with_root)?;
    machine.power_cycle()?;
    let second = Up::wait(machine)?;
    let root = runs_debian_over_nfs(machine, &first.name)?;
    say(&Timeline::of(machine, server)?.to_string())?;
    let frames = sniffer.frames();
    straight_to_its_number(&frames, machine, first, &second)?;

    let server_mac = sniffer.server;
    let wrong = violations(&sniffer.stop()?, server_mac);
    if !wrong.is_empty() {
        return Err(format!("on the wire: {}", wrong.join("; ")));
    }
    Ok(format!(
        "two machines from power-on to node0 and node1 in {:.1} s and {:.1} s, names answered both ways, {} again in {:.1} s straight to {}, into {root}",
        nodes[0].after.as_secs_f64(),
        nodes[1].after.as_secs_f64(),
        second.name,
        second.after.as_secs_f64(),
        second.address,
    ))
}

/// What the system of the root says of itself: its host name has to be the node's.
fn runs_debian_over_nfs(machine: &Machine, name: &str) -> Result<String, String> {
    const SOON: Duration = Duration::from_secs(30);
    let line = machine.wait_for(tree::SAYS, SOON)?;
    let said = line.text.split_once(tree::SAYS).map_or("", |(_, said)| said);
    match said.strip_prefix(&format!("{name} overlay over nfs, ")).and_then(|rest| rest.split(',').next()) {
        Some(system) => Ok(format!("{system} over NFS, whose hostname is {name}")),
        None => Err(format!("the root of {name} says: {said}")),
    }
}

/// How a boot ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Up {
    /// The node's name.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// From power-on to here.
    pub after: Duration,
    /// When that was.
    pub at: Instant,
}

impl Up {
    /// Waits until the machine says `up as NAME (ADDRESS)`, and holds the name and the address against each other.
    ///
    /// # Errors
    /// In words, if it does not come to that.
    pub fn wait(machine: &Machine) -> Result<Self, String> {
        const UP: &str = "up as ";
        let line = machine.wait_for(UP, BOOT_PATIENCE)?;
        let (name, address) = line
            .text
            .split_once(UP)
            .and_then(|(_, rest)| rest.split_once(' '))
            .and_then(|(name, rest)| Some((name, rest.strip_prefix('(')?.split(')').next()?.parse().ok()?)))
            .ok_or_else(|| format!("not understood on the console: {}", line.text))?;
        let number: Option<u32> = name.strip_prefix("node").and_then(|number| number.parse().ok());
        if number.map(address_of) != Some(address) {
            return Err(format!("{name} is at {address}, which is not the address of its number"));
        }
        Ok(Self { name: name.to_owned(), address, after: machine.elapsed(line.at), at: line.at })
    }
}

/// A hardware address for machine `number` of a test.
#[must_use]
pub fn machine_mac(number: u8) -> Mac {
    Mac([0x52, 0x54, 0x00, 0x77, 0x00, number])
}

/// Asks from the client's namespace for a name and for its reverse.
///
/// # Errors
/// In words, if an answer is not the right one.
pub fn dig_both_ways(network: &Network, name: &str, address: Ipv4Addr) -> Result<(String, String), String> {
    let name = format!("{name}.cluster");
    let forward = dig(network, &["+short", &name, "A"])?;
    if forward != address.to_string() {
        return Err(format!("dig {name}: {forward:?} instead of {address}"));
    }
    let reverse = dig(network, &["+short", "-x", &address.to_string()])?;
    if reverse != format!("{name}.") {
        return Err(format!("dig -x {address}: {reverse:?} instead of {name}."));
    }
    Ok((forward, reverse))
}

/// Runs `dig` in the client's namespace, against the server.
///
/// # Errors
/// In words, if it gets no answer.
pub fn dig(network: &Network, question: &[&str]) -> Result<String, String> {
    let server = format!("@{SERVER}");
    let arguments: Vec<_> =
        [server.as_str(), "+time=2", "+tries=3"].iter().chain(question).copied().collect();
    network.client.ask("dig", &arguments).map(|answer| answer.trim().to_owned())
}

/// In its second boot a node is offered its own address at its first DISCOVER, and never another.
///
/// # Errors
/// In words, if that is not what was on the wire.
pub fn straight_to_its_number(
    frames: &[Frame],
    machine: &Machine,
    first: &Up,
    second: &Up,
) -> Result<(), String> {
    if (&first.name, first.address) != (&second.name, second.address) {
        return Err(format!(
            "{} at {} became {} at {}",
            first.name, first.address, second.name, second.address
        ));
    }
    let offers: Vec<_> = frames
        .iter()
        .filter(|frame| frame.at >= machine.powered_at)
        .filter_map(|frame| match &frame.what {
            What::Reply(reply) if reply.mac == machine.mac && reply.kind == Kind::Offer => {
                Some(reply.address)
            }
            What::Reply(_)
            | What::Arp(_)
            | What::Release(_)
            | What::Discover
            | What::Up(_)
            | What::Packet(_) => None,
        })
        .collect();
    if offers.is_empty() || offers.iter().any(|offer| *offer != first.address) {
        return Err(format!(
            "{} was offered {offers:?} in its second boot, not {}",
            machine.mac, first.address
        ));
    }
    Ok(())
}
