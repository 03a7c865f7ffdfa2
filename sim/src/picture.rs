//! A power restore as a picture, in SVG: machines that are up, what the server sends, and its regime, against time. The same report is the same picture to the octet.

use crate::report::{Report, Sample};
use std::fmt::{self, Write as _};

/// Draws it. It is legible without colour, needs no font of its own, and nothing outside itself.
pub fn svg(report: &Report) -> String {
    let frame = Frame::of(report);
    let mut picture = String::new();
    // Writing into a string cannot fail.
    let _ = head(&mut picture, report)
        .and_then(|()| machines(&mut picture, report, &frame))
        .and_then(|()| rates(&mut picture, report, &frame))
        .and_then(|()| regimes(&mut picture, report, &frame))
        .and_then(|()| time_axis(&mut picture, &frame))
        .and_then(|()| writeln!(picture, "</svg>"));
    picture
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 600.0;
/// What is drawn on, from left to right.
const LEFT: f64 = 80.0;
const RIGHT: f64 = 880.0;
/// The panels, from top to bottom.
const MACHINES: Panel = Panel { top: 84.0, bottom: 284.0 };
const RATES: Panel = Panel { top: 324.0, bottom: 464.0 };
const REGIMES: Panel = Panel { top: 504.0, bottom: 530.0 };

/// The words of [`heorot_core::load::Regime`], with how they are drawn: their ground, and what is drawn on it.
const REGIME_LOOKS: [(&str, &str, &str); 3] = [
    ("paced", "#dcebf7", ""),
    ("round-robin", "#f8d99a", "M0 8L8 0"),
    ("deferring", "#e9a39b", "M0 8L8 0M0 0L8 8"),
];

#[derive(Clone, Copy)]
struct Panel {
    top: f64,
    bottom: f64,
}

impl Panel {
    /// Where a part of its height is.
    fn at(self, part: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * part.clamp(0.0, 1.0)
    }
}

/// What all panels share: time runs to the right.
struct Frame {
    /// What is seen at most: the wire is not worth a line of an hour after the last machine is up.
    end_seconds: f64,
    /// Of the axis.
    unit_seconds: f64,
    unit: &'static str,
    step: f64,
}

impl Frame {
    fn of(report: &Report) -> Self {
        let lost = report.lost_machines.iter().map(|lost| lost.seconds).fold(report.seconds, f64::max);
        let last = report.samples.last().map_or(lost, |sample| sample.seconds);
        let end_seconds = (lost * 1.04).min(last).max(1.0);
        let (unit_seconds, unit) = if end_seconds > 1200.0 { (60.0, "minutes") } else { (1.0, "seconds") };
        Self { end_seconds, unit_seconds, unit, step: step(end_seconds / unit_seconds, 12.0) }
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (seconds / self.end_seconds).clamp(0.0, 1.0)
    }

    /// The samples that are seen.
    fn samples<'a>(&self, report: &'a Report) -> &'a [Sample] {
        let seen = report.samples.iter().take_while(|sample| sample.seconds <= self.end_seconds).count();
        &report.samples[..(seen + 1).min(report.samples.len())]
    }
}

fn head(picture: &mut String, report: &Report) -> fmt::Result {
    writeln!(
        picture,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">"
    )?;
    writeln!(picture, "<title>{}</title>", title(report))?;
    writeln!(picture, "<defs>")?;
    for (word, ground, marks) in REGIME_LOOKS {
        writeln!(
            picture,
            "<pattern id=\"{word}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
             <rect width=\"8\" height=\"8\" fill=\"{ground}\"/><path d=\"{marks}\" stroke=\"#555\" stroke-width=\"0.8\"/></pattern>"
        )?;
    }
    writeln!(picture, "</defs>")?;
    writeln!(picture, "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>")?;
    text(picture, (LEFT, 30.0), "font-size=\"18\" font-weight=\"bold\"", &title(report))?;
    let half = format!("half of them after {:.1} s; ", report.median_seconds);
    let subtitle = format!(
        "{}link {}; ideal {:.1} s",
        if report.lost < report.nodes { half.as_str() } else { "" },
        rate(report.link_bits_per_second),
        report.ideal_seconds
    );
    text(picture, (LEFT, 50.0), "", &subtitle)
}

fn title(report: &Report) -> String {
    let lost = match report.lost {
        0 => "none lost".to_owned(),
        lost => format!("{} lost", thousands(lost)),
    };
    let nodes = thousands(report.nodes);
    if report.lost == report.nodes {
        return format!("Power restore of {nodes} machines: all lost");
    }
    format!("Power restore of {nodes} machines: the last up after {:.1} s, {lost}", report.seconds)
}

