//! The root of a node, as its agent is told: `null`, or where it is mounted or fetched from.

use crate::cluster::boot;
use crate::config::{Config, Export, Root};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// What is told of this root to a node that reaches us at `server`.
pub(super) fn told(config: &Config, root: &Root, server: Ipv4Addr) -> Value {
    // Locks are the business of a service that no initial RAM disk has, and that a root which is only read does not need.
    const OPTIONS: &str = "vers=3,proto=tcp,nolock";
    match root {
        Root::None => Value::Null,
        Root::Here(directory) => {
            // Both at one port: the client need not ask a portmapper, which may be another program's.
            let port = config.nfs.as_ref().map_or(NFS_PORT, |nfs| nfs.port);
            let options = format!("{OPTIONS},port={port},mountport={port}");
            json!({ "kind": "nfs", "server": server, "path": directory, "options": options })
        }
        Root::Nfs(Export { server, path }) => {
            json!({ "kind": "nfs", "server": server, "path": path, "options": OPTIONS })
        }
        Root::Nfs4(Export { server, path }) => {
            json!({ "kind": "nfs4", "server": server, "path": path, "options": "proto=tcp" })
        }
        Root::Image(file) => json!({ "kind": "http", "url": boot::url(config, server, file) }),
        Root::Url(url) => json!({ "kind": "http", "url": url }),
    }
}

/// Where NFS is (RFC 1813 section 2.1), should nothing be said of it.
const NFS_PORT: u16 = 2049;

#[cfg(test)]
mod tests;
