//! A boot file by HTTP, from heorot and from nginx, over a cable that is no limit.
//!
//! ```text
//!   namespace "server", first processor        namespace "clients", second processor
//!   a server, 10.77.0.1 on eth1 ───────veth─────── eth1: so many connections, each of which loads the file again and again
//! ```
//!
//! Both servers have one processor, the file in the kernel's memory, and sendfile; nginx writes no log of requests. What the clients get they throw away unread, so that one processor
//! is enough for them. Before it is measured, one client loads the file whole and compares it.
//!
//! - [`loads`]: who asks.

mod loads;

use crate::files::{Files, WHOLE};
use crate::link::{Link, SERVER};
use crate::process;
use crate::say;
use crate::servers::{Kind, Running};
use crate::speed::processor;
use loads::Loads;
use std::net::SocketAddr;
use std::time::Duration;

/// What was asked for.
struct Wanted {
    clients: usize,
    runs: usize,
    octets: usize,
    seconds: u64,
}

/// How long it runs before it is measured: a server that measures its link has found it by then.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long others are waited for.
const QUIET: Duration = Duration::from_secs(20);
const HTTP_PORT: u16 = 80;

/// One run of one server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Figures {
    octets_per_second: f64,
    processor_seconds_per_gigabyte: f64,
    /// The most that all its processes ever had in memory.
    memory_octets: u64,
    /// What the machine's processors did for neither server nor clients, of one processor.
    others: f64,
}

/// The table.
///
/// # Errors
/// In words: what was asked for is not understood, or root's rights are missing.
pub(crate) fn beside_nginx(words: &[String]) -> Result<(), String> {
    let wanted = Wanted::parse(words)?;
    let files = Files::new(wanted.octets)?;
    let link = Link::unshaped()?;
    say(&format!(
        "{} connections load {} MB again and again, medians of {} run(s) of {} s\n{:<12}{:>9}{:>11}{:>10}{:>12}{:>9}\n",
        wanted.clients,
        wanted.octets / 1_000_000,
        wanted.runs,
        wanted.seconds,
        "SERVER",
        "MB/S",
        "OF NGINX",
        "CPU-S/GB",
        "MEMORY MB",
        "OTHERS"
    ));
    let servers = [Kind::Nginx, Kind::HeorotAuto];
    let mut all = [Vec::new(), Vec::new()];
    // One of each in turn, so that both see the same weather.
    for _ in 0..wanted.runs {
        for (kind, runs) in servers.iter().zip(&mut all) {
            runs.push(run(*kind, &link, &files, &wanted)?);
        }
    }
    let medians = all.map(|runs| median(&runs));
    for (kind, figures) in servers.iter().zip(&medians) {
        let name = if *kind == Kind::Nginx { "nginx" } else { "heorot" };
        say(&format!(
            "{name:<12}{:>9.0}{:>11.2}{:>10.3}{:>12.1}{:>9.2}\n",
            figures.octets_per_second / 1e6,
            figures.octets_per_second / medians[0].octets_per_second,
            figures.processor_seconds_per_gigabyte,
            figures.memory_octets as f64 / 1e6,
            figures.others
        ));
    }
    Ok(())
}

fn run(kind: Kind, link: &Link, files: &Files, wanted: &Wanted) -> Result<Figures, String> {
    let mut running = Running::start(kind, link, files)?;
    let address = SocketAddr::from((SERVER, HTTP_PORT));
    let expected = std::fs::read(files.boot().join(WHOLE)).map_err(|error| error.to_string())?;
    let measured = link.clients.enter(|| {
        loads::compare(address, WHOLE, &expected)?;
        processor::wait_for_quiet(QUIET)?;
        processor::pin(&link.server, processor::OF_SERVERS)?;
        processor::pin_this_thread(processor::OF_CLIENTS)?;
        let mut loads = Loads::open(address, WHOLE, wanted.clients, expected.len() as u64)?;
        loads.run(WARM_UP)?;
        let own = || process::processor_time(std::process::id()).unwrap_or_default();
        let before = (processor::used(&link.server)?, processor::used_by_all()?, own());
        let (octets, seconds) = loads.run(Duration::from_secs(wanted.seconds))?;
        let used = (processor::used(&link.server)? - before.0).as_secs_f64();
        let all = (processor::used_by_all()? - before.1).as_secs_f64();
        let own = (own() - before.2).as_secs_f64();
        Ok((octets, seconds, used, (all - used - own) / seconds))
    });
    let memory = running.process_ids().filter_map(process::memory_octets).map(|(_, most)| most).sum();
    let problem = running.ended();
    let words = running.tail();
    drop(running);
    let (octets, seconds, used, others) = measured.map_err(|why| match problem {
        Some(problem) => format!("{problem}: {words}"),
        None => why,
    })?;
    Ok(Figures {
        octets_per_second: octets as f64 / seconds,
        processor_seconds_per_gigabyte: used / (octets as f64 / 1e9),
        memory_octets: memory,
        others: others.max(0.0),
    })
}

/// Each figure's own.
fn median(runs: &[Figures]) -> Figures {
    let middle = |figure: fn(&Figures) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(figure).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
    };
    Figures {
        octets_per_second: middle(|run| run.octets_per_second),
        processor_seconds_per_gigabyte: middle(|run| run.processor_seconds_per_gigabyte),
        memory_octets: runs.iter().map(|run| run.memory_octets).max().unwrap_or_default(),
        others: middle(|run| run.others),
    }
}

impl Wanted {
    /// Words as `clients=100`.
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut wanted = Self { clients: 100, runs: 5, octets: 32_000_000, seconds: 6 };
        for word in words {
            let (key, value) = word.split_once('=').ok_or_else(|| format!("{word}: say KEY=VALUE"))?;
            let number: usize = value.parse().map_err(|_| format!("{word}: that is no number"))?;
            if number == 0 {
                return Err(format!("{word}: at least one"));
            }
            match key {
                "clients" => wanted.clients = number,
                "runs" => wanted.runs = number,
                "octets" => wanted.octets = number,
                "seconds" => wanted.seconds = number as u64,
                _ => return Err(format!("{key}: there are clients, runs, octets and seconds")),
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_medians() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let wanted = Wanted::parse(&words("clients=7 octets=1000")).unwrap();
        assert_eq!((wanted.clients, wanted.octets, wanted.runs), (7, 1000, 5));
        for wrong in ["clients", "clients=0", "clients=x", "other=1"] {
            assert!(Wanted::parse(&words(wrong)).is_err(), "{wrong}");
        }
        let run = |speed: f64| Figures {
            octets_per_second: speed,
            memory_octets: speed as u64,
            ..Figures::default()
        };
        let middle = median(&[run(3.0), run(1.0), run(2.0)]);
        assert_eq!((middle.octets_per_second, middle.memory_octets), (2.0, 3));
    }
}