fn machines(picture: &mut String, report: &Report, frame: &Frame) -> fmt::Result {
    let most = count(report.nodes.max(1)) * 1.04;
    let by = step(most, 5.0).max(1.0);
    panel(picture, MACHINES, frame, "machines up", most, by, |value| thousands(whole(value)))?;
    for (seconds, word) in [(report.median_seconds, "half"), (report.seconds, "last")] {
        if report.lost < report.nodes {
            let x = frame.x(seconds);
            line(
                picture,
                (x, MACHINES.top),
                (x, MACHINES.bottom),
                "stroke=\"#777\" stroke-dasharray=\"2 3\"",
            )?;
            text(picture, (x - 4.0, MACHINES.bottom - 6.0), "text-anchor=\"end\" fill=\"#444\"", word)?;
        }
    }
    let up = frame.samples(report).iter().map(|sample| (sample.seconds, count(sample.loaded)));
    let points = up.map(|(seconds, up)| (frame.x(seconds), MACHINES.at(up / most)));
    curve(picture, points, "stroke=\"#12507b\" stroke-width=\"2.5\"")?;
    if report.lost == 0 {
        return Ok(());
    }
    let mut moments: Vec<f64> = report.lost_machines.iter().map(|lost| lost.seconds).collect();
    moments.sort_by(f64::total_cmp);
    let lost = (1..).zip(&moments).map(|(lost, at)| (frame.x(*at), MACHINES.at(count(lost) / most)));
    let begin = moments.first().map(|at| (frame.x(*at), MACHINES.bottom));
    let end = moments.last().map(|_| (RIGHT, MACHINES.at(count(report.lost) / most)));
    curve(
        picture,
        begin.into_iter().chain(lost).chain(end),
        "stroke=\"#a11\" stroke-width=\"2\" stroke-dasharray=\"6 4\"",
    )?;
    let y = MACHINES.at(count(report.lost) / most);
    let y = if y - MACHINES.top > 20.0 { y - 6.0 } else { y + 16.0 };
    text(picture, (RIGHT - 4.0, y), "text-anchor=\"end\" fill=\"#a11\"", "lost")
}

fn rates(picture: &mut String, report: &Report, frame: &Frame) -> fmt::Result {
    let link = count(report.link_bits_per_second);
    let samples = thinned(frame.samples(report));
    let highest = samples.iter().map(|sample| sample.bits_per_second).fold(link.max(1.0), f64::max);
    let (unit, word) = if highest >= 2e9 { (1e9, "Gbit/s sent") } else { (1e6, "Mbit/s sent") };
    let most = highest * 1.08 / unit;
    panel(picture, RATES, frame, word, most, step(most, 4.0), decimal)?;
    let y = RATES.at(link / unit / most);
    let points = samples
        .iter()
        .map(|sample| (frame.x(sample.seconds), RATES.at(sample.bits_per_second / unit / most)));
    curve(picture, points, "stroke=\"#12507b\" stroke-width=\"1.5\"")?;
    line(picture, (LEFT, y), (RIGHT, y), "stroke=\"#a11\" stroke-dasharray=\"7 4\"")?;
    text(picture, (RIGHT - 4.0, y - 5.0), "text-anchor=\"end\" fill=\"#a11\"", "the link")
}

fn regimes(picture: &mut String, report: &Report, frame: &Frame) -> fmt::Result {
    let Panel { top, bottom } = REGIMES;
    text(picture, (LEFT, top - 8.0), "font-weight=\"bold\"", "regime")?;
    let mut x = RIGHT;
    for (word, _, _) in REGIME_LOOKS.iter().rev() {
        x -= 7.5 * count(word.len() as u64);
        text(picture, (x, top - 8.0), "", word)?;
        swatch(picture, word, (x - 20.0, top - 19.0), (14.0, 13.0))?;
        x -= 36.0;
    }
    let ends = report.regimes.iter().skip(1).map(|next| next.from_seconds).chain([frame.end_seconds]);
    for (regime, end) in report.regimes.iter().zip(ends) {
        let (from, to) = (frame.x(regime.from_seconds), frame.x(end));
        if to > from {
            swatch(picture, &regime.regime, (from, top), (to - from, bottom - top))?;
        }
    }
    Ok(())
}

fn swatch(picture: &mut String, word: &str, (x, y): (f64, f64), (width, height): (f64, f64)) -> fmt::Result {
    writeln!(
        picture,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"url(#{word})\" stroke=\"#555\" stroke-width=\"0.7\"/>"
    )
}

