//! `[profile.NAME]`: from whom it inherits, whom it is for, and the attributes of its nodes.

use super::entry::{Entry, Placed, did_you_mean, within};
use super::mistake::{Findings, quoted};
use super::read::{DEFAULT_PROFILE, Draft, ProfileDraft, shown_name};
use super::read_host::is_without_option;
use super::setting::nearest;
use super::template::setting_of_ipxe;
use super::value::Wrong;
use super::{Config, FIRMWARE, FirmwareKind, Profile, Protocol, TRIAL_PROFILE, overlay};
use crate::limit::{
    ATTRIBUTE_NAME_OCTETS_MAX, ATTRIBUTE_VALUE_OCTETS_MAX, ATTRIBUTES_MAX, PROFILE_DEPTH_MAX,
};
use heorot_names::NodeSet;
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeValue;

/// Whom a profile is for, where nobody said so machine by machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The profile.
    pub profile: String,
    /// The nodes it is for; none: all. With numbers that stand in for nodes without one, as [`Groups`](super::Groups) has them.
    pub nodes: Option<NodeSet>,
    /// The firmware it is for, whether that loads by TFTP or HTTP; none: any.
    pub firmware: Vec<FirmwareKind>,
    /// Whether it is for machines with a number.
    pub numbered: bool,
    /// Whether it is for machines on trial.
    pub on_trial: bool,
}

impl Config {
    /// The profile of a number of which nothing is known but what is written here: neither an operator's word, nor what its firmware says of itself. `listed` is the
    /// place of its `[[node]]`.
    pub(crate) fn profile_of_number(&self, number: u32, listed: Option<usize>) -> &str {
        let own = listed.and_then(|place| self.nodes.get(place)?.profile.as_deref());
        let is_its = |choice: &&Choice| {
            let is_in = |set| self.groups.contains(set, Some(number), listed);
            choice.numbered && choice.firmware.is_empty() && choice.nodes.as_ref().is_none_or(is_in)
        };
        let chosen = || Some(self.choices.iter().find(is_its)?.profile.as_str());
        own.or_else(chosen).unwrap_or(DEFAULT_PROFILE)
    }

    /// Whether any profile gives its nodes SSH host keys.
    pub(crate) fn has_host_keys(&self) -> bool {
        self.profiles.values().any(|profile| profile.overlays.ssh_host_key)
    }

    /// The numbers whose profile gives them SSH host keys, where nothing is known but what is written here.
    pub(crate) fn numbers_with_host_key(&self) -> NodeSet {
        let has = |name: &str| self.profiles.get(name).is_some_and(|profile| profile.overlays.ssh_host_key);
        let mut left: NodeSet = self.networks.iter().map(|network| network.numbering.numbers).collect();
        let mut with = NodeSet::default();
        for choice in self.choices.iter().filter(|choice| choice.numbered && choice.firmware.is_empty()) {
            let chosen = choice.nodes.as_ref().map_or_else(|| left.clone(), |set| left.intersection(set));
            left = left.difference(&chosen);
            if has(&choice.profile) {
                with = with.union(&chosen);
            }
        }
        if has(DEFAULT_PROFILE) {
            with = with.union(&left);
        }
        // Those have perhaps a profile of their own, or are by their names in the sets of others.
        let listed = self.nodes.iter().zip(0..).filter_map(|(node, place)| Some((node.number?, place)));
        let has_one = |(number, place): &(u32, usize)| has(self.profile_of_number(*number, Some(*place)));
        let (listed_with, listed_without): (Vec<(u32, usize)>, Vec<_>) = listed.partition(has_one);
        let [listed_with, listed_without] =
            [listed_with, listed_without].map(|all| all.into_iter().map(|(number, _)| number).collect());
        with.difference(&listed_without).union(&listed_with)
    }
}

/// Whom a profile says that it is for.
#[derive(Default)]
pub(super) struct WhomDraft {
    pub(super) nodes: Option<Placed<Vec<Placed<String>>>>,
    firmware: Option<Placed<Vec<Placed<FirmwareKind>>>>,
}

/// Reads `nodes` and `architecture`.
pub(super) fn read_whom(findings: &mut Findings<'_>, profile: &Entry<'_>) -> WhomDraft {
    let mut any =
        |key: &str| profile.has(key).then(|| profile.texts(findings, key, super::value::any)).flatten();
    let nodes = any("nodes");
    let firmware =
        profile.has("architecture").then(|| profile.texts(findings, "architecture", firmware)).flatten();
    if let Some(all) = firmware.as_ref().filter(|all| all.value.is_empty()) {
        findings.error(&all.span, "architecture: the list is empty", Some("leave it out".into()));
    }
    WhomDraft { nodes, firmware }
}

