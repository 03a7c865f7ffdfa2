//! Privileges: what the server needs, and how it gives the rest away.

use crate::problem::{Problem, problem};
use nix::unistd::{Group, User, chown, setgroups, setresgid, setresuid};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_keep_capabilities};
use std::path::Path;

/// What the server needs for as long as it runs, each with what for.
const NEEDED: [(CapabilitySet, &str, &str); 3] = [
    (CapabilitySet::NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "ports 53, 67, 69 and 80"),
    (CapabilitySet::NET_RAW, "CAP_NET_RAW", "frames to clients without an address"),
    (CapabilitySet::NET_ADMIN, "CAP_NET_ADMIN", "neighbour entries of machines in mid-boot"),
];

/// Makes sure, before anything starts, that the server may do what it has to.
pub(crate) fn check() -> Result<(), Problem> {
    let held =
        capabilities(None).map_err(|e| problem!("the process's capabilities cannot be read: {e}"))?.effective;
    let missing: Vec<String> = NEEDED
        .iter()
        .filter(|(capability, _, _)| !held.contains(*capability))
        .map(|(_, name, purpose)| format!("  {name}: for {purpose}"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(problem!(
        "heorot serve lacks privileges:\n{}\n  start it as root (it drops to `server.user` itself), or give it these capabilities",
        missing.join("\n")
    ))
}

/// Whether [`drop_to`] is going to become another user than the present one.
pub(crate) fn loses_rights(user: &str) -> bool {
    nix::unistd::geteuid().is_root() && User::from_name(user).is_ok_and(|found| found.is_some())
}

/// Becomes the user of the configuration, if we are root and there is one, and keeps only the capabilities that are needed.
/// `owned` is what this user has to be able to write. A warning, if there is something to warn of.
///
/// To be called with all sockets open and no thread running that needs more: each thread has capabilities of its own.
pub(crate) fn drop_to(user: &str, owned: &[&Path]) -> Result<Option<String>, Problem> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    let Some(found) =
        User::from_name(user).map_err(|e| problem!("the user {user} cannot be looked up: {e}"))?
    else {
        return Ok(Some(format!(
            "there is no user {user}: heorot goes on as root. Better create it: useradd --system --no-create-home {user}"
        )));
    };
    for path in owned {
        chown(*path, Some(found.uid), Some(found.gid))
            .map_err(|e| problem!("{} cannot be given to the user {user}: {e}", path.display()))?;
    }
    become_user(&found).map_err(|e| problem!("heorot cannot become the user {user}: {e}"))?;
    Ok(None)
}

fn become_user(user: &User) -> Result<(), std::io::Error> {
    // Without this the change of user would clear the permitted set too (capabilities(7)).
    set_keep_capabilities(true)?;
    setgroups(&[user.gid])?;
    setresgid(user.gid, user.gid, user.gid)?;
    setresuid(user.uid, user.uid, user.uid)?;
    set_keep_capabilities(false)?;
    let kept = NEEDED.iter().fold(CapabilitySet::empty(), |all, (capability, _, _)| all | *capability);
    set_capabilities(
        None,
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
    )?;
    Ok(())
}

/// Gives away all capabilities of this thread, if they are not those of root: a thread that reads files or speaks HTTP needs none.
pub(crate) fn renounce() {
    if !nix::unistd::geteuid().is_root() {
        let none = CapabilitySet::empty();
        // Giving away cannot be refused.
        let _ =
            set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none });
    }
}

/// Allows as many descriptors as may be: each machine that loads by HTTP needs two. What is refused shows later, as connections that wait.
pub(crate) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// The group whose members may use the control socket, if it exists.
pub(crate) fn operators() -> Option<Group> {
    Group::from_name("heorot").ok().flatten()
}
