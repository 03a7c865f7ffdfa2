//! What listed nodes and checks must be together: every name, number and hardware address means one of them.

use super::entry::{Placed, did_you_mean};
use super::mistake::{Findings, quoted};
use super::read::{CheckDraft, Draft, NodeDraft};
use super::{Order, SERVER_NAME, TRIAL_PROFILE};
use crate::limit::SUFFIXES_MAX;
use crate::mac::Mac;
use heorot_names::Pattern;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Looks at all listed nodes, and at the names of the checks.
pub(super) fn check(findings: &mut Findings<'_>, draft: &Draft) {
    check_macs(findings, &draft.nodes);
    check_numbers(findings, draft);
    check_names(findings, draft);
    check_profiles(findings, draft);
    check_order(findings, draft);
    check_check_names(findings, &draft.checks);
}

fn check_macs(findings: &mut Findings<'_>, nodes: &[NodeDraft]) {
    let mut seen: BTreeMap<Mac, &Range<usize>> = BTreeMap::new();
    for mac in nodes.iter().flat_map(|node| &node.macs) {
        note_once(
            findings,
            &mut seen,
            &mac.value,
            &mac.span,
            || None,
            |line| format!("mac: {} is already on line {line}", mac.value),
        );
    }
}

fn check_numbers(findings: &mut Findings<'_>, draft: &Draft) {
    let mut seen: BTreeMap<u32, &Range<usize>> = BTreeMap::new();
    let known: Vec<_> = draft.networks.iter().filter_map(|network| network.numbers.as_ref()).collect();
    for number in draft.nodes.iter().filter_map(|node| node.number.as_ref()) {
        note_once(
            findings,
            &mut seen,
            &number.value,
            &number.span,
            || None,
            |line| format!("number: {} is already on line {line}", number.value),
        );
        // Where a network's numbers could not be read, nobody knows whether it is one of them.
        let all_known = known.len() == draft.networks.len() && !known.is_empty();
        if all_known && !known.iter().any(|numbers| numbers.value.contains(number.value)) {
            const SHOWN_MAX: usize = 4;
            let shown: Vec<_> = known
                .iter()
                .take(SHOWN_MAX)
                .map(|n| format!("{}-{} (line {})", n.value.lowest, n.value.highest, findings.line(&n.span)))
                .collect();
            let message = format!("number: {} is on no network", number.value);
            findings.error(&number.span, message, Some(format!("there are {}", shown.join(", "))));
        }
    }
}

/// A host name, with each suffix of an interface, is one node's.
fn check_names(findings: &mut Findings<'_>, draft: &Draft) {
    let suffixes: BTreeSet<&str> = draft
        .networks
        .iter()
        .filter_map(|network| network.suffix.as_ref())
        .map(|suffix| suffix.value.as_str())
        .chain([""])
        .collect();
    // More are a mistake already.
    let suffixes: BTreeSet<&str> = suffixes.into_iter().take(SUFFIXES_MAX).collect();
    let mut seen: BTreeMap<String, &Range<usize>> = BTreeMap::new();
    for (node, name) in draft.nodes.iter().filter_map(|node| Some((node, node.name.as_ref()?))) {
        let hosts: Vec<_> = suffixes.iter().map(|suffix| format!("{}{suffix}", name.value)).collect();
        if let Some(host) = hosts.iter().find(|host| host.len() > 63) {
            findings.error(&name.span, format!("name: {host:?} is longer than 63 characters"), None);
        }
        let taken = hosts.iter().find_map(|host| Some((host, *seen.get(host)?)));
        let computed = draft.pattern.as_ref().and_then(|pattern| {
            let number = node.number.as_ref().map(|number| number.value);
            computed_of_another(&hosts, &suffixes, &pattern.value, number)
        });
        if hosts.iter().any(|host| host == SERVER_NAME) {
            let message = format!("name: {SERVER_NAME:?} is this server, whose addresses are known");
            findings.error(&name.span, message, Some("choose another".into()));
        }
        match (taken, computed) {
            (Some((host, at)), _) => {
                let message = format!("name: {host:?} is already of the node on line {}", findings.line(at));
                findings.error(&name.span, message, None);
            }
            (None, Some((host, number))) => {
                let message = format!("name: {host:?} is the computed name of node {number}");
                let remedy = "choose one that cluster.nodes does not make".to_owned();
                findings.error(&name.span, message, Some(remedy));
            }
            (None, None) => {}
        }
        for host in hosts {
            seen.entry(host).or_insert(&name.span);
        }
    }
}

