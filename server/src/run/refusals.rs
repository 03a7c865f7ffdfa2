//! What is wrong with the server's surroundings and goes on being so: refused configurations, files that lack, disks that do not answer.

use crate::disks::Place;
use crate::dns::Told;
use crate::journal::Weight;
use crate::lacking::Lacking;
use crate::overdue::Undelivered;
use heorot_core::message::MeasuredTrouble;
use heorot_core::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// What was refused or lacks, and is not right yet: the journal has said so once, and who looks later looks at the status.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// The file on disk.
    configuration: Option<MeasuredTrouble>,
    /// Since when it is being read.
    reading: Option<Time>,
    /// What other addresses make of the configuration.
    addresses: Option<MeasuredTrouble>,
    /// Interfaces whose frames come from a hardware address that they had before.
    frames: BTreeMap<String, MeasuredTrouble>,
    /// The file that records are written to is not in its place.
    state: Option<MeasuredTrouble>,
    /// Files without which nodes do not boot, and since when each lacks.
    lacking: Vec<(Lacking, Time)>,
    /// Servers of names of others that do not answer.
    unanswered: Vec<MeasuredTrouble>,
    /// File systems that do not answer.
    undelivered: BTreeMap<Place, MeasuredTrouble>,
}

impl Refusals {
    pub(super) fn told(&self, now: Time) -> Vec<MeasuredTrouble> {
        let slow = self
            .reading
            .filter(|since| now.since(*since) >= READ_WITHIN)
            .map(|since| MeasuredTrouble { what: UNREAD.into(), since, why: UNREAD_WHY.into() });
        let refused = self
            .state
            .iter()
            .chain(&self.configuration)
            .chain(&self.addresses)
            .chain(self.frames.values())
            .cloned();
        let refused = slow.into_iter().chain(refused);
        let lacking = self.lacking.iter().take(LACKING_TOLD_MAX).map(|(lacking, since)| {
            let Lacking { what, remedy } = lacking.clone();
            MeasuredTrouble { what, since: *since, why: remedy }
        });
        let left = self.lacking.get(LACKING_TOLD_MAX..).unwrap_or_default();
        let more = left.first().map(|(_, since)| MeasuredTrouble {
            what: format!("{} more files that nodes boot from are not there", left.len()),
            since: *since,
            why: "heorot doctor".into(),
        });
        let refused = refused.chain(self.unanswered.iter().cloned());
        refused.chain(self.undelivered.values().cloned()).chain(lacking).chain(more).collect()
    }

    /// An interface's frames come from a hardware address that it had before, for this reason, or they do not.
    pub(super) fn frames(&mut self, now: Time, interface: &str, why: Option<String>) {
        let what = format!(
            "{interface} is served, and its frames come from the hardware address that it had before,"
        );
        let mut place = self.frames.remove(interface);
        refuse(&mut place, now, &what, why.map(|why| format!("{why} (it is tried again every second)")));
        self.frames.extend(place.map(|trouble| (interface.to_owned(), trouble)));
    }

    /// The file that records are written to is not in its place, or it is. What the journal says of it.
    pub(super) fn state(&mut self, now: Time, lacking: Option<Lacking>) -> Option<(Weight, String)> {
        let before = self.state.take();
        self.state = lacking.map(|Lacking { what, remedy: why }| {
            let since = before.as_ref().map_or(now, |before| before.since);
            MeasuredTrouble { what, since, why }
        });
        match (before, &self.state) {
            (Some(before), Some(trouble)) if before.what == trouble.what => None,
            (_, Some(MeasuredTrouble { what, why, .. })) => {
                Some((Weight::Warning, format!("{}\n  {why}", what.trim_end_matches(';'))))
            }
            (Some(_), None) => Some((Weight::Notice, "the state is written to the file in its place".into())),
            (None, None) => None,
        }
    }

    /// These files lack, and no others. Of what is new, the lines for the journal.
    pub(super) fn lacking(&mut self, now: Time, lacking: Vec<Lacking>) -> Vec<(Weight, String)> {
        let before = std::mem::take(&mut self.lacking);
        let known = |wanted: &Lacking| before.iter().find(|(lacking, _)| lacking == wanted);
        let new = lacking.iter().filter(|lacking| known(lacking).is_none());
        let mut lines: Vec<_> =
            new.map(|Lacking { what, remedy }| (Weight::Warning, format!("{what}\n  {remedy}"))).collect();
        if let Some(left) = lines.len().checked_sub(LACKING_TOLD_MAX).filter(|left| *left > 0) {
            lines.truncate(LACKING_TOLD_MAX);
            let more = format!("{left} more files that nodes boot from are not there: heorot doctor");
            lines.push((Weight::Warning, more));
        }
        self.lacking = lacking
            .into_iter()
            .map(|lacking| {
                let since = known(&lacking).map_or(now, |(_, since)| *since);
                (lacking, since)
            })
            .collect();
        if self.lacking.is_empty() && !before.is_empty() {
            lines.push((Weight::Notice, "all files that nodes boot from are there".into()));
        }
        lines
    }

