//! `[groups]`: sets of nodes that have a name.

use super::entry::Placed;
use super::mistake::{Findings, quoted};
use super::read::Draft;
use super::{Config, ListedNode};
use crate::limit::{GROUP_DEPTH_MAX, GROUP_NAME_OCTETS_MAX, GROUPS_MAX};
use heorot_names::{Directory, NodeSet, NodeSetError, NodeSetProblem, Numbering, Pattern};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A group as it is written.
pub(super) struct GroupDraft {
    name: Placed<String>,
    /// Sets, all of which are meant.
    texts: Vec<Placed<String>>,
}

/// The groups of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    sets: BTreeMap<String, NodeSet>,
    /// `[[node]]`s with a name and without a number: the number by which each stands in the sets meanwhile, and its place in the file.
    stand_ins: Vec<(u32, usize)>,
}

impl Groups {
    /// The sets, where listed nodes have these numbers.
    pub fn sets(
        &self,
        config: &Config,
        number_of: impl Fn(&ListedNode) -> Option<u32>,
    ) -> BTreeMap<String, NodeSet> {
        if self.stand_ins.is_empty() {
            return self.sets.clone();
        }
        let all: NodeSet = self.stand_ins.iter().map(|(number, _)| *number).collect();
        let with_numbers = |set: &NodeSet| {
            let meant = self.stand_ins.iter().filter(|(number, _)| set.contains(*number));
            let numbers: NodeSet =
                meant.filter_map(|(_, place)| number_of(config.nodes.get(*place)?)).collect();
            set.difference(&all).union(&numbers)
        };
        self.sets.iter().map(|(name, set)| (name.clone(), with_numbers(set))).collect()
    }

    /// Whether a node is in a set of the configuration, by its number or as the `[[node]]` at this place of the file.
    pub fn contains(&self, set: &NodeSet, number: Option<u32>, listed: Option<usize>) -> bool {
        let is_meant = |(stand_in, place): &(u32, usize)| Some(*place) == listed && set.contains(*stand_in);
        number.is_some_and(|number| set.contains(number)) || self.stand_ins.iter().any(is_meant)
    }
}

/// Reads the table: every key is a name, every value a set or several.
pub(super) fn read(findings: &mut Findings<'_>, table: &DeTable<'_>) -> Vec<GroupDraft> {
    // Maps order by name, operators by place.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    if let Some((key, _)) = entries.get(GROUPS_MAX) {
        findings.error(&key.span(), format!("more than {GROUPS_MAX} groups"), None);
    }
    let mut groups = Vec::new();
    for (key, value) in entries.into_iter().take(GROUPS_MAX) {
        let name: &str = key.get_ref();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        // What stands alone in a set would be read as something else than a group.
        let fits = (1..=GROUP_NAME_OCTETS_MAX).contains(&name.len()) && name.bytes().all(allowed);
        if !fits || name == "all" {
            let message = format!("{} is no name of a group", quoted(name));
            let remedy =
                format!("1 to {GROUP_NAME_OCTETS_MAX} letters, digits, '-', '_' and '.', and not \"all\"");
            findings.error(&key.span(), message, Some(remedy));
            continue;
        }
        let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref().as_array() {
            Some(items) => items.iter().collect(),
            None => vec![value],
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Placed { value: text.to_owned(), span: item.span() }),
                None => {
                    let message = format!("{name} in [groups] is a string or a list of strings");
                    findings.error(&item.span(), message, Some("as \"node[0-31]\"".into()));
                }
            }
        }
        groups.push(GroupDraft { name: Placed { value: name.to_owned(), span: key.span() }, texts });
    }
    groups
}

