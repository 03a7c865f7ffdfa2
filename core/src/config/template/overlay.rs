//! The template of a small file of a node. It is read when the file is asked for, so that what is wrong with it is told to who waits for it.

use super::{Values, compile, named_attributes};
use crate::limit::{OVERLAY_FILE_OCTETS_MAX, OVERLAY_TEMPLATE_OCTETS_MAX, OVERLAY_TEMPLATE_STEPS_MAX};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Value, context};
use std::net::Ipv4Addr;

/// What the template of a small file may speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayValues {
    /// `node`, `cluster` and `server`.
    pub values: Values,
    /// `node.networks`
    pub networks: Vec<OverlayNetwork>,
    /// `boot.profile`: the name of its profile.
    pub profile: String,
}

/// A network that a node is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayNetwork {
    /// What the node is called there: `node23-ib`.
    pub name: String,
    /// Its address there.
    pub address: Ipv4Addr,
    /// The length of its prefix.
    pub prefix: u8,
    /// The router, or nothing.
    pub gateway: String,
    /// Ours there.
    pub server: Ipv4Addr,
}

/// What is long, and made for a template only if that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlayList {
    /// `cluster.hosts`: all names and addresses, as in hosts(5).
    Hosts,
    /// `cluster.known_hosts`: the SSH host keys of all nodes.
    KnownHosts,
}

/// Everything that such a template may name, beside `node.attributes.NAME`.
pub const OVERLAY_VARIABLES: [&str; 10] = [
    "node.name",
    "node.number",
    "node.mac",
    "node.address",
    "node.networks",
    "cluster.name",
    "cluster.hosts",
    "cluster.known_hosts",
    "server.address",
    "boot.profile",
];

/// Makes a file. `list` makes what is long.
///
/// # Errors
/// The line, and what is wrong there.
pub fn render_overlay(
    text: &str,
    given: &OverlayValues,
    list: &dyn Fn(OverlayList) -> Result<String, String>,
) -> Result<String, String> {
    if text.len() > OVERLAY_TEMPLATE_OCTETS_MAX {
        return Err(format!("a template has at most {OVERLAY_TEMPLATE_OCTETS_MAX} octets"));
    }
    let line = |at: usize| text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let shown = |error: super::TemplateError| {
        let meant = error.nearest.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        format!("line {}: {}{meant}", line(error.span.start), error.message)
    };
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .map_err(|error| error.to_string())?;
    let environment = compile(text, OVERLAY_TEMPLATE_STEPS_MAX, syntax).map_err(shown)?;
    let attributes = named_attributes(&environment, text, &OVERLAY_VARIABLES).map_err(shown)?;
    let from_engine = |error: &minijinja::Error| shown(super::TemplateError::from_engine(text, error));
    let template = environment.get_template(super::NAME).map_err(|error| from_engine(&error))?;
    let named = template.undeclared_variables(true);
    let made = |name: &str, which| if named.contains(name) { list(which) } else { Ok(String::new()) };
    let (hosts, known_hosts) =
        (made("cluster.hosts", OverlayList::Hosts)?, made("cluster.known_hosts", OverlayList::KnownHosts)?);
    let OverlayValues { values, networks, profile } = given;
    let (node, _, server) = values.context(&attributes);
    let of_network = |network: &OverlayNetwork| {
        let OverlayNetwork { name, address, prefix, gateway, server } = network;
        let (address, server) = (address.to_string(), server.to_string());
        context! { name, address, prefix, gateway, server }
    };
    let networks: Vec<Value> = networks.iter().map(of_network).collect();
    let node = context! { networks, ..node };
    let cluster = context! { name => values.cluster_name.as_str(), hosts, known_hosts };
    let boot = context! { profile };
    let rendered =
        template.render(context! { node, cluster, server, boot }).map_err(|error| from_engine(&error))?;
    if rendered.len() > OVERLAY_FILE_OCTETS_MAX {
        return Err(format!("what it makes is longer than {OVERLAY_FILE_OCTETS_MAX} octets"));
    }
    Ok(rendered)
}

#[cfg(test)]
mod tests;