/// The host name that arithmetic gives to a node of another number, on some network.
fn computed_of_another<'h>(
    hosts: &'h [String],
    suffixes: &BTreeSet<&str>,
    pattern: &Pattern,
    number: Option<u32>,
) -> Option<(&'h String, u32)> {
    hosts.iter().find_map(|host| {
        let computed = |suffix: &&str| pattern.number(host.strip_suffix(*suffix)?);
        let other = suffixes.iter().filter_map(computed).find(|computed| Some(*computed) != number)?;
        Some((host, other))
    })
}

fn check_profiles(findings: &mut Findings<'_>, draft: &Draft) {
    for profile in draft.nodes.iter().filter_map(|node| node.profile.as_ref()) {
        if profile.value == TRIAL_PROFILE || draft.profiles.contains_key(&profile.value) {
            continue;
        }
        let known = draft.profiles.keys().map(String::as_str).chain([TRIAL_PROFILE]);
        let nearest = if findings.full() { None } else { did_you_mean(&profile.value, known) };
        let remedy =
            nearest.unwrap_or_else(|| format!("write a [profile.{}], or leave it out", profile.value));
        findings.error(
            &profile.span,
            format!("there is no profile {}", quoted(&profile.value)),
            Some(remedy),
        );
    }
}

fn check_order(findings: &mut Findings<'_>, draft: &Draft) {
    let Some(Placed { value, span }) = &draft.order else { return };
    let mut numbered = draft.nodes.iter().filter(|node| node.number.is_some());
    let at_a_port =
        |node: &NodeDraft| node.identifiers.circuit.is_some() || node.identifiers.remote.is_some();
    let (message, remedy) = match value {
        Order::List if numbered.next().is_none() => (
            "order: no [[node]] has a number, so that every machine stays temporary",
            "write [[node]]s with mac and number, or order = \"passed\"",
        ),
        Order::Port if !numbered.any(at_a_port) => (
            "order: no [[node]] has a place at a relay and a number, so that every machine stays temporary",
            "write [[node]]s with circuit-id and number, or order = \"passed\"",
        ),
        Order::Passed | Order::List | Order::Port => return,
    };
    findings.warning(span, message, Some(remedy.into()));
}

/// Reports name the checks: each once.
fn check_check_names(findings: &mut Findings<'_>, checks: &[CheckDraft]) {
    let mut seen: BTreeMap<String, &Range<usize>> = BTreeMap::new();
    for CheckDraft { check, name_span } in checks {
        let remedy = || Some("give it a name of its own: name = \"…\"".to_owned());
        note_once(findings, &mut seen, &check.name, name_span, remedy, |line| {
            format!("a check {} is already on line {line}", quoted(&check.name))
        });
    }
}

/// Notes what must be there once; a second one is a mistake that names the line of the first.
fn note_once<'s, K: Ord + Clone>(
    findings: &mut Findings<'_>,
    seen: &mut BTreeMap<K, &'s Range<usize>>,
    key: &K,
    span: &'s Range<usize>,
    remedy: impl FnOnce() -> Option<String>,
    message: impl FnOnce(usize) -> String,
) {
    if let Some(before) = seen.get(key) {
        let line = findings.line(before);
        findings.error(span, message(line), remedy());
    }
    seen.entry(key.clone()).or_insert(span);
}
