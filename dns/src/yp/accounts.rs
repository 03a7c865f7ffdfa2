use super::Step;
use crate::nis::limit::RECORD_OCTETS_MAX;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Maps passwd.byname, passwd.byuid, group.byname, group.bygid and netid.byname: from two files as they are in /etc.
///
/// Passwords are never among it: whatever stands in the second field of a line is an `x` in the map. Whoever can ask could read a hash,
/// and there is no map shadow.byname.
#[derive(Default)]
pub(crate) struct Accounts {
    users: Option<Table>,
    groups: Option<Table>,
    /// The value of netid.byname for each user: groups included.
    netids: BTreeMap<u32, String>,
}

/// The lines of one file. Of several with one name or number, the first counts, as for who reads the file itself.
#[derive(Default)]
struct Table {
    lines: Vec<Line>,
    by_name: BTreeMap<String, usize>,
    by_number: BTreeMap<u32, usize>,
    left_out: usize,
}

struct Line {
    text: String,
    name: String,
    number: u32,
}

/// What the files had that is not served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Lines of `passwd` that are no user's, or too long.
    pub users: usize,
    /// Lines of `group` that are no group's, or too long even without members.
    pub groups: usize,
    /// Members that have no room in the line of their group: 1,024 octets. netid.byname has their groups all the same.
    pub members: usize,
}

/// Which of the two keys of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Name,
    Number,
}

/// Which file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    Passwd,
    Group,
}

impl Accounts {
    /// From the texts of the two files, as far as there are such.
    pub(crate) fn new(passwd: Option<&str>, group: Option<&str>) -> (Self, LeftOut) {
        let mut left_out = LeftOut::default();
        let users = passwd.map(|text| Table::read(text.lines().map(user)));
        let (mut members_of, mut groups) = (BTreeMap::<&str, Vec<u32>>::new(), None);
        if let Some(text) = group {
            groups = Some(Table::read(text.lines().map(|line| {
                let (line, members, cut) = group_line(line)?;
                left_out.members += cut;
                for member in members {
                    let its_groups = members_of.entry(member).or_default();
                    if !its_groups.contains(&line.number) {
                        its_groups.push(line.number);
                    }
                }
                Some(line)
            })));
        }
        let netids = users.iter().flat_map(|users| users.by_number.iter()).filter_map(|(uid, place)| {
            let line = &users.as_ref()?.lines[*place];
            Some((*uid, netid(*uid, line, members_of.get(line.name.as_str()).map_or(&[], Vec::as_slice))?))
        });
        let netids = netids.collect();
        left_out.users = users.as_ref().map_or(0, |table| table.left_out);
        left_out.groups = groups.as_ref().map_or(0, |table| table.left_out);
        (Self { users, groups, netids }, left_out)
    }

    /// Whether there are maps of this file.
    pub(super) fn has(&self, file: File) -> bool {
        self.table(file).is_some()
    }

    /// The line of a user or a group.
    pub(super) fn line(&self, file: File, by: Key, key: &str) -> Option<String> {
        let table = self.table(file)?;
        let place = match by {
            Key::Name => table.by_name.get(key)?,
            Key::Number => table.by_number.get(&read_number(key)?)?,
        };
        Some(table.lines[*place].text.clone())
    }

    /// What comes after a name or number, or first.
    pub(super) fn after(&self, file: File, by: Key, key: Option<&str>) -> Step {
        let Some(table) = self.table(file) else { return Step::End };
        let next = match by {
            Key::Name => {
                let from = key.map_or(Bound::Unbounded, Bound::Excluded);
                table
                    .by_name
                    .range::<str, _>((from, Bound::Unbounded))
                    .next()
                    .map(|(name, at)| (name.clone(), at))
            }
            Key::Number => {
                let Some(from) = after_number(key.map(read_number)) else { return Step::NoSuchKey };
                table.by_number.range((from, Bound::Unbounded)).next().map(|(n, at)| (n.to_string(), at))
            }
        };
        next.map_or(Step::End, |(key, place)| Step::entry(key, table.lines[*place].text.clone()))
    }

    /// User and groups of `unix.1000@cluster`.
    pub(super) fn netid(&self, domain: &str, key: &str) -> Option<String> {
        self.netids.get(&read_netid(domain, key)?).cloned()
    }