/// A word of `[boot]` for what a machine is, whichever way its firmware loads.
fn firmware(word: &str) -> Result<FirmwareKind, Wrong> {
    let rows = || FIRMWARE.iter().filter(|row| row.protocol == Protocol::Tftp);
    let found = rows().find(|row| row.key == word);
    found.map(|row| row.kind).ok_or_else(|| {
        let by_http = word.strip_prefix("http-").map(|rest| format!("uefi-{rest}"));
        let meant = by_http.filter(|meant| rows().any(|row| row.key == meant));
        let words: Vec<_> = rows().map(|row| row.key).collect();
        let remedy = meant
            .map(|meant| format!("write {meant:?}: it is for firmware that boots by HTTP too"))
            .or_else(|| did_you_mean(word, words.iter().copied()).filter(|_| !is_without_option(word)))
            .unwrap_or_else(|| format!("there is {}", words.join(", ")));
        Wrong::with(format!("unknown architecture {}", quoted(word)), remedy)
    })
}

/// Reads `attributes`.
pub(super) fn read_attributes(
    findings: &mut Findings<'_>,
    entry: &Entry<'_>,
) -> BTreeMap<String, Placed<String>> {
    let mut attributes = BTreeMap::new();
    let Some(value) = entry.raw("attributes") else { return attributes };
    let Some(table) = value.get_ref().as_table() else {
        let remedy = "write attributes = { console = \"ttyS1\" }";
        findings.error(&value.span(), "attributes: it is a table", Some(remedy.into()));
        return attributes;
    };
    // Maps order by name, operators by place.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    if let Some((key, _)) = entries.get(ATTRIBUTES_MAX) {
        findings.error(&key.span(), format!("more than {ATTRIBUTES_MAX} attributes"), None);
    }
    for (key, value) in entries.into_iter().take(ATTRIBUTES_MAX) {
        let name: &str = key.get_ref();
        if let Err(wrong) = check_attribute_name(name) {
            findings.error(&key.span(), wrong, None);
            continue;
        }
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                let remedy = format!("write {name} = \"…\"");
                findings.error(&value.span(), format!("attribute {name} is a string"), Some(remedy));
                continue;
            }
        };
        match check_attribute_value(&text) {
            Ok(()) => drop(attributes.insert(name.to_owned(), Placed { value: text, span: value.span() })),
            Err(wrong) => findings.error(&value.span(), format!("attribute {name}: {wrong}"), None),
        }
    }
    attributes
}

/// Whether an attribute can be called so: templates name it as a word.
///
/// # Errors
/// Why not.
pub fn check_attribute_name(name: &str) -> Result<(), String> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let all = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if first && all && name.len() <= ATTRIBUTE_NAME_OCTETS_MAX {
        return Ok(());
    }
    Err(format!(
        "{} is no name of an attribute: up to {ATTRIBUTE_NAME_OCTETS_MAX} letters, digits and '_', not a digit first",
        quoted(name)
    ))
}

/// Whether an attribute can be this: it goes into files of lines.
///
/// # Errors
/// Why not.
pub fn check_attribute_value(value: &str) -> Result<(), String> {
    match value {
        value if value.len() > ATTRIBUTE_VALUE_OCTETS_MAX => {
            Err(format!("longer than {ATTRIBUTE_VALUE_OCTETS_MAX} octets"))
        }
        value if value.chars().any(char::is_control) => {
            Err("a control character would break generated files".into())
        }
        _ => Ok(()),
    }
}

/// Looks at all profiles together. `sets` are their `nodes`, as far as they could be read.
pub(super) fn check(findings: &mut Findings<'_>, draft: &Draft, sets: &BTreeMap<String, NodeSet>) {
    let profiles = &draft.profiles;
    for (name, profile) in profiles {
        check_parent(findings, profiles, name, profile);
        check_whom(findings, profiles, name, profile);
    }
    check_ties(findings, profiles, sets);
    let known = attributes_of(draft);
    for cmdline in profiles.values().filter_map(|profile| profile.cmdline.as_ref()) {
        for (name, part) in cmdline.value.attributes().filter(|(name, _)| !known.contains(name)) {
            let span = within(findings, &cmdline.span, cmdline.value.text(), part);
            let (message, remedy) = unknown_attribute(name, &known);
            findings.error(&span, format!("cmdline: {message}"), Some(remedy));
        }
    }
    warn_of_ipxe(findings, draft);
}