/// Reads the sets of groups and those of profiles, with names and numbers as the rest of the file has them.
pub(super) fn check(findings: &mut Findings<'_>, draft: &Draft) -> (Groups, BTreeMap<String, NodeSet>) {
    let nothing = (Groups::default(), BTreeMap::new());
    // Without these nothing can be said of any name, and that they are missing was reported.
    let (Some(zone), Some(pattern)) = (&draft.cluster_name, &draft.pattern) else { return nothing };
    if draft.groups.is_empty() && draft.profiles.values().all(|profile| profile.whom.nodes.is_none()) {
        return nothing;
    }
    let numbers = draft.networks.iter().filter_map(|network| network.numbers.as_ref());
    let networks = numbers.map(|numbers| Numbering {
        numbers: numbers.value,
        first: Ipv4Addr::UNSPECIFIED,
        first_ipv6: None,
        suffix: String::new(),
    });
    let mut directory = directory(&zone.value, &pattern.value, networks.collect());
    let mut stand_ins = Vec::new();
    // Numbers that no network has, from the highest down.
    let mut free =
        (0..=u32::MAX).rev().filter(|n| !directory.networks.iter().any(|net| net.numbers.contains(*n)));
    for (place, node) in draft.nodes.iter().enumerate() {
        let Some(name) = &node.name else { continue };
        let number = node.number.as_ref().map(|number| number.value).or_else(|| {
            let number = free.next()?;
            stand_ins.push((number, place));
            Some(number)
        });
        directory.given_names.extend(number.map(|number| (number, name.value.clone())));
    }
    drop(free);
    for group in draft.groups.iter().filter(|group| group.name.value == zone.value) {
        let message = format!("{} is the group of all nodes", quoted(&group.name.value));
        findings.error(&group.name.span, message, Some("choose another name".into()));
    }
    let reader = Reader { groups: &draft.groups, directory: &directory, stand_ins, read: RefCell::default() };
    for place in 0..draft.groups.len() {
        reader.set(place, 0);
    }
    let mut sets = BTreeMap::new();
    for (group, read) in draft.groups.iter().zip(0..) {
        match reader.read.borrow().get(&read) {
            Some(State::Read(set)) => {
                warn_beyond(findings, &group.name, &group.name.value, set, &reader);
                sets.insert(group.name.value.clone(), set.clone());
            }
            Some(State::Wrong(wrong)) => wrong.tell(findings, &group.name.value),
            Some(State::Reading) | None => {}
        }
    }
    let of_profiles = profile_sets(findings, draft, &reader);
    let stand_ins = reader.stand_ins;
    (Groups { sets, stand_ins }, of_profiles)
}

/// The nodes that profiles say they are for.
fn profile_sets(
    findings: &mut Findings<'_>,
    draft: &Draft,
    reader: &Reader<'_>,
) -> BTreeMap<String, NodeSet> {
    let mut sets = BTreeMap::new();
    for (name, profile) in &draft.profiles {
        let Some(nodes) = &profile.whom.nodes else { continue };
        match reader.texts(&nodes.value, 0) {
            Ok(set) => {
                warn_beyond(findings, nodes, "nodes", &set, reader);
                sets.insert(name.clone(), set);
            }
            Err(wrong) => wrong.tell(findings, "nodes"),
        }
    }
    sets
}

/// Tells of numbers in a set that are no nodes'.
fn warn_beyond<T>(
    findings: &mut Findings<'_>,
    place: &Placed<T>,
    name: &str,
    set: &NodeSet,
    reader: &Reader<'_>,
) {
    let stand_ins: NodeSet = reader.stand_ins.iter().map(|(number, _)| *number).collect();
    let beyond = set.difference(&reader.directory.numbers()).difference(&stand_ins);
    if beyond.size() > 0 {
        let message =
            format!("{name}: {} have numbers that no [[network]] has", reader.directory.fold(&beyond));
        let remedy = "they are no nodes; see numbers of [[network]]";
        findings.warning(&place.span, message, Some(remedy.into()));
    }
}

fn directory(zone: &str, pattern: &Pattern, networks: Vec<Numbering>) -> Directory {
    Directory { networks, ..Directory::new(zone, pattern.clone()) }
}

/// Reads groups as they are needed: one may stand in another.
struct Reader<'a> {
    groups: &'a [GroupDraft],
    directory: &'a Directory,
    /// The numbers by which nodes without one stand in the sets, with their places in the file.
    stand_ins: Vec<(u32, usize)>,
    read: RefCell<BTreeMap<usize, State>>,
}