    /// What comes after a netid, or first.
    pub(super) fn after_netid(&self, domain: &str, key: Option<&str>) -> Step {
        let Some(from) = after_number(key.map(|key| read_netid(domain, key))) else { return Step::NoSuchKey };
        match self.netids.range((from, Bound::Unbounded)).next() {
            Some((uid, netid)) => Step::entry(format!("unix.{uid}@{domain}"), netid.clone()),
            None => Step::End,
        }
    }

    fn table(&self, file: File) -> Option<&Table> {
        match file {
            File::Passwd => self.users.as_ref(),
            File::Group => self.groups.as_ref(),
        }
    }
}

impl Table {
    /// Empty lines and comments come as lines that are none, and are counted by nobody.
    fn read(lines: impl Iterator<Item = Option<Line>>) -> Self {
        let mut table = Self::default();
        for line in lines {
            let Some(line) = line else {
                table.left_out += 1;
                continue;
            };
            if line.name.is_empty() {
                continue;
            }
            let place = table.lines.len();
            table.by_name.entry(line.name.clone()).or_insert(place);
            table.by_number.entry(line.number).or_insert(place);
            table.lines.push(line);
        }
        table
    }
}

/// A line of `passwd`: seven fields.
fn user(text: &str) -> Option<Line> {
    if is_nothing(text) {
        return Some(Line::nothing());
    }
    let fields: Vec<&str> = text.split(':').collect();
    let [name, _, uid, gid, comment, home, shell] = *fields.as_slice() else { return None };
    let (number, gid) = (read_number(uid)?, read_number(gid)?);
    let text = format!("{name}:x:{number}:{gid}:{comment}:{home}:{shell}");
    is_name(name, &text).then(|| Line { text, name: name.into(), number })
}

/// A line of `group`, four fields; all its members; and how many of them the line has no room for.
fn group_line(text: &str) -> Option<(Line, Vec<&str>, usize)> {
    if is_nothing(text) {
        return Some((Line::nothing(), Vec::new(), 0));
    }
    let fields: Vec<&str> = text.split(':').collect();
    let [name, _, gid, members] = *fields.as_slice() else { return None };
    let number = read_number(gid)?;
    let members: Vec<&str> = members.split(',').map(str::trim).filter(|member| !member.is_empty()).collect();
    let mut text = format!("{name}:x:{number}:");
    if !is_name(name, &text) {
        return None;
    }
    let mut written = 0;
    for member in &members {
        if text.len() + 1 + member.len() > RECORD_OCTETS_MAX {
            break;
        }
        if written > 0 {
            text.push(',');
        }
        text.push_str(member);
        written += 1;
    }
    let cut = members.len() - written;
    Some((Line { text, name: name.into(), number }, members, cut))
}

impl Line {
    fn nothing() -> Self {
        Self { text: String::new(), name: String::new(), number: 0 }
    }
}

fn is_nothing(text: &str) -> bool {
    text.trim().is_empty() || text.starts_with('#')
}

/// Not one of the lines by which a file refers to NIS itself (`+`, `-user`), and not too long for a map.
fn is_name(name: &str, text: &str) -> bool {
    !name.is_empty() && !name.starts_with(['+', '-']) && text.len() <= RECORD_OCTETS_MAX
}

/// `UID:GID,GID,...`: the user's own group first.
fn netid(uid: u32, user: &Line, groups: &[u32]) -> Option<String> {
    let own = user.text.split(':').nth(3).and_then(read_number)?;
    let mut text = format!("{uid}:{own}");
    for group in groups.iter().filter(|group| **group != own) {
        let further = format!(",{group}");
        if text.len() + further.len() > RECORD_OCTETS_MAX {
            break;
        }
        text.push_str(&further);
    }
    Some(text)
}

fn read_netid(domain: &str, key: &str) -> Option<u32> {
    let (uid, of) = key.strip_prefix("unix.")?.split_once('@')?;
    read_number(uid).filter(|_| of == domain)
}

/// Digits alone, as they are written: "007" is no key of 7, and 4294967295 is nobody's (-1 of the kernel).
fn read_number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number != u32::MAX && number.to_string() == text).then_some(number)
}

/// From where to go on after a number. None: it was none.
fn after_number(key: Option<Option<u32>>) -> Option<Bound<u32>> {
    match key {
        None => Some(Bound::Unbounded),
        Some(number) => number.map(Bound::Excluded),
    }
}
