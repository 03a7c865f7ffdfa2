//! A directory by NFS, through the kernel's client (mount(2); nfs(5) has the options). The kernel finds out nothing by itself: the address
//! goes among the options, and versions are tried here.

use super::{Share, Trouble};
use crate::say;
use crate::waiting::Waiting;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use std::net::Ipv4Addr;
use std::path::Path;

/// Mounts it, with the first of these versions that the server speaks.
pub(super) fn mount_share(
    share: &Share,
    address: Ipv4Addr,
    versions: &[&str],
    target: &Path,
) -> Result<String, Trouble> {
    let shown = format!("{}:{}", share.server, share.path);
    let source = format!("{address}:{}", share.path);
    let mut outcome = Errno::EPROTONOSUPPORT;
    for version in versions {
        let options = options(&share.options, address, version);
        say!("mounting {shown} by NFS ({options})");
        let _waiting = Waiting::on(format!("{shown} by NFS"));
        match mount(Some(source.as_str()), target, Some("nfs"), MsFlags::MS_RDONLY, Some(options.as_str())) {
            Ok(()) => return Ok(format!("{shown} by NFS {version}")),
            Err(error) => outcome = error,
        }
        // Only of a version that is not spoken is it worth trying another.
        if !matches!(outcome, Errno::EPROTONOSUPPORT | Errno::EINVAL) {
            break;
        }
    }
    Err(explain(&shown, outcome))
}

/// The options as the kernel needs them: what it does not find out itself is added to what was given.
fn options(given: &str, address: Ipv4Addr, version: &str) -> String {
    let has = |wanted: &[&str]| {
        given.split(',').any(|option| wanted.contains(&option.split('=').next().unwrap_or_default()))
    };
    let mut options: Vec<String> =
        given.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
    if !has(&["vers", "nfsvers"]) {
        options.push(format!("vers={version}"));
    }
    if !has(&["proto", "tcp", "udp"]) {
        options.push("proto=tcp".to_owned());
    }
    // Nobody answers for locks in an initial RAM disk, and nobody writes.
    if version == "3" && !has(&["nolock", "lock", "local_lock"]) {
        options.push("nolock".to_owned());
    }
    options.push(format!("addr={address}"));
    options.join(",")
}

/// What went wrong, and what there is to do.
fn explain(shown: &str, error: Errno) -> Trouble {
    const KNOWN: [(Errno, &str); 9] = [
        (Errno::EACCES, "the server lets this machine not have it: look at its exports"),
        (Errno::EPERM, "the server lets this machine not have it: look at its exports"),
        (Errno::ENOENT, "the server has no such directory"),
        (Errno::ENOTDIR, "that is no directory"),
        (Errno::ECONNREFUSED, "nobody serves NFS there"),
        (Errno::ETIMEDOUT, "no answer"),
        (Errno::EHOSTUNREACH, "there is no way to that server"),
        (Errno::ENETUNREACH, "there is no way to that server"),
        (Errno::EPROTONOSUPPORT, "the server speaks no version of NFS that is wanted"),
    ];
    if error == Errno::ENODEV {
        return Trouble::Final(format!(
            "{shown}: the kernel has no NFS client, and the initial RAM disk no module for it: heorot initrd puts it in"
        ));
    }
    let why = KNOWN.iter().find(|(known, _)| *known == error).map_or_else(|| error.desc(), |(_, why)| why);
    Trouble::Waiting(format!("{shown}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_does_not_find_out_is_added() {
        let cases = [
            ("", "3", "vers=3,proto=tcp,nolock,addr=10.77.0.1"),
            ("", "4.2", "vers=4.2,proto=tcp,addr=10.77.0.1"),
            (
                "vers=3,proto=tcp,nolock,port=2049,mountport=2049",
                "3",
                "vers=3,proto=tcp,nolock,port=2049,mountport=2049,addr=10.77.0.1",
            ),
            ("nfsvers=4.1,rsize=65536", "4.2", "nfsvers=4.1,rsize=65536,proto=tcp,addr=10.77.0.1"),
        ];
        for (given, version, expected) in cases {
            assert_eq!(options(given, Ipv4Addr::new(10, 77, 0, 1), version), expected, "{given}");
        }
    }

    #[test]
    fn a_kernel_without_the_client_is_not_waited_for() {
        assert!(matches!(explain("head:/root", Errno::ENODEV), Trouble::Final(_)));
        assert!(matches!(explain("head:/root", Errno::ECONNREFUSED), Trouble::Waiting(_)));
    }
}
