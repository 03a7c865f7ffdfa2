//! `make loss`: a UEFI machine boots Linux through GRUB, with no loss and with one frame of a hundred lost each way.
//!
//! GRUB asks block by block and never repeats an acknowledgement: what is lost of a file, the server alone can mend (RFC 1350 section 2).

use crate::demo::machine_mac;
use crate::machine::{Firmware, Machine, check_firmware};
use crate::network::{Network, SERVER_INTERFACE, SERVER_PORT};
use crate::packages;
use crate::server::{Server, Settings};
use std::fs;
use std::io::Write;
use std::time::Duration;

/// Frames that are dropped between the server and the segment, by chance, in both directions.
#[derive(Debug)]
pub struct Loss<'a>(&'a Network);

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// On the way from the server.
    pub from_server: u64,
    /// On the way to it.
    pub to_server: u64,
}

impl<'a> Loss<'a> {
    /// Drops so many frames of a thousand each way, from now on and until the network is no more.
    ///
    /// # Errors
    /// In words, with what `nft` or `ip` said.
    pub fn begin(network: &'a Network, per_thousand: u32) -> Result<Self, String> {
        // A train of blocks is one frame to the kernel, and would be lost whole: it leaves in pieces, as on a real wire.
        network.server.ip(&format!("link set {SERVER_INTERFACE} gso_max_segs 1"))?;
        for (namespace, device) in [(&network.segment, SERVER_PORT), (&network.server, SERVER_INTERFACE)] {
            let rules = format!(
                "table netdev loss {{ chain lose {{ type filter hook ingress device {device} priority 0; \
                 numgen random mod 1000 < {per_thousand} counter drop; }}; }}"
            );
            namespace.ask("nft", &[&rules])?;
        }
        Ok(Self(network))
    }

    /// How many were dropped so far.
    ///
    /// # Errors
    /// In words, with what `nft` said.
    pub fn dropped(&self) -> Result<Dropped, String> {
        let count = |namespace: &crate::namespace::Namespace| {
            let listed = namespace.ask("nft", &["list", "table", "netdev", "loss"])?;
            let mut words = listed.split_whitespace().skip_while(|word| *word != "packets");
            words.nth(1).and_then(|count| count.parse().ok()).ok_or_else(|| format!("no count in {listed}"))
        };
        Ok(Dropped { from_server: count(&self.0.segment)?, to_server: count(&self.0.server)? })
    }
}

/// Boots both ways, `rounds` times.
///
/// # Errors
/// In words, if a boot does not come to its end, or takes twice as long with loss as without.
pub fn run(rounds: u8, output: &mut impl Write) -> Result<String, String> {
    let mut say =
        |text: &str| writeln!(output, "{text}").and_then(|()| output.flush()).map_err(|e| e.to_string());
    let (mut ratios, mut too_long) = (Vec::new(), 0);
    for round in 1..=rounds {
        let (clear, _) = boot(round, 0)?;
        let (lossy, dropped) = boot(round, PER_THOUSAND)?;
        if dropped.from_server == 0 || dropped.to_server == 0 {
            return Err(format!("nothing was lost each way: {dropped:?}"));
        }
        let ratio = lossy.as_secs_f64() / clear.as_secs_f64();
        say(&format!(
            "round {round}: {:.1} s without loss, {:.1} s with 1 %: {ratio:.2} times as long; {} frames lost from the server, {} to it",
            clear.as_secs_f64(),
            lossy.as_secs_f64(),
            dropped.from_server,
            dropped.to_server
        ))?;
        too_long += u32::from(ratio >= RATIO_MAX);
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().ok_or("no round was asked for")?;
    let verdict = format!(
        "a UEFI boot through GRUB with 1 % loss takes {median:.2} times as long as without, by the median of {rounds}"
    );
    if too_long == 0 {
        Ok(verdict)
    } else {
        Err(format!("{verdict}; {too_long} took {RATIO_MAX} times as long or longer"))
    }
}

/// From power-on to the kernel's first line, when GRUB has loaded all: on a segment of its own, with a server that knows nothing yet.
fn boot(round: u8, per_thousand: u32) -> Result<(Duration, Dropped), String> {
    check_firmware(Firmware::Uefi)?;
    let server = through_grub(Settings::default())?;
    let loss = Loss::begin(&server.network, per_thousand)?;
    let booted = Machine::start(&server.network, Firmware::Uefi, machine_mac(round)).and_then(|machine| {
        let line = machine.wait_for("Linux version", PATIENCE)?;
        Ok((machine.elapsed(line.at), loss.dropped()?))
    });
    server.explain_failure(booted)
}

/// A server that gives UEFI machines GRUB, and GRUB the kernel and its RAM disk.
///
/// # Errors
/// As [`Server::start`].
pub fn through_grub(settings: Settings) -> Result<Server, String> {
    let server = Server::start(&Settings { uefi_loader: GRUB.to_owned(), ..settings })?;
    let grub = packages::fetch()?.grub_efi();
    fs::copy(&grub, server.boot_file(GRUB)).map_err(|error| format!("{}: {error}", grub.display()))?;
    Ok(server)
}

/// What GRUB is called in the boot directory.
pub const GRUB: &str = "grubnetx64.efi";
const PER_THOUSAND: u32 = 10;
/// What is asked of a lossy boot: less than this many times as long.
const RATIO_MAX: f64 = 2.0;
/// A boot without loss takes 20-40 s in an emulated machine.
const PATIENCE: Duration = Duration::from_secs(300);
