//! What a name costs: DNS servers beside each other, asked for the same names by the same client.
//!
//! ```text
//!   namespace "server", first processor        namespace "clients", second processor
//!   a server, 10.77.0.1 on eth1 ───────veth─────── eth1, 10.77.0.2: who asks, and NSD, which knows the names of others
//! ```
//!
//! Each is asked twice: as fast as it answers, which tells what a question costs it, and at a rate that all can keep, which tells how long an answer takes.
//!
//! - [`questions`]: what is asked, and the zones; [`servers`]: how each is configured; [`asker`]: who asks;
//! - [`storm`]: names while a thousand machines boot; [`figures`]: what came of it; [`wanted`]: what was asked for.

mod asker;
mod figures;
mod questions;
mod servers;
mod storm;
mod wanted;

use crate::files::Files;
use crate::link::{Link, SERVER};
use crate::say;
use crate::speed::processor;
use asker::{Asker, Load};
use figures::{Figures, Part};
use questions::{Asked, NAMES};
use servers::Peer;
use std::net::SocketAddr;
use std::time::Duration;
use wanted::Wanted;

/// Servers start, and are asked for each name once, in far less.
const WARM_UP_PATIENCE: Duration = Duration::from_secs(30);
/// What a server does after its last answer.
const AFTERMATH: Duration = Duration::from_millis(100);

/// All tables.
///
/// # Errors
/// In words: what was asked for is not understood, or root's rights are missing.
pub(crate) fn beside_others(words: &[String]) -> Result<(), String> {
    let wanted = Wanted::parse(words)?;
    let files = Files::new(1_000_000)?;
    servers::write_zones(&files)?;
    if !wanted.only.is_empty() {
        let link = Link::unshaped()?;
        say(&format!(
            "{NAMES} names of each kind, in an order of chance. Left: {} questions under way at a time; right: {} a second. Medians of {} run(s) of {} s each.\n\
             CPU is user and system time of the server's threads, with the softirqs that run on them: that is the way of an answer to the client's socket.\n\n{}",
            wanted.at_once,
            wanted.rate,
            wanted.runs,
            wanted.within.as_secs(),
            figures::head()
        ));
        for asked in &wanted.only {
            compare(*asked, &wanted, &link, &files)?;
        }
    }
    if wanted.storm > 0 { storm::beside_knot(&wanted, &files) } else { Ok(()) }
}

/// All servers that answer such questions, one of each in turn, so that all see the same weather.
fn compare(asked: Asked, wanted: &Wanted, link: &Link, files: &Files) -> Result<(), String> {
    let _others = (asked == Asked::Forwards).then(|| servers::start_others(link, files)).transpose()?;
    let servers: Vec<Peer> = wanted.servers.iter().copied().filter(|server| server.answers(asked)).collect();
    let mut all: Vec<Vec<Figures>> = vec![Vec::new(); servers.len()];
    for run in 0..wanted.runs {
        for (server, figures) in servers.iter().zip(&mut all) {
            let result = measure(*server, asked, run, wanted, link, files);
            figures.push(result.unwrap_or_else(|why| Figures::none(&why)));
        }
    }
    let medians: Vec<Figures> = all.iter().map(|figures| figures::medians(figures)).collect();
    for (server, figures) in servers.iter().zip(&medians) {
        say(&figures::line(asked.name(), server.name(), figures, &medians[0]));
    }
    Ok(())
}

/// One server, asked in all ways.
fn measure(
    server: Peer,
    asked: Asked,
    run: u32,
    wanted: &Wanted,
    link: &Link,
    files: &Files,
) -> Result<Figures, String> {
    processor::wait_for_quiet(wanted.quiet)?;
    let mut running = server.start(link, files)?;
    let address = SocketAddr::from((SERVER, servers::DNS_PORT));
    let parts = link.clients.enter(|| {
        let mut asker = Asker::new(address, asked.messages(), run.into())?;
        asker.warm_up(WARM_UP_PATIENCE)?;
        processor::pin(&link.server, processor::OF_SERVERS)?;
        processor::pin_this_thread(processor::OF_CLIENTS)?;
        let mut part = |load| {
            let before = (processor::used(&link.server)?, processor::used_by_all()?);
            let outcome = asker.run(load, wanted.within)?;
            let all = processor::used_by_all()? - before.1;
            std::thread::sleep(AFTERMATH);
            let used = processor::used(&link.server)? - before.0;
            // Who asks never sleeps.
            let others = all.saturating_sub(used).as_secs_f64() / outcome.seconds - 1.0;
            Ok::<_, String>(Part { others: others.max(0.0), ..Part::of(&outcome, used) })
        };
        Ok((part(Load::AtOnce(wanted.at_once))?, part(Load::EachSecond(wanted.rate))?))
    });
    if let Some(ended) = running.ended() {
        return Err(format!("{ended}: {}", running.tail()));
    }
    let (fast, paced) = parts.map_err(|why| format!("{why}\n{}", running.tail()))?;
    let dnsperf = wanted.dnsperf.then(|| by_dnsperf(asked, wanted, link, files)).transpose()?;
    Ok(Figures { fast, paced, dnsperf, ..Figures::default() })
}

/// What `dnsperf` finds: answers a second; and the processor's time for one, in microseconds.
fn by_dnsperf(asked: Asked, wanted: &Wanted, link: &Link, files: &Files) -> Result<(f64, f64), String> {
    let program = servers::dnsperf()?;
    let questions: String =
        (0..NAMES).map(|number| asked.words(number)).map(|(name, kind)| format!("{name} {kind}\n")).collect();
    let file = crate::servers::write(files, "dnsperf.questions", &questions)?;
    let (server, seconds, at_once) =
        (SERVER.to_string(), wanted.within.as_secs().to_string(), wanted.at_once.to_string());
    let mut command = link.clients.command("taskset");
    command.args(["--cpu-list", &processor::OF_CLIENTS.to_string()]).arg(program).arg("-d").arg(file);
    command.args(["-s", &server, "-l", &seconds, "-q", &at_once, "-c", "1", "-T", "1"]);
    command.env("LD_LIBRARY_PATH", crate::debian::libraries());
    let before = processor::used(&link.server)?;
    let said = heorot_lab::command::run(&mut command, wanted.within + Duration::from_secs(20))?;
    let used = processor::used(&link.server)? - before;
    let number = |name: &str| {
        let rest = said.lines().find_map(|line| line.trim().strip_prefix(name))?;
        rest.split_whitespace().next()?.parse::<f64>().ok()
    };
    match (number("Queries completed:"), number("Queries per second:")) {
        (Some(completed), Some(rate)) => Ok((rate, used.as_secs_f64() * 1e6 / completed.max(1.0))),
        (None, _) | (_, None) => Err(format!("dnsperf: {said}")),
    }
}