fn time_axis(picture: &mut String, frame: &Frame) -> fmt::Result {
    let end = frame.end_seconds / frame.unit_seconds;
    for tick in ticks(frame.step, end) {
        let x = frame.x(tick * frame.unit_seconds);
        line(picture, (x, REGIMES.bottom), (x, REGIMES.bottom + 5.0), "stroke=\"#222\"")?;
        text(picture, (x, REGIMES.bottom + 20.0), "text-anchor=\"middle\"", &decimal(tick))?;
    }
    let label = format!("{} since the power came back", frame.unit);
    text(picture, ((LEFT + RIGHT) / 2.0, REGIMES.bottom + 44.0), "text-anchor=\"middle\"", &label)
}

/// A panel with its name, its scale and its grid.
fn panel(
    picture: &mut String,
    panel: Panel,
    frame: &Frame,
    name: &str,
    most: f64,
    by: f64,
    shown: impl Fn(f64) -> String,
) -> fmt::Result {
    let Panel { top, bottom } = panel;
    text(picture, (LEFT, top - 8.0), "font-weight=\"bold\"", name)?;
    for tick in ticks(by, most) {
        let y = panel.at(tick / most);
        line(picture, (LEFT, y), (RIGHT, y), "stroke=\"#ddd\"")?;
        text(picture, (LEFT - 8.0, y + 4.5), "text-anchor=\"end\"", &shown(tick))?;
    }
    for tick in ticks(frame.step, frame.end_seconds / frame.unit_seconds) {
        let x = frame.x(tick * frame.unit_seconds);
        line(picture, (x, top), (x, bottom), "stroke=\"#eee\"")?;
    }
    line(picture, (LEFT, top), (LEFT, bottom), "stroke=\"#222\"")?;
    line(picture, (LEFT, bottom), (RIGHT, bottom), "stroke=\"#222\"")
}

fn text(picture: &mut String, (x, y): (f64, f64), look: &str, words: &str) -> fmt::Result {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let look = if look.is_empty() { String::new() } else { format!(" {look}") };
    writeln!(picture, "<text x=\"{x:.1}\" y=\"{y:.1}\"{look}>{words}</text>")
}

fn line(picture: &mut String, from: (f64, f64), to: (f64, f64), look: &str) -> fmt::Result {
    let ((x1, y1), (x2, y2)) = (from, to);
    writeln!(picture, "<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" {look}/>")
}

/// A line through points, without those that say nothing new.
fn curve(picture: &mut String, points: impl Iterator<Item = (f64, f64)>, look: &str) -> fmt::Result {
    let points: Vec<(f64, f64)> = points.collect();
    let flat = |place: usize| {
        let near = |one: usize, other: usize| (points[one].1 - points[other].1).abs() < 0.05;
        place > 0 && place + 1 < points.len() && near(place - 1, place) && near(place, place + 1)
    };
    let told = (0..points.len()).filter(|place| !flat(*place)).map(|place| points[place]);
    write!(picture, "<path fill=\"none\" stroke-linejoin=\"round\" {look} d=\"")?;
    for (place, (x, y)) in told.enumerate() {
        write!(picture, "{}{x:.1} {y:.1}", if place == 0 { 'M' } else { 'L' })?;
    }
    writeln!(picture, "\"/>")
}

/// As many samples as the eye can tell apart, each the mean of its neighbours.
fn thinned(samples: &[Sample]) -> Vec<Sample> {
    const POINTS_MAX: usize = 250;
    let together = samples.len().div_ceil(POINTS_MAX).max(1);
    let mean = |some: &[Sample]| {
        let sum: f64 = some.iter().map(|sample| sample.bits_per_second).sum();
        let last = some.last().expect("a chunk is never empty");
        Sample { bits_per_second: sum / count(some.len() as u64), ..last.clone() }
    };
    samples.chunks(together).map(mean).collect()
}

/// 1, 2 or 5 of a power of ten, so that there are about so many steps.
fn step(most: f64, steps: f64) -> f64 {
    let least = (most / steps).max(1e-3);
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|step| *step >= least).unwrap_or(least)
}

fn ticks(step: f64, most: f64) -> impl Iterator<Item = f64> {
    (0..100).map(move |place| f64::from(place) * step).take_while(move |tick| *tick <= most * 1.0001)
}

/// A number without needless digits.
fn decimal(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn rate(bits_per_second: u64) -> String {
    match count(bits_per_second) {
        bits if bits >= 1e9 => format!("{} Gbit/s", decimal(bits / 1e9)),
        bits => format!("{} Mbit/s", decimal(bits / 1e6)),
    }
}

/// As 10,000.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[allow(clippy::cast_precision_loss, reason = "machines and bits per second are fewer than 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ticks count machines")]
fn whole(number: f64) -> u64 {
    number.round().max(0.0) as u64
}

#[cfg(test)]
mod tests;