/// Warns of what iPXE takes for a setting: other loaders write it as it is, and whether a node loads by iPXE is known when it asks.
fn warn_of_ipxe(findings: &mut Findings<'_>, draft: &Draft) {
    let profiles = &draft.profiles;
    let remedy = || Some("write it without, if nodes load by iPXE".to_owned());
    let told = |setting: &str| {
        format!("iPXE puts a value of its own for {setting}: a node that loads by iPXE gets no file")
    };
    let cmdlines = || profiles.values().filter_map(|profile| profile.cmdline.as_ref());
    for cmdline in cmdlines() {
        if let Some((setting, part)) = cmdline.value.setting_of_ipxe() {
            let span = within(findings, &cmdline.span, cmdline.value.text(), part);
            findings.warning(&span, format!("cmdline: {}", told(&setting)), remedy());
        }
    }
    let named: BTreeSet<_> =
        cmdlines().flat_map(|cmdline| cmdline.value.attributes()).map(|(name, _)| name).collect();
    let of_profiles = profiles.values().flat_map(|profile| &profile.attributes);
    let of_nodes = draft.nodes.iter().flat_map(|node| &node.attributes);
    for (name, value) in of_profiles.chain(of_nodes).filter(|(name, _)| named.contains(name.as_str())) {
        if let Some(setting) = setting_of_ipxe(&value.value) {
            let message = format!("attribute {name}: a cmdline names it, and {}", told(setting));
            findings.warning(&value.span, message, remedy());
        }
    }
}

/// Every attribute that some node can have by the configuration.
fn attributes_of(draft: &Draft) -> BTreeSet<&str> {
    let of_profiles = draft.profiles.values().flat_map(|profile| profile.attributes.keys());
    let of_nodes = draft.nodes.iter().flat_map(|node| node.attributes.keys());
    of_profiles.chain(of_nodes).map(String::as_str).collect()
}

/// A template that names what nobody has is misspelt.
pub(super) fn unknown_attribute(name: &str, known: &BTreeSet<&str>) -> (String, String) {
    let message = format!("no profile and no [[node]] has the attribute {name}");
    let remedy = nearest(name, known.iter().copied()).map_or_else(
        || format!("write attributes = {{ {name} = \"\" }} in [profile.default]"),
        |near| format!("did you mean \"node.attributes.{near}\"?"),
    );
    (message, remedy)
}

fn check_parent(
    findings: &mut Findings<'_>,
    profiles: &BTreeMap<String, ProfileDraft>,
    name: &str,
    profile: &ProfileDraft,
) {
    let Some(parent) = &profile.inherits else { return };
    if name == DEFAULT_PROFILE {
        let message = "inherits: all profiles inherit from \"default\", and that from none";
        return findings.error(&parent.span, message, Some("leave it out".into()));
    }
    if parent.value != TRIAL_PROFILE && !profiles.contains_key(&parent.value) {
        let remedy = did_you_mean(&parent.value, profiles.keys().map(String::as_str));
        let remedy = remedy.unwrap_or_else(|| format!("write a [profile.{}]", parent.value));
        let message = format!("inherits: there is no profile {}", quoted(&parent.value));
        return findings.error(&parent.span, message, Some(remedy));
    }
    let chain: Vec<_> = ancestry(profiles, name).collect();
    match chain.iter().skip(1).position(|ancestor| *ancestor == name) {
        // It is told once, at the first of those that go round.
        Some(end) if chain[..=end].iter().all(|other| name <= *other) => {
            let shown: Vec<_> = chain[..=end + 1].iter().map(|name| quoted(name)).collect();
            let message = format!("inherits: {} goes round in a circle", shown.join(" -> "));
            findings.error(
                &parent.span,
                message,
                Some("let one of them inherit from another profile".into()),
            );
        }
        None if chain.len() > PROFILE_DEPTH_MAX && chain.last() == Some(&DEFAULT_PROFILE) => {
            let message = format!("inherits: more than {PROFILE_DEPTH_MAX} profiles, one from another");
            findings.error(&parent.span, message, None);
        }
        Some(_) | None => {}
    }
}

