//! Names while machines boot: the same process answers both, and whoever asks for a name should not notice.
//!
//! Who asks is beside the server, on the head node: the queue of the link that the machines load their images by is no part of the answer's time.

use super::WARM_UP_PATIENCE;
use super::asker::{Asker, Load};
use super::figures::Part;
use super::questions::Asked;
use super::wanted::Wanted;
use crate::files::Files;
use crate::link::{Link, SERVER};
use crate::servers::{Kind, Running};
use crate::speed::processor;
use crate::{say, storm};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The link of the machines: the fastest that two processors shape.
const LINK: &str = "200Mbit";
/// Questions a second: of a thousand machines that boot, each asks for some names.
const RATE: u32 = 2_000;
/// Of the storm, this is measured at a time.
const PIECE: Duration = Duration::from_millis(500);

/// heorot alone: before a storm, and in it.
pub(super) fn beside_none(wanted: &Wanted, files: &Files) -> Result<(), String> {
    say(&format!(
        "\nNames, {RATE} a second, while nothing happens and while {} machines boot over {LINK}, {} run(s)\n{:<8}{:>10}{:>10}{:>10}{:>8}{:>10}\n",
        wanted.storm, wanted.runs, "", "MED µs", "99% µs", "99.9% µs", "FAILED", "x 99%"
    ));
    let link = Link::new(LINK)?;
    let mut ratios = Vec::new();
    for run in 0..wanted.runs {
        let (quiet, stormy, row) = measure(wanted, run, &link, files)?;
        let ratio = stormy.most_microseconds / quiet.most_microseconds;
        ratios.push(ratio);
        say(&line("quiet", &quiet, 1.0));
        say(&format!("{}  {row}\n", line("storm", &stormy, ratio).trim_end()));
    }
    ratios.sort_by(f64::total_cmp);
    say(&format!(
        "99 of 100 took {:.2} times as long in the storm (median)\n",
        ratios[(ratios.len() - 1) / 2]
    ));
    Ok(())
}

fn measure(wanted: &Wanted, run: u32, link: &Link, files: &Files) -> Result<(Part, Part, String), String> {
    let running = Running::start(Kind::Heorot, link, files)?;
    let address = SocketAddr::from((SERVER, 53));
    let is_over = AtomicBool::new(false);
    let words = ["storm".to_owned(), format!("nodes={}", wanted.storm)];
    let machines = crate::wanted::Wanted::parse(&words)?;
    let outcome = link.server.enter(|| {
        let mut asker = Asker::new(address, Asked::Names.messages(), run.into())?;
        asker.warm_up(WARM_UP_PATIENCE)?;
        let load = Load::Gently(RATE);
        processor::wait_for_quiet(wanted.quiet)?;
        let quiet = asker.run(load, wanted.within)?;
        std::thread::scope(|scope| {
            let storm = scope.spawn(|| {
                let row = storm::machines(link, &machines, LINK, u64::from(run) + 1);
                is_over.store(true, Ordering::Release);
                row
            });
            let mut stormy = super::asker::Outcome::default();
            while !is_over.load(Ordering::Acquire) {
                let piece = asker.run(load, PIECE)?;
                stormy.seconds += piece.seconds;
                stormy.took.extend(piece.took);
                stormy.lost += piece.lost;
                stormy.wrong += piece.wrong;
            }
            let row = storm.join().map_err(|_| "the storm panicked".to_owned())??;
            Ok((quiet, stormy, crate::table::line("", &row)))
        })
    });
    let (quiet, stormy, row) = outcome.map_err(|why| format!("{why}\n{}", running.tail()))?;
    Ok((Part::of(&quiet, Duration::ZERO), Part::of(&stormy, Duration::ZERO), row.trim().to_owned()))
}

fn line(name: &str, part: &Part, ratio: f64) -> String {
    format!(
        "{name:<8}{:>10.1}{:>10.1}{:>10.1}{:>8}{ratio:>10.2}\n",
        part.median_microseconds, part.most_microseconds, part.nearly_all_microseconds, part.failed
    )
}
