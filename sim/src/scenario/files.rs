//! What a node is made of small files, and what becomes of those that it loads, as a story tells it.

use super::Teller;
use heorot_core::config::OverlayNetwork;
use heorot_core::message::{Input, NodeFiles, Query, RequestId, Via};
use heorot_core::time::Wall;
use heorot_core::transfer::{Outcome, Part, Protocol, Transfer};
use std::net::SocketAddrV4;

/// By what machines load, if nothing else is told, and from which port.
const TFTP: (Protocol, u16, Option<Part>) = (Protocol::Tftp, 2070, None);
/// The same, as it did before.
const TFTP_BEFORE: (Protocol, u16, Option<Part>) = (Protocol::Tftp, 2069, None);

impl Teller {
    /// What an operator sees of a node's files.
    pub(super) fn files_of(&mut self, name: &str) -> Option<Vec<String>> {
        self.requests += 1;
        let query = Query::Files(self.mac(name).map_or_else(|| name.to_owned(), |mac| mac.to_string()));
        let input = Input::Operator { id: RequestId(self.requests), wall: Wall(0), query };
        let out = self.world()?.happen(input);
        Some(self.lines(out, None))
    }

    /// What was told last cannot be made; or, without a reason, whoever asked had gone.
    pub(super) fn not_made(&mut self, why: &str) -> Option<Vec<String>> {
        let (mac, given) = self.files?;
        let why = Some(why.to_owned()).filter(|why| !why.is_empty());
        let out = self.world()?.happen(Input::NotMade { mac, given, why });
        Some(self.lines(out, None))
    }

    /// It asks, and what it is given by TFTP it gets.
    pub(super) fn gets(&mut self, letter: char, path: &str) -> Option<Vec<String>> {
        let mut lines = self.asks(letter, Via::Tftp(TFTP.1), path)?;
        let is_refused = |line: &String| line.starts_with("missing: ") || line.starts_with("refused: ");
        if self.addresses.contains_key(&letter) && !lines.iter().any(is_refused) {
            // The journal has it of everybody.
            let before = self.quiet.len();
            lines.extend(self.ended(letter, TFTP, path, 0, Outcome::Complete)?);
            self.quiet.truncate(before);
        }
        Some(lines)
    }

    /// What becomes of a file that it asked for by TFTP.
    pub(super) fn by_tftp(&mut self, letter: char, what: &[&str]) -> Option<Vec<String>> {
        let (by, path, octets, outcome): (_, _, _, fn(String) -> Outcome) = match what {
            ["begins", path] => return self.asks(letter, Via::Tftp(TFTP.1), path),
            ["breaks-off", path, octets, ..] => (TFTP, path, octets, Outcome::Failed),
            ["leaves", path, octets, ..] => (TFTP, path, octets, Outcome::Left),
            ["left-before", path, octets, ..] => (TFTP_BEFORE, path, octets, Outcome::Left),
            ["lost-before", path, octets, ..] => (TFTP_BEFORE, path, octets, Outcome::Failed),
            _ => return None,
        };
        self.ended(letter, by, path, octets.parse().ok()?, outcome(what[3..].join(" ")))
    }

    /// What becomes of a file that it fetched.
    pub(super) fn by_http(&mut self, letter: char, what: &[&str]) -> Option<Vec<String>> {
        /// From where it asks, and from where it did before.
        const PORTS: [u16; 2] = [40_000, 40_001];
        let [port, before] = PORTS;
        let (port, path, octets, outcome) = match what {
            [begun @ ("begins" | "began-before"), path] => {
                let port = if *begun == "begins" { port } else { before };
                let to = SocketAddrV4::new(*self.addresses.get(&letter)?, port);
                let out = self.world()?.happen(Input::Sending { to, path: (*path).into() });
                return Some(self.lines(out, Some(letter)));
            }
            ["gets", path, octets] => (port, path, octets, Outcome::Complete),
            ["loses", path, octets, why @ ..] => (port, path, octets, Outcome::Failed(why.join(" "))),
            ["breaks-off", path, octets, why @ ..] => (port, path, octets, Outcome::BrokenOff(why.join(" "))),
            ["gets-part", path, part, "of", size] => {
                let (from, end) = part.split_once('-')?;
                let octets = from.parse().ok()?..end.parse().ok()?;
                let whole = (Protocol::Http, port, Some(Part { octets, size: size.parse().ok()? }));
                return self.ended(letter, whole, path, end.parse().ok()?, Outcome::Complete);
            }
            ["lost-before", path, octets, why @ ..] => (before, path, octets, Outcome::Failed(why.join(" "))),
            _ => return None,
        };
        self.ended(letter, (Protocol::Http, port, None), path, octets.parse().ok()?, outcome)
    }

    /// A transfer to it ends.
    pub(super) fn ended(
        &mut self,
        letter: char,
        (by, port, part): (Protocol, u16, Option<Part>),
        path: &str,
        octets: u64,
        outcome: Outcome,
    ) -> Option<Vec<String>> {
        let peer = SocketAddrV4::new(*self.addresses.get(&letter)?, port);
        let transfer = Transfer { peer, path: path.into(), part, by, octets, resent: 0, outcome };
        let out = self.world()?.happen(Input::Transferred(transfer));
        Some(self.lines(out, Some(letter)))
    }
}

/// From which directories, and whose.
pub(super) fn shown(files: &NodeFiles) -> String {
    let overlays = &files.overlays;
    let secrets = overlays.secret.iter().map(|name| format!("{name} (secret)"));
    let key = overlays.ssh_host_key.then(|| "the SSH host key".to_owned());
    let parts: Vec<_> = overlays.open.iter().cloned().chain(secrets).chain(key).collect();
    let values = &files.values;
    let network =
        |network: &OverlayNetwork| format!("{} {}/{}", network.name, network.address, network.prefix);
    let networks: Vec<_> = values.networks.iter().map(network).collect();
    format!(
        "files of number {} at {}, for {}: {}; {}",
        files.number,
        values.values.node_address,
        values.profile,
        parts.join(", "),
        networks.join(", ")
    )
}
