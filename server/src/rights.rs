//! Privileges: what the server needs, and how it gives the rest away.

use crate::problem::{Problem, problem};
use nix::unistd::{Group, User, chown, setgroups, setresgid, setresuid};
use rustix::fs::Access;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_keep_capabilities};
use std::path::Path;

/// What the server needs for as long as it runs, each with what for.
const NEEDED: [(CapabilitySet, &str, &str); 3] = [
    (CapabilitySet::NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "ports 53, 67, 69 and 80"),
    (CapabilitySet::NET_RAW, "CAP_NET_RAW", "frames to clients without an address"),
    (CapabilitySet::NET_ADMIN, "CAP_NET_ADMIN", "neighbour entries of machines in mid-boot"),
];

/// What the threads that serve files by NFS keep: the root file system of a node has files that only root may read.
const READS_EVERYTHING: CapabilitySet = CapabilitySet::DAC_READ_SEARCH;

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
/// `owned` is what this user has to be able to write, `for_operators` what the group of operators has to be able to write too, if there is one. A warning, if there is something
/// to warn of.
///
/// With `reads` the calling thread may go on reading everything, until it calls [`keep_needed`]: what it starts meanwhile takes that over.
///
/// To be called with all sockets open and no thread running that needs more: each thread has capabilities of its own.
pub(crate) fn drop_to(
    user: &str,
    (owned, for_operators): (&[&Path], &Path),
    reads: bool,
) -> Result<Option<String>, Problem> {
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
    let group = operators().map_or(found.gid, |group| group.gid);
    let owned = owned.iter().map(|path| (*path, found.gid)).chain([(for_operators, group)]);
    for (path, group) in owned {
        chown(path, Some(found.uid), Some(group))
            .map_err(|e| problem!("{} cannot be given to the user {user}: {e}", path.display()))?;
    }
    become_user(&found, reads).map_err(|e| problem!("heorot cannot become the user {user}: {e}"))?;
    Ok(None)
}

/// Whether the process may make files in a directory.
pub(crate) fn may_write(directory: &Path) -> bool {
    rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn become_user(user: &User, reads: bool) -> Result<(), std::io::Error> {
    // Without this the change of user would clear the permitted set too (capabilities(7)).
    set_keep_capabilities(true)?;
    // Who is in the group of operators may give it a socket that is made anew.
    let groups: Vec<_> = [Some(user.gid), operators().map(|group| group.gid)].into_iter().flatten().collect();
    setgroups(&groups)?;
    setresgid(user.gid, user.gid, user.gid)?;
    setresuid(user.uid, user.uid, user.uid)?;
    set_keep_capabilities(false)?;
    let reading = if reads { READS_EVERYTHING } else { CapabilitySet::empty() };
    keep(needed() | reading)
}

fn needed() -> CapabilitySet {
    NEEDED.iter().fold(CapabilitySet::empty(), |all, (capability, _, _)| all | *capability)
}

/// Keeps only these capabilities, of this thread.
fn keep(kept: CapabilitySet) -> Result<(), std::io::Error> {
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    Ok(set_capabilities(None, sets)?)
}

/// Gives away the right to read everything, if this thread is not root's.
pub(crate) fn keep_needed() {
    if !nix::unistd::geteuid().is_root() && reads_everything() {
        // Giving away cannot be refused.
        let _ = keep(needed());
    }
}

/// Gives away all but the right to read everything, if this thread is not root's.
pub(crate) fn keep_reading() {
    if !nix::unistd::geteuid().is_root() {
        let kept = if reads_everything() { READS_EVERYTHING } else { CapabilitySet::empty() };
        let _ = keep(kept);
    }
}

/// Whether this thread may read and search whatever there is.
pub(crate) fn reads_everything() -> bool {
    capabilities(None).is_ok_and(|held| held.effective.contains(READS_EVERYTHING))
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

/// The group of a user, as it can be typed; of one that there is not, what `useradd` would make.
pub(crate) fn group_of(user: &str) -> String {
    let Some(found) = User::from_name(user).ok().flatten() else { return user.to_owned() };
    let group = Group::from_gid(found.gid).ok().flatten();
    group.map_or_else(|| found.gid.to_string(), |group| group.name)
}

/// The group whose members may use the control socket, if it exists.
pub(crate) fn operators() -> Option<Group> {
    Group::from_name("heorot").ok().flatten()
}