    /// These servers do not answer, and no others. Of what is new, the lines for the journal.
    pub(super) fn unanswered(&mut self, now: Time, silent: Vec<Told>) -> Vec<(Weight, String)> {
        let before = std::mem::take(&mut self.unanswered);
        let mut lines = Vec::new();
        for (what, why) in silent {
            let known = before.iter().find(|known| known.what == what);
            if known.is_none() {
                lines.push((Weight::Warning, format!("{what}\n  {why}")));
            }
            let since = known.map_or(now, |known| known.since);
            self.unanswered.push(MeasuredTrouble { what, since, why });
        }
        lines
    }

    /// These file systems do not answer, and no others: which file is waited for. Of what is new, the lines for the journal.
    pub(super) fn undelivered(
        &mut self,
        now: Time,
        undelivered: &Undelivered,
        directories: (&str, &str),
    ) -> Vec<(Weight, String)> {
        let mut before = std::mem::take(&mut self.undelivered);
        let mut lines = Vec::new();
        for (place, file) in undelivered {
            let trouble = before.remove(place).unwrap_or_else(|| {
                let (whose, directory) = whereabouts(place, directories);
                let for_file = if file.is_empty() { String::new() } else { format!(" for {file}") };
                let what = format!("{whose} does not answer{for_file}");
                let why = format!("findmnt -T {directory}, dmesg; what is elsewhere is served");
                lines.push((Weight::Warning, format!("{what}\n  {why}")));
                MeasuredTrouble { what, since: now, why }
            });
            self.undelivered.insert(place.clone(), trouble);
        }
        let again = before.into_keys().map(|place| {
            let (whose, _) = whereabouts(&place, directories);
            (Weight::Notice, format!("{whose} answers again"))
        });
        lines.into_iter().chain(again).collect()
    }

    /// What of that holds up files of the boot directory: each by where it is below it, what it is, and how to find out why.
    pub(super) fn held_up(&self, directories: (&str, &str)) -> BTreeMap<String, String> {
        let of_boot = |place: &Place| match place {
            Place::Own => Some(String::new()),
            Place::Mounted { at, .. } => Some(at.to_string()),
            Place::Overlays => None,
        };
        let told = |place: &Place| {
            let (whose, directory) = whereabouts(place, directories);
            Some((of_boot(place)?, format!("{whose}, which does not answer: findmnt -T {directory}, dmesg")))
        };
        self.undelivered.keys().filter_map(told).collect()
    }

    /// The configuration is being read, or adapted to other addresses, or is not any more.
    pub(super) fn reading(&mut self, since: Option<Time>) {
        self.reading = since;
    }

    /// The configuration was tried again, and is refused or not: since when it is the first time counts.
    pub(super) fn configuration(&mut self, now: Time, why: Option<String>) {
        const WHAT: &str = "the configuration on disk is refused, and the old one is in use,";
        refuse(&mut self.configuration, now, WHAT, why);
    }

    /// The same of the host's addresses.
    pub(super) fn addresses(&mut self, now: Time, why: Option<String>) {
        const WHAT: &str = "the configuration is wrong for the addresses that this host has";
        refuse(&mut self.addresses, now, WHAT, why);
    }
}

/// How a file system is told of, and a directory on it; `boot` and `overlays` are where those files are.
fn whereabouts(place: &Place, (boot, overlays): (&str, &str)) -> (String, String) {
    match place {
        Place::Own => (format!("the file system of boot.directory {boot}"), boot.to_owned()),
        Place::Mounted { at, .. } => {
            let directory = format!("{}/{at}", boot.trim_end_matches('/'));
            (format!("what is mounted at {directory}"), directory)
        }
        Place::Overlays => (format!("the file system of overlays.directory {overlays}"), overlays.to_owned()),
    }
}

fn refuse(place: &mut Option<MeasuredTrouble>, now: Time, what: &str, why: Option<String>) {
    let since = place.as_ref().map_or(now, |before| before.since);
    *place = why.map(|why| MeasuredTrouble { what: what.into(), since, why });
}

/// A configuration is read within milliseconds. What takes longer waits for a disk, or for a server that knows users and groups.
pub(super) const READ_WITHIN: Duration = Duration::from_secs(5);
/// What is told of one that is not.
pub(super) const UNREAD: &str = "the configuration, or a file that it names, cannot be read to its end; the old one stays, and no other is read";
pub(super) const UNREAD_WHY: &str = "what is in the way shows in: findmnt -T FILE, dmesg, getent group";

