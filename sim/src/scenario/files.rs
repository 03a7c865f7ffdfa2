//! What a node is made of small files, as a story tells it.

use super::Teller;
use heorot_core::config::OverlayNetwork;
use heorot_core::message::{Input, NodeFiles, Query, RequestId};
use heorot_core::time::Wall;

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
