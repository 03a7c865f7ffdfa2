//! The answer to a client that says its name (RFC 4702). Nodes' names are computed and true as soon as they have a number: there is nothing to enter
//! anywhere, by nobody, and no name that a node wishes for counts. A host without a number goes by the name that it says, if that is free
//! (`cluster/naming.rs`).

use crate::wire::dhcp::fqdn::Fqdn;
use crate::wire::dhcp::{Message, option};

/// The option for the reply. None: the client sent none, so that it gets none (RFC 4702 4), or none that can be understood.
pub(super) fn answer(asked: &Message, true_name: Option<String>) -> Option<Vec<u8>> {
    let asked = Fqdn::parse(asked.options.get(option::FQDN)?)?;
    // RFC 4702 4: S says whether the server makes the name true, N that nobody is to; both never. O says that the client wanted it otherwise. Whom we
    // have no name for, and who wants to enter its own, has nobody to enter it with: our zones take no updates for names that are not theirs.
    let has_name = true_name.is_some();
    let answer = Fqdn {
        server_updates: has_name,
        overridden: asked.server_updates != has_name,
        canonical: asked.canonical,
        no_updates: !has_name,
        name: true_name.unwrap_or(asked.name),
    };
    answer.write()
}

#[cfg(test)]
mod tests;
