//! Names while machines boot: the same process answers both, and whoever asks for a name should not notice.
//!
//! Who asks is beside the server, on the head node: the queue of the link that the machines load their images by is no part of the answer's time.

use super::asker::{Asker, Load, Outcome};
use super::figures::Part;
use super::questions::Asked;
use super::wanted::Wanted;
use super::{WARM_UP_PATIENCE, servers};
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

/// Where Knot DNS is asked, which has nothing to do with the storm: what its answers take longer is the machine's doing.
const BESIDE_PORT: u16 = 5353;

/// heorot, and Knot DNS beside it: before a storm, and in it.
pub(super) fn beside_knot(wanted: &Wanted, files: &Files) -> Result<(), String> {
    say(&format!(
        "\nNames, {RATE} a second, while nothing happens and while {} machines boot over {LINK}: of heorot, which boots them, and of knotd, which does not. {} run(s)\n{:<16}{:>10}{:>10}{:>10}{:>8}{:>8}\n",
        wanted.storm, wanted.runs, "", "MED µs", "99% µs", "99.9% µs", "FAILED", "x 99%"
    ));
    let link = Link::new(LINK)?;
    let mut ratios = [Vec::new(), Vec::new()];
    for run in 0..wanted.runs {
        let (parts, row) = measure(wanted, run, &link, files)?;
        for ((name, [quiet, stormy]), ratios) in ["heorot", "knotd"].iter().zip(parts).zip(&mut ratios) {
            let ratio = stormy.most_microseconds / quiet.most_microseconds;
            ratios.push(ratio);
            say(&line(&format!("{name}, quiet"), &quiet, 1.0));
            say(&line(&format!("{name}, storm"), &stormy, ratio));
        }
        say(&format!("{}{row}\n", crate::table::head()));
    }
    for (name, mut ratios) in ["heorot", "knotd"].into_iter().zip(ratios) {
        ratios.sort_by(f64::total_cmp);
        let middle = ratios[(ratios.len() - 1) / 2];
        say(&format!("{name}: 99 of 100 took {middle:.2} times as long in the storm (median)\n"));
    }
    Ok(())
}

/// What both took before and in a storm, and what came of the storm.
fn measure(
    wanted: &Wanted,
    run: u32,
    link: &Link,
    files: &Files,
) -> Result<([[Part; 2]; 2], String), String> {
    let running = Running::start(Kind::Heorot, link, files)?;
    let _beside = servers::start_knot_beside(link, files, BESIDE_PORT)?;
    let is_over = AtomicBool::new(false);
    let words = ["storm".to_owned(), format!("nodes={}", wanted.storm)];
    let machines = crate::wanted::Wanted::parse(&words)?;
    let outcome = link.server.enter(|| {
        let asker = |port| Asker::new(SocketAddr::from((SERVER, port)), Asked::Names.messages(), run.into());
        let mut askers = [asker(servers::DNS_PORT)?, asker(BESIDE_PORT)?];
        for asker in &mut askers {
            asker.warm_up(WARM_UP_PATIENCE)?;
        }
        processor::wait_for_quiet(wanted.quiet)?;
        let pieces = u32::try_from(wanted.within.as_millis() / PIECE.as_millis()).unwrap_or(1);
        let quiet = by_turns(&mut askers, |piece| piece < pieces)?;
        std::thread::scope(|scope| {
            let storm = scope.spawn(|| {
                let row = storm::machines(link, &machines, LINK, u64::from(run) + 1);
                is_over.store(true, Ordering::Release);
                row
            });
            let stormy = by_turns(&mut askers, |_| !is_over.load(Ordering::Acquire))?;
            let row = storm.join().map_err(|_| "the storm panicked".to_owned())??;
            Ok((quiet, stormy, crate::table::line("the storm", &row)))
        })
    });
    let ([own, other], [own_stormy, other_stormy], row) =
        outcome.map_err(|why| format!("{why}\n{}", running.tail()))?;
    Ok(([[own, own_stormy], [other, other_stormy]], row.trim_end().to_owned()))
}

/// Asks one after the other, a piece of time each, as long as there are more pieces.
fn by_turns(askers: &mut [Asker; 2], is_more: impl Fn(u32) -> bool) -> Result<[Part; 2], String> {
    let mut outcomes = [Outcome::default(), Outcome::default()];
    for piece in 0.. {
        if !is_more(piece) {
            break;
        }
        for (asker, sum) in askers.iter_mut().zip(&mut outcomes) {
            let outcome = asker.run(Load::Gently(RATE), PIECE)?;
            sum.seconds += outcome.seconds;
            sum.took.extend(outcome.took);
            sum.lost += outcome.lost;
            sum.wrong += outcome.wrong;
        }
    }
    Ok(outcomes.map(|outcome| Part::of(&outcome, Duration::ZERO)))
}

fn line(name: &str, part: &Part, ratio: f64) -> String {
    format!(
        "{name:<16}{:>10.1}{:>10.1}{:>10.1}{:>8}{ratio:>8.2}\n",
        part.median_microseconds, part.most_microseconds, part.nearly_all_microseconds, part.failed
    )
}
