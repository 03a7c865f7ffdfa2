//! heorot beside other servers, from one run: `make bench-storm` and `make bench-plain` over a shaped link, `make bench-speed` over one that is no limit,
//! `make bench-loss` over one that loses frames.
//! `make bench-dhcp` asks DHCP servers over a bare cable, `make bench-dns` DNS servers and `make bench-nfs` NFS servers, `make bench-http` loads a boot file by HTTP, `make bench-start` measures how long heorot takes to start, and what it takes up when idle.
//! `make kill-leases` kills heorot under a load of DHCP, again and again.
//!
//! ```text
//!   namespace "server"             namespace "link"                            namespace "clients"
//!   a server, 10.77.0.1 on eth1 ──veth── tbf <─ bridge ─> tbf ──veth── eth1: heorot storm
//! ```
//!
//! Each server in turn is started, stormed, and ended by its process id; all of them serve the same files. Needs root, and Debian's packages of the others.
//!
//! - [`link`]: the namespaces and the shaper; [`files`]: what is served; [`storm`]: `heorot storm` at the far end;
//! - [`servers`]: how each is configured and started; [`debian`]: where the others come from;
//! - [`speed`]: what a megabyte costs, with links, clients and a table of its own;
//! - [`wanted`]: what was asked for; [`table`]: what came of it;
//! - [`dhcp`]: the DHCP servers, with clients and tables of its own; [`dns`]: the DNS servers, the same; [`nfs`]: the NFS servers;
//! - [`http`]: boot files by HTTP, beside nginx; [`kills`]: what heorot knows after it was killed;
//! - [`start`]: how long heorot takes to start, and what it takes up when nothing happens; [`process`]: what the kernel says of that.

mod debian;
mod dhcp;
mod dns;
mod files;
mod http;
mod kills;
mod link;
mod nfs;
mod process;
mod servers;
mod speed;
mod start;
mod storm;
mod table;
mod wanted;

use files::Files;
use link::Link;
use servers::{Kind, Running};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use table::Row;
use wanted::{Bench, Wanted};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        // A server of its own, started as the others are.
        Some((word, [file])) if word == "bare" => ended(speed::bare::serve(Path::new(file))),
        Some((word, words)) if word == "dhcp" => ended(dhcp::beside_others(words)),
        Some((word, words)) if word == "dns" => ended(dns::beside_others(words)),
        Some((word, words)) if word == "nfs" => ended(nfs::beside_others(words)),
        Some((word, words)) if word == "http" => ended(http::beside_nginx(words)),
        Some((word, words)) if word == "start" => ended(start::measure(words)),
        Some((word, words)) if word == "kills" => ended(kills::run(words)),
        _ => ended(Wanted::parse(&arguments).and_then(|wanted| match wanted.bench {
            Bench::Storm => storm_beside_others(&wanted),
            Bench::Plain => plain_beside_others(&wanted),
            Bench::Speed => speed::beside_others(&wanted),
            Bench::Loss => loss_beside_others(&wanted),
        })),
    }
}

fn ended(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "heorot-bench: {why}");
            ExitCode::from(2)
        }
    }
}

/// Whole boots: DHCP, loader, image.
fn storm_beside_others(wanted: &Wanted) -> Result<(), String> {
    let files = Files::new(wanted.image_octets)?;
    for rate in &wanted.links {
        say(&format!(
            "\n{} machines from power-on within {}, {} kB each beside their boot files, {rate}, {} run(s)\n",
            wanted.nodes,
            wanted.within,
            wanted.image_octets / 1000,
            wanted.runs
        ));
        let link = Link::new(rate)?;
        say(&table::head());
        for kind in &wanted.servers {
            compare(*kind, wanted, &link, &files, |seed| storm::machines(&link, wanted, rate, seed))?;
        }
    }
    Ok(())
}