enum State {
    Reading,
    Read(NodeSet),
    Wrong(WrongSet),
}

/// Why a set cannot be read.
#[derive(Clone)]
enum WrongSet {
    /// It names a group that cannot be read, of which that is told.
    Follows,
    /// Where, what is wrong there, and what was meant.
    Itself(Range<usize>, String, Option<String>),
}

impl WrongSet {
    fn tell(&self, findings: &mut Findings<'_>, name: &str) {
        match self {
            Self::Follows => {}
            Self::Itself(span, message, remedy) => {
                findings.error(span, format!("{name}: {message}"), remedy.clone());
            }
        }
    }
}

impl Reader<'_> {
    /// The set of a group, if it can be read.
    fn set(&self, place: usize, depth: usize) -> Option<NodeSet> {
        match self.read.borrow().get(&place) {
            Some(State::Read(set)) => return Some(set.clone()),
            Some(State::Reading | State::Wrong(_)) => return None,
            None => {}
        }
        self.read.borrow_mut().insert(place, State::Reading);
        let (state, set) = match self.texts(&self.groups[place].texts, depth) {
            Ok(set) => (State::Read(set.clone()), Some(set)),
            Err(wrong) => (State::Wrong(wrong), None),
        };
        self.read.borrow_mut().insert(place, state);
        set
    }

    /// All nodes of several sets.
    fn texts(&self, texts: &[Placed<String>], depth: usize) -> Result<NodeSet, WrongSet> {
        texts.iter().try_fold(NodeSet::default(), |all, text| {
            let group = |source: Option<&str>, name: &str| match (source, name) {
                (None, "*") => Some(self.directory.numbers()),
                (None, name) if depth < GROUP_DEPTH_MAX => {
                    let other = self.groups.iter().position(|group| group.name.value == name)?;
                    self.set(other, depth + 1)
                }
                (None | Some(_), _) => None,
            };
            match NodeSet::parse_with(&text.value, self.directory, &group) {
                Ok(set) => Ok(all.union(&set)),
                Err(error) => Err(self.wrong(text, &error)),
            }
        })
    }

    fn wrong(&self, text: &Placed<String>, error: &NodeSetError) -> WrongSet {
        let part = text.value.get(error.span.clone()).unwrap_or_default();
        let exists =
            |group: &GroupDraft| error.problem == NodeSetProblem::NoSuchGroup(group.name.value.clone());
        let missing = self.groups.iter().position(exists);
        let read = self.read.borrow();
        let why = match missing.map(|place| read.get(&place)) {
            Some(Some(State::Wrong(_))) => return WrongSet::Follows,
            Some(Some(State::Reading)) => "this group stands in itself".to_owned(),
            Some(Some(State::Read(_)) | None) => {
                format!("more than {GROUP_DEPTH_MAX} groups, one in another")
            }
            None => error.to_string(),
        };
        let message = if part.is_empty() { why } else { format!("{}: {why}", quoted(part)) };
        let meant = self.with_brackets(part).map(|meant| format!("did you mean {meant:?}?"));
        WrongSet::Itself(text.span.clone(), message, meant)
    }

    /// `node[32-63]` of `node32-63` and of `node32-node63`, if these are nodes.
    fn with_brackets(&self, part: &str) -> Option<String> {
        let is_digit = |c: char| c.is_ascii_digit();
        let (first, last) = part.rsplit_once('-')?;
        let name = first.trim_end_matches(is_digit);
        let (from, to) = (first.strip_prefix(name)?, last.strip_prefix(name).unwrap_or(last));
        let are_numbers = !from.is_empty() && !to.is_empty() && to.chars().all(is_digit);
        let meant = are_numbers.then(|| format!("{name}[{from}-{to}]"))?;
        NodeSet::parse_with(&meant, self.directory, &|_: Option<&str>, _: &str| None).ok().map(|_| meant)
    }
}