/// Files that lack and are told of one by one: who has forgotten a directory has forgotten all that is in it.
const LACKING_TOLD_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::operate::in_a_line;
    use super::*;
    use std::path::Path;

    /// Who looks at the status a day later is told since when, and not of a reload that went well meanwhile.
    #[test]
    fn what_is_refused_is_told_until_it_is_right() {
        let path = Path::new("/etc/heorot/heorot.toml");
        let at = |seconds: u64| Time::from_nanoseconds(seconds * 1_000_000_000);
        let mistakes = "heorot.toml:3:1: unknown key interfac\n3 | interfac = \"eth1\"\n  | ^^^^^^^^\n  did you mean \"interface\"?\n\
                        heorot.toml:4:1: twice\n4 | numbers = \"0-9\"\n  | ^^^\n  take one away\n";
        let why = in_a_line(mistakes, path);
        assert_eq!(
            why,
            "heorot.toml:3:1: unknown key interfac; did you mean \"interface\"?; and 1 more: heorot check /etc/heorot/heorot.toml"
        );
        let closed = "/etc/heorot/heorot.toml cannot be read: denied\n  chgrp heorot /etc/heorot\n";
        assert_eq!(
            in_a_line(closed, path),
            "/etc/heorot/heorot.toml cannot be read: denied; chgrp heorot /etc/heorot"
        );
        let mut refusals = Refusals::default();
        assert_eq!(refusals.told(at(8)), []);
        refusals.configuration(at(1), Some("first".into()));
        refusals.configuration(at(2), Some(why));
        let told = refusals.told(at(8));
        assert_eq!((told.len(), told[0].since), (1, at(1)));
        assert!(told[0].why.starts_with("heorot.toml:3:1"), "{told:?}");
        refusals.addresses(at(3), Some("second".into()));
        refusals.configuration(at(4), None);
        assert_eq!(refusals.told(at(8)).len(), 1);
        refusals.addresses(at(5), None);
        assert_eq!(refusals.told(at(8)), []);
        refusals.frames(at(6), "eth1", Some("no descriptor is left".into()));
        refusals.frames(at(7), "eth1", Some("no memory is left".into()));
        let told = refusals.told(at(8));
        assert_eq!((told.len(), told[0].since), (1, at(6)));
        assert_eq!(
            (told[0].what.as_str(), told[0].why.as_str()),
            (
                "eth1 is served, and its frames come from the hardware address that it had before,",
                "no memory is left (it is tried again every second)"
            )
        );
        refusals.frames(at(8), "eth1", None);
        assert_eq!(refusals.told(at(8)), []);
        refusals.reading(Some(at(9)));
        assert_eq!(refusals.told(at(13)), []);
        let told = refusals.told(at(14));
        assert!(matches!(&told[..], [one] if one.what == UNREAD && one.since == at(9)), "{told:?}");
        refusals.reading(None);
        assert_eq!(refusals.told(at(99)), []);
    }

    /// As long as a file is not there it is told of, with since when, and in the journal once.
    #[test]
    fn files_that_are_not_there_are_told_until_they_come() {
        let at = |seconds: u64| Time::from_nanoseconds(seconds * 1_000_000_000);
        let file = |name: &str| Lacking {
            what: format!("profile.default kernel: there is no {name}"),
            remedy: format!("put {name} into /srv/heorot, readable for heorot"),
        };
        let mut refusals = Refusals::default();
        let lines = refusals.lacking(at(1), vec![file("vmlinuz-typo")]);
        let said = "profile.default kernel: there is no vmlinuz-typo\n  put vmlinuz-typo into /srv/heorot, readable for heorot";
        assert_eq!(lines, [(Weight::Warning, said.to_owned())]);
        let lines = refusals.lacking(at(2), vec![file("initrd"), file("vmlinuz-typo")]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        let told = refusals.told(at(8));
        assert_eq!((told.len(), told[0].since, told[1].since), (2, at(2), at(1)));
        assert_eq!(told[1].why, "put vmlinuz-typo into /srv/heorot, readable for heorot");
        let many = (0..20).map(|number| file(&number.to_string())).collect();
        let lines = refusals.lacking(at(3), many);
        let more = "12 more files that nodes boot from are not there";
        assert_eq!(lines.last().map(|(_, line)| line.as_str()), Some(&*format!("{more}: heorot doctor")));
        assert_eq!(lines.len(), 9);
        assert_eq!(refusals.told(at(8)).last().map(|told| told.what.clone()).as_deref(), Some(more));
        let lines = refusals.lacking(at(4), vec![]);
        assert_eq!(lines, [(Weight::Notice, "all files that nodes boot from are there".to_owned())]);
        assert_eq!(refusals.told(at(8)), []);
    }

    #[test]
    fn a_file_system_that_does_not_answer_is_told_until_it_does() {
        let at = |seconds: u64| Time::from_nanoseconds(seconds * 1_000_000_000);
        let mut refusals = Refusals::default();
        let mut say = |seconds, files: &[(Place, &str)]| {
            let undelivered = files.iter().map(|(place, file)| (place.clone(), (*file).to_owned())).collect();
            let lines =
                refusals.undelivered(at(seconds), &undelivered, ("/srv/heorot/", "/etc/heorot/overlays"));
            let lines: Vec<_> = lines.into_iter().map(|(weight, line)| (weight as u8, line)).collect();
            (lines, refusals.told(at(8)))
        };
        let nfs = Place::Mounted { at: "nfs".into(), device: "0:7".into() };
        let (lines, told) = say(1, &[(nfs.clone(), "nfs/vmlinuz")]);
        let what = "what is mounted at /srv/heorot/nfs does not answer for nfs/vmlinuz";
        assert_eq!(
            lines,
            [(4, format!("{what}\n  findmnt -T /srv/heorot/nfs, dmesg; what is elsewhere is served"))]
        );
        assert_eq!((told[0].what.as_str(), told[0].since), (what, at(1)));
        let (lines, told) = say(2, &[(nfs.clone(), "nfs/vmlinuz"), (Place::Own, "vmlinuz")]);
        assert_eq!((lines.len(), told.len(), told[1].since), (1, 2, at(1)));
        assert!(lines[0].1.starts_with("the file system of boot.directory /srv/heorot/ does not answer"));
        let (lines, told) = say(3, &[(Place::Own, "vmlinuz")]);
        assert_eq!(lines, [(5, "what is mounted at /srv/heorot/nfs answers again".to_owned())]);
        assert_eq!(told.len(), 1);
        assert_eq!(say(4, &[]).1, []);
    }

    #[test]
    fn a_state_that_is_written_elsewhere_is_told_until_it_is_not() {
        let at = |seconds: u64| Time::from_nanoseconds(seconds * 1_000_000_000);
        let removed = || Some(Lacking { what: "it was removed;".into(), remedy: "save it".into() });
        let mut refusals = Refusals::default();
        assert_eq!(refusals.state(at(1), None), None);
        let said = (Weight::Warning, "it was removed\n  save it".to_owned());
        assert_eq!(refusals.state(at(2), removed()), Some(said));
        assert_eq!(refusals.state(at(3), removed()), None);
        assert_eq!(refusals.told(at(8))[0].since, at(2));
        assert!(refusals.state(at(4), None).is_some_and(|(weight, _)| weight == Weight::Notice));
        assert_eq!(refusals.told(at(8)), []);
    }

    #[test]
    fn servers_that_do_not_answer_are_told_until_they_do() {
        let at = |seconds: u64| Time::from_nanoseconds(seconds * 1_000_000_000);
        let upstream = || ("no server of dns.upstream answers".to_owned(), "dig".to_owned());
        let mut refusals = Refusals::default();
        let lines = refusals.unanswered(at(1), vec![upstream()]);
        assert_eq!(lines, [(Weight::Warning, "no server of dns.upstream answers\n  dig".to_owned())]);
        let other = ("no server of dns.forward k8s.cluster answers".to_owned(), String::new());
        assert_eq!(refusals.unanswered(at(2), vec![other, upstream()]).len(), 1);
        let told = refusals.told(at(8));
        assert_eq!((told.len(), told[0].since, told[1].since), (2, at(2), at(1)));
        assert_eq!(refusals.unanswered(at(3), vec![]), []);
        assert_eq!(refusals.told(at(8)), []);
    }

    /// Who waits for a boot file is told of its file system, and not of that of the overlays.
    #[test]
    fn what_holds_up_boot_files_is_known_by_where_it_is() {
        let directories = ("/srv/heorot/", "/etc/heorot/overlays");
        let nfs = Place::Mounted { at: "nfs".into(), device: "0:7".into() };
        let undelivered = [Place::Own, nfs, Place::Overlays].map(|place| (place, String::new())).into();
        let mut refusals = Refusals::default();
        refusals.undelivered(Time::from_nanoseconds(1), &undelivered, directories);
        let held_up: Vec<_> = refusals.held_up(directories).into_iter().collect();
        let own = "the file system of boot.directory /srv/heorot/, which does not answer: findmnt -T /srv/heorot/, dmesg";
        let mounted =
            "what is mounted at /srv/heorot/nfs, which does not answer: findmnt -T /srv/heorot/nfs, dmesg";
        assert_eq!(held_up, [("", own), ("nfs", mounted)].map(|(at, why)| (at.to_owned(), why.to_owned())));
        refusals.undelivered(Time::from_nanoseconds(2), &Undelivered::new(), directories);
        assert_eq!(refusals.held_up(directories), BTreeMap::new());
    }
}