/// TFTP alone, in lock-step and in windows.
fn plain_beside_others(wanted: &Wanted) -> Result<(), String> {
    let files = Files::new(wanted.image_octets)?;
    for rate in &wanted.links {
        let link = Link::new(rate)?;
        for (clients, window) in &wanted.windows {
            say(&format!(
                "\n{clients} TFTP clients, windows of {window}, {} kB each, {rate}, {} run(s)\n",
                wanted.image_octets / 1000,
                wanted.runs
            ));
            say(&table::head());
            for kind in &wanted.servers {
                let storm = |seed| storm::plain(&link, wanted, rate, *clients, *window, seed);
                compare(*kind, wanted, &link, &files, storm)?;
            }
        }
    }
    Ok(())
}

/// How firmware asks, as measured under a silent server: its name, its window, and how long it waits after each of its sends, before it repeats itself or gives up. What a lost packet costs is the first of
/// these where the server leaves it to the client; and who is lost here would be lost at a real machine too.
/// EDK2 has one wait for all of six sends (0, 4.0, ... 20.0 s, the end at 24.1 s), iPXE doubles its own (0, 0.27, 0.82, 1.86, 3.90, 7.96 s, the end at 18.3 s), and PXELINUX goes by a table of its source
/// (core/fs/pxe/tftp.c, ticks of 54.9 ms), 131 s in all. The last is longer than a run: who waits at its end is counted as unfinished.
const FIRMWARE: [(&str, u16, &str); 3] = [
    ("EDK2", 4, "4000ms"),
    ("iPXE", 1, "270ms,550ms,1040ms,2040ms,4060ms,10300ms"),
    (
        "PXELINUX",
        1,
        "110ms,110ms,165ms,165ms,220ms,275ms,330ms,384ms,494ms,549ms,659ms,824ms,989ms,1153ms,1428ms,1703ms,2032ms,2417ms,2911ms,3515ms,4229ms,\
         5053ms,6042ms,7250ms,8733ms,10491ms,12578ms,14006ms,14006ms,14006ms,14006ms",
    ),
];
/// One of a hundred.
const LOST_PER_THOUSAND: u32 = 10;

/// TFTP alone where frames are lost.
fn loss_beside_others(wanted: &Wanted) -> Result<(), String> {
    let files = Files::new(wanted.image_octets)?;
    let link = Link::lossy(LOST_PER_THOUSAND)?;
    for (firmware, window, retry) in FIRMWARE {
        say(&format!(
            "\n1 % of all frames lost each way: {} clients as {firmware} (windows of {window}, a first timer of {}), {} kB each, {} run(s)\n",
            wanted.nodes,
            retry.split(',').next().unwrap_or_default(),
            wanted.image_octets / 1000,
            wanted.runs
        ));
        say(&table::head());
        for kind in &wanted.servers {
            let storm = |seed| storm::repeating(&link, wanted, window, retry, seed);
            compare(*kind, wanted, &link, &files, storm)?;
        }
    }
    Ok(())
}

/// As many runs as were asked for, each with a server that knows nothing yet; then the row of their medians.
fn compare(
    kind: Kind,
    wanted: &Wanted,
    link: &Link,
    files: &Files,
    storm: impl Fn(u64) -> Result<Row, String>,
) -> Result<(), String> {
    let mut rows = Vec::new();
    for run in 0..wanted.runs {
        let mut running = match Running::start(kind, link, files) {
            Ok(running) => running,
            Err(why) => {
                say(&format!("{:<24}{why}\n", kind.name()));
                return Ok(());
            }
        };
        // Another seed has other machines: none of them is known from before.
        let row =
            storm(wanted.seed + run).map_err(|why| format!("{}: {why}\n{}", kind.name(), running.tail()))?;
        rows.push(row.with(running.ended()));
    }
    say(&table::line(kind.name(), &table::medians(&rows)));
    Ok(())
}

fn say(text: &str) {
    let mut output = std::io::stdout();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}