/// A profile, and those it inherits from, one after another, to `default`. Of a circle, it goes a little further than once round.
fn ancestry<'p>(
    profiles: &'p BTreeMap<String, ProfileDraft>,
    name: &'p str,
) -> impl Iterator<Item = &'p str> {
    let parent = |name: &&'p str| {
        if *name == DEFAULT_PROFILE {
            return None;
        }
        let inherits = profiles.get(*name).and_then(|profile| profile.inherits.as_ref());
        Some(inherits.map_or(DEFAULT_PROFILE, |parent| parent.value.as_str()))
    };
    std::iter::successors(Some(name), parent).take(profiles.len() + 3)
}

/// Whether a profile is for machines on trial: it is `trial`, or inherits from it.
fn is_of_trial(profiles: &BTreeMap<String, ProfileDraft>, name: &str) -> bool {
    ancestry(profiles, name).any(|ancestor| ancestor == TRIAL_PROFILE)
}

fn check_whom(
    findings: &mut Findings<'_>,
    profiles: &BTreeMap<String, ProfileDraft>,
    name: &str,
    ProfileDraft { whom, .. }: &ProfileDraft,
) {
    let nodes = whom.nodes.as_ref().map(|nodes| ("nodes", &nodes.span));
    let firmware = whom.firmware.as_ref().map(|firmware| ("architecture", &firmware.span));
    if name == DEFAULT_PROFILE || name == TRIAL_PROFILE {
        for (key, span) in nodes.into_iter().chain(firmware) {
            let message = format!("{key}: {name:?} is for all that no other profile is for");
            findings.error(span, message, Some("write it in a profile of another name".into()));
        }
    } else if let Some((_, span)) = nodes.filter(|_| is_of_trial(profiles, name)) {
        let message =
            format!("nodes: {} inherits from \"trial\", and a machine on trial has no number", quoted(name));
        findings.error(span, message, Some("leave it out".into()));
    }
}

/// Of two profiles that are for one node, one has to be the more particular.
fn check_ties(
    findings: &mut Findings<'_>,
    profiles: &BTreeMap<String, ProfileDraft>,
    sets: &BTreeMap<String, NodeSet>,
) {
    let mut chosen: Vec<_> = profiles
        .iter()
        .filter(|(_, profile)| profile.whom.nodes.is_some() || profile.whom.firmware.is_some())
        .collect();
    chosen.sort_by_key(|(_, profile)| profile.span.start);
    for (place, (name, profile)) in chosen.iter().enumerate() {
        for (other_name, other) in &chosen[..place] {
            if is_of_trial(profiles, name) != is_of_trial(profiles, other_name) {
                continue;
            }
            let (here, there) = (words(&profile.whom), words(&other.whom));
            let common = here.iter().find(|word| there.contains(word));
            if common.is_none() && !here.is_empty() && !there.is_empty() {
                continue;
            }
            let line = findings.line(&other.span);
            let at = format!("[profile.{other_name}] on line {line}");
            match (&profile.whom.nodes, sets.get(*name), &other.whom.nodes, sets.get(*other_name)) {
                (Some(nodes), Some(set), Some(_), Some(other_set)) => {
                    let Some(number) = tied(set, other_set, here.is_empty() == there.is_empty()) else {
                        continue;
                    };
                    let message = format!(
                        "nodes: number {number} is meant by {at} too, and neither set is part of the other"
                    );
                    let remedy = "let one set be part of the other, or write profile in a [[node]]";
                    findings.error(&nodes.span, message, Some(remedy.into()));
                }
                (None, _, None, _) => {
                    let (Some(firmware), Some(common)) = (&profile.whom.firmware, common) else { continue };
                    let word = common.row().key;
                    let message = format!("architecture: {word:?} is that of {at} too");
                    findings.error(&firmware.span, message, Some("add nodes to one of them".into()));
                }
                // Whoever names nodes is the more particular; what could not be read was told.
                _ => {}
            }
        }
    }
}

/// A profile that nobody has by this file, if all else is right: misspelt, or written by who takes the name for what chooses it.
pub(super) fn check_use(findings: &mut Findings<'_>, draft: &Draft) {
    let of_nodes = draft.nodes.iter().filter_map(|node| node.profile.as_ref());
    let of_classes = draft.classes.iter().filter_map(|class| class.profile.as_ref());
    let of_profiles = draft.profiles.values().filter_map(|profile| profile.inherits.as_ref());
    let named = of_nodes.chain(of_classes).chain(of_profiles).map(|name| name.value.as_str());
    let named: BTreeSet<&str> = named.chain([DEFAULT_PROFILE, TRIAL_PROFILE]).collect();
    for (name, profile) in &draft.profiles {
        if profile.whom.nodes.is_some() || profile.whom.firmware.is_some() || named.contains(name.as_str()) {
            continue;
        }
        let heading = format!("[profile.{}]", shown_name(name));
        let (message, what) = if is_of_trial(&draft.profiles, name) {
            let message = format!(
                "{heading} is nobody's: machines on trial have it by its architecture, and it names none"
            );
            (message, "write architecture = \"uefi-arm64\", or another, in it")
        } else {
            let message = format!(
                "{heading} is nobody's: it has no nodes and no architecture, and no [[node]], [[class]] or profile names it"
            );
            (
                message,
                "write nodes = \"…\" in it; nodes = [], if only heorot node set is to give it to somebody",
            )
        };
        let meant = nearest(name, [DEFAULT_PROFILE, TRIAL_PROFILE]);
        let meant = meant.map(|meant| format!("did you mean [profile.{meant}]? else ")).unwrap_or_default();
        findings.warning(&profile.span, message, Some(meant + what));
    }
}

fn words(whom: &WhomDraft) -> Vec<FirmwareKind> {
    whom.firmware.iter().flat_map(|firmware| &firmware.value).map(|placed| placed.value).collect()
}

/// A number for which neither of two sets goes before the other: they have it both, and neither is part of the other, or they are the same and nothing else
/// tells them apart.
fn tied(set: &NodeSet, other: &NodeSet, is_alike: bool) -> Option<u32> {
    let common = set.intersection(other);
    let first = common.iter().next()?;
    let is_part = common == *set || common == *other;
    (!is_part || (set == other && is_alike)).then_some(first)
}

/// All profiles, and `trial` in any case: what one does not say is as in the one that it inherits from.
pub(super) fn build(drafts: &BTreeMap<String, ProfileDraft>) -> Option<BTreeMap<String, Profile>> {
    let names = drafts.keys().map(String::as_str).chain([TRIAL_PROFILE]);
    names.map(|name| Some((name.to_owned(), build_one(drafts, name)?))).collect()
}

fn build_one(drafts: &BTreeMap<String, ProfileDraft>, name: &str) -> Option<Profile> {
    let line = || ancestry(drafts, name).filter_map(|name| drafts.get(name));
    let initrd = line().find_map(|draft| draft.initrd.as_ref())?;
    let mut attributes = BTreeMap::new();
    for draft in line() {
        for (name, value) in &draft.attributes {
            attributes.entry(name.clone()).or_insert_with(|| value.value.clone());
        }
    }
    Some(Profile {
        kernel: line().find_map(|draft| draft.kernel.as_ref())?.value.clone(),
        initrd: initrd.value.iter().map(|file| file.value.clone()).collect(),
        cmdline: line().find_map(|draft| draft.cmdline.as_ref())?.value.clone(),
        options: line().find_map(|draft| draft.options.as_ref())?.clone(),
        root: line().find_map(|draft| draft.root.as_ref())?.value.clone(),
        attributes,
        overlays: overlay::build(&line().map(|draft| &draft.overlays).collect::<Vec<_>>())?,
    })
}

/// Whom the profiles are for, the most particular first: a smaller set before one that it is part of, any set before none, and with an architecture before without.
pub(super) fn choices(
    drafts: &BTreeMap<String, ProfileDraft>,
    mut sets: BTreeMap<String, NodeSet>,
) -> Vec<Choice> {
    // Where nothing is said of machines on trial, what is said of their architecture holds for them too.
    let trial_is_told = drafts.contains_key(TRIAL_PROFILE);
    let mut choices: Vec<_> = drafts
        .iter()
        .filter(|(_, draft)| draft.whom.nodes.is_some() || draft.whom.firmware.is_some())
        .map(|(name, draft)| {
            let nodes = sets.remove(name);
            let of_trial = is_of_trial(drafts, name);
            let on_trial = of_trial || (!trial_is_told && nodes.is_none());
            let choice = Choice {
                profile: name.clone(),
                nodes,
                firmware: words(&draft.whom),
                numbered: !of_trial,
                on_trial,
            };
            (of_trial, choice)
        })
        .collect();
    choices.sort_by_key(|(of_trial, choice)| {
        let size = choice.nodes.as_ref().map_or(u64::MAX, NodeSet::size);
        (!of_trial, size, choice.firmware.is_empty())
    });
    choices.into_iter().map(|(_, choice)| choice).collect()
}

#[cfg(test)]
mod tests;
