//! What is known again after a restart.

use crate::cluster::lease::{Lease, PoolId, PoolKind};
use crate::cluster::node::{Node, Programs};
use crate::cluster::plan::Plan;
use crate::cluster::record::{
    BootRecord, LeaseRecord, NodeRecord, OrdersRecord, Record, Ticket, TrialsRecord, VainRecord,
};
use crate::cluster::since::Since;
use crate::cluster::stage::{Phase, Stage, Step};
use crate::cluster::trial;
use crate::cluster::trouble::Beside;
use crate::cluster::vain::Vain;
use crate::config::Mode;
use crate::hall::{Due, Turn};
use crate::limit::LEFT_RECORDED_EVERY;
use crate::mac::Mac;
use crate::service::boot;
use crate::wire::dhcp::relay;
use heorot_names::Dynamic;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What was known before the restart is known again.
pub(super) fn restore(turn: &mut Turn<'_>, records: Vec<Record>) {
    let mut nodes: BTreeMap<Mac, NodeRecord> = BTreeMap::new();
    let mut boots: BTreeMap<Mac, BootRecord> = BTreeMap::new();
    let (mut trials, mut secrets) = (Vec::new(), Vec::new());
    let mut orders: BTreeMap<Mac, OrdersRecord> = BTreeMap::new();
    let (mut leases, mut numbering) = (Vec::new(), None);
    for record in records {
        match record {
            Record::Node(node) => drop(nodes.insert(node.mac, node)),
            Record::Boot(boot) => drop(boots.insert(boot.mac, *boot)),
            Record::Trials(record) => trials.push(record),
            Record::Secrets(record) => secrets.push(record),
            Record::Lease(lease) => leases.push(lease),
            Record::Numbering(kept) => numbering = Some(kept),
            Record::Orders(decided) => drop(orders.insert(decided.mac, decided)),
            Record::Dynamic(dynamic) => turn.hall.dynamics.restore(Dynamic::from(&dynamic)),
            Record::LeaseEnded(_)
            | Record::NodeForgotten(_)
            | Record::BootForgotten(_)
            | Record::Serial(_) => {}
        }
    }
    if let Some(before) = &numbering {
        let leases = turn.leases_recorded(before);
        turn.keep_longer_leases(leases);
    }
    let all = nodes.keys().chain(boots.keys()).chain(orders.keys());
    let stale = stale(&nodes);
    let macs: BTreeSet<_> = all.copied().filter(|mac| !stale.contains(mac)).collect();
    let own: BTreeSet<_> = nodes.keys().copied().filter(|mac| !stale.contains(mac)).collect();
    for card in &stale {
        turn.forget_records(*card);
    }
    let mut parted = Vec::new();
    for mac in macs {
        let mut node = restored_node(turn, mac, nodes.remove(&mac), boots.remove(&mac));
        // A card of which it is recorded for itself what was promised to it is no other machine's, as it was not while that was recorded.
        let cards = node.further_macs.len();
        let has_number = node.number.is_some();
        let is_anothers = |card: &Mac| own.contains(card) || !has_number && stale.contains(card);
        node.further_macs.retain(|card| !is_anothers(card));
        if node.further_macs.len() < cards {
            node.granted_to = node.granted_to.filter(|granted| node.cards().any(|card| card == *granted));
            parted.push(mac);
        }
        if let Some(decided) = orders.remove(&mac) {
            // Nothing else is known of it: without that it would be a stranger by now.
            node.is_named = !node.is_kept && !node.is_recorded;
            node.kept_since = Since::restored(turn.now, decided.at_seconds);
            node.orders = decided.orders;
        }
        // Whose agent has fallen silent may have its address still, and renew it.
        let (is_up, had_address) = (node.stage == Stage::Up, matches!(node.stage, Stage::Up | Stage::Down));
        // Where another server gives the addresses it renews to that one.
        let is_ours = |place: &usize| turn.config.networks[*place].mode == Mode::Serve;
        let own = node.number.filter(|_| had_address).and_then(|number| turn.own_network(&node, number));
        let own = own.filter(is_ours);
        turn.hall.listed.bind_by_number(turn.config, mac, node.number);
        turn.hall.nodes.restore(node);
        turn.hall.nodes.let_go(turn.now, mac);
        if let Some(own) = own {
            has_as_long_again(turn, mac, own, is_up);
        }
        if is_up {
            boot::watch_again(turn, mac);
        }
    }
    for mac in parted {
        turn.keep_node(mac);
    }
    turn.forget_surplus();
    restore_trials(turn, trials);
    for record in secrets {
        turn.restore_secrets(record);
    }
    for record in leases {
        let LeaseRecord { address, mac, name, .. } = record.clone();
        restore_lease(turn, &record);
        let lease = turn.hall.leases.get(address).filter(|lease| lease.mac == mac);
        if let Some((name, until)) = name.zip(lease.map(|lease| lease.until)) {
            turn.hall.naming.keep(address, name);
            turn.hall.naming.lent(address, until.as_nanoseconds());
        }
    }
    expire_lost(turn);
    turn.forget_surplus();
    if let Some(before) = &numbering {
        let used = turn.in_use(before);
        turn.keep_moved(used);
        turn.tell_moved(before);
    }
    turn.keep_moved_hosts(None, relay::place);
    turn.tell_profiles_gone(|_| true);
    turn.keep_numbering(numbering.as_ref());
    let is_elsewhere = |node: &&Node| turn.elsewhere(node).is_some();
    let elsewhere: Vec<_> = turn.hall.nodes.iter().filter(is_elsewhere).map(|node| node.mac).collect();
    for mac in elsewhere {
        if let Some(node) = turn.hall.nodes.get_mut(mac) {
            node.grants.clear();
        }
    }
    turn.place_all_listed();
    pin_booting(turn);
}

/// A node has the addresses of its number as long again as they were granted at most, whatever the configuration says now, to renew them: on each network that we serve, for by which of them it is up is not known any more. Who is down had at most the one of its own
/// network, and nothing of BOOTP's, which has no end.
fn has_as_long_again(turn: &mut Turn<'_>, mac: Mac, own: usize, is_up: bool) {
    let Some(node) = turn.hall.nodes.get(mac) else { return };
    let (card, number, is_bootp) = (node.present(), node.number, node.boot.is_bootp);
    for (place, settings) in turn.config.networks.iter().enumerate() {
        let address = number.and_then(|number| settings.numbering.address(number));
        let Some(address) = address.filter(|_| settings.mode == Mode::Serve) else { continue };
        if !is_up && (is_bootp || place != own) {
            continue;
        }
        let is_endless = is_bootp && place == own;
        let until = turn.now + turn.longest_lease(place);
        if let Some(node) = turn.hall.nodes.get_mut(mac) {
            node.grants.grant(turn.now, address, card, (!is_endless).then_some(until));
        }
        turn.hall.timers.arm(until, Due::Grant(mac));
    }
}

/// Cards of machines with a number of which it is recorded for themselves that nothing was promised to them: that is of the time before they were theirs.
fn stale(nodes: &BTreeMap<Mac, NodeRecord>) -> BTreeSet<Mac> {
    let numbered = nodes.values().filter(|node| node.number.is_some());
    let cards = numbered.flat_map(|node| &node.further_macs).copied();
    cards.filter(|card| nodes.get(card).is_some_and(|own| own.number.is_none())).collect()
}

/// Who was on trial when its address was taken back, and of whom only that was recorded, is merely seen.
fn expire_lost(turn: &mut Turn<'_>) {
    let is_on_trial = |node: &&Node| matches!(node.stage, Stage::Temporary | Stage::Testing);
    let lost = turn.hall.nodes.iter().filter(is_on_trial).filter(|node| !has_address(turn, node));
    let lost: Vec<_> = lost.map(|node| node.mac).collect();
    for mac in lost {
        turn.expired(mac, "it had no address any more before the restart");
    }
    let failed =
        turn.hall.nodes.iter().filter(|node| node.stage == Stage::Failed && !has_address(turn, node));
    for mac in failed.map(|node| node.mac).collect::<Vec<_>>() {
        turn.hall.nodes.give_up_failed(turn.now, mac);
    }
    // Whoever is merely seen is in no boot: what it asks next is a new one's.
    let seen = turn.hall.nodes.iter().filter(|node| node.stage == Stage::Seen);
    for mac in seen.map(|node| node.mac).collect::<Vec<_>>() {
        turn.hall.nodes.set_token(mac, String::new());
    }
}

fn has_address(turn: &Turn<'_>, node: &Node) -> bool {
    node.cards().any(|card| turn.hall.leases.of(card).next().is_some())
}

/// Those of a machine that was forgotten are forgotten too.
fn restore_trials(turn: &mut Turn<'_>, records: Vec<TrialsRecord>) {
    for TrialsRecord { mac, trials } in records {
        match turn.hall.nodes.get_mut(mac).filter(|node| node.mac == mac) {
            Some(node) => node.trials = trials,
            None => drop(turn.record(Record::Trials(TrialsRecord { mac, trials: Vec::new() }))),
        }
    }
}

fn restored_node(turn: &Turn<'_>, mac: Mac, kept: Option<NodeRecord>, boot: Option<BootRecord>) -> Node {
    let mut node = Node::new(turn.now, mac);
    node.since = Since::restored(turn.now, boot.as_ref().and_then(|boot| boot.at_seconds));
    node.reason = "it was known before the restart".into();
    node.boot.is_resumed = true;
    if let Some(kept) = kept {
        (node.further_macs, node.number, node.facts) = (kept.further_macs, kept.number, kept.facts);
        node.granted_to = kept.granted_to;
        node.is_kept = true;
    }
    if let Some(boot) = boot {
        node.is_recorded = true;
        (node.boot.token, node.boot.profile, node.boot.machine) = (boot.token, boot.profile, boot.machine);
        node.boot.kept = Some(Ticket::default());
        let plan = boot.plan.and_then(|plan| Plan::restore(plan, turn.config));
        node.boot.plan = plan.map(Arc::new);
        (node.stage, node.phase, node.reason) = (boot.stage, boot.phase, boot.reason);
        (node.boot.tries, node.boot.checks_in) = (boot.tries, boot.checks_in);
        // Who failed by other checks is tried again, as it is when they become others while the server runs.
        let is_by_others = |kept: &String| *kept != trial::digest(&turn.config.trial.checks);
        if node.stage == Stage::Failed && boot.checks.as_ref().is_some_and(is_by_others) {
            node.boot.tries = 0;
        }
        (node.boot.is_bootp, node.boot.doubt) = (boot.is_bootp, boot.doubt.map(Box::new));
        node.last_end = boot.last_end.map(Box::new);
        node.beside.extend(boot.agent_says.map(|says| (Beside::Agent, says)));
        node.vain = boot.vain.map(|VainRecord { boots, at_seconds, phase, troubles }| {
            let since = Since::restored(turn.now, at_seconds);
            Box::new(Vain { boots, since, phase, troubles, loaded: None })
        });
        // Whatever its firmware said was said before now: what that says a minute from now is another boot's.
        if node.stage.is_booting() {
            node.boot.programs = Programs::all(turn.now);
        }
    }
    // The number is what was promised; the stage is history, and may be a step behind.
    match (node.number, node.stage.is_numbered()) {
        (Some(_), false) => (node.stage, node.phase) = (node.stage.after(Step::Numbered), None),
        (None, true) => (node.stage, node.phase) = (Stage::Seen, None),
        (Some(_), true) | (None, false) => {}
    }
    let has_number =
        |number: u32| turn.config.networks.iter().position(|n| n.numbering.numbers.contains(number));
    node.network = node.number.and_then(has_number);
    node
}

/// A lease is held as long again as it was granted for, whatever the configuration says now: when it began is not known any more. But of one that nobody has renewed since an earlier restart it is
/// known what was left.
fn restore_lease(turn: &mut Turn<'_>, record: &LeaseRecord) {
    let LeaseRecord {
        address, mac, is_guest, of_host, of_number, is_elsewhere, lease_seconds, is_left, ..
    } = *record;
    let granted = lease_seconds.map(Duration::from_secs).unwrap_or_default();
    match (of_host, of_number) {
        (true, false) => {
            turn.hall.tenants.granted(turn.now, address, mac, granted);
            return;
        }
        (true, true) => turn.hall.tenants.becomes_former(address, mac),
        (false, _) => {}
    }
    let Some(network) = turn.config.networks.iter().position(|network| network.contains(address)) else {
        // Its network is no longer served.
        turn.record(Record::LeaseEnded(address));
        return;
    };
    let kind = match turn.config.networks[network].mode {
        Mode::Proxy => PoolKind::Elsewhere,
        Mode::Serve | Mode::Shadow if is_guest => PoolKind::Guest,
        Mode::Serve | Mode::Shadow if of_number => PoolKind::Number,
        Mode::Serve | Mode::Shadow if is_elsewhere => PoolKind::Elsewhere,
        // An earlier version did not record who was a guest: then the range tells.
        Mode::Serve | Mode::Shadow => {
            turn.hall.leases.pool_of(address).map_or(PoolKind::Temporary, |pool| pool.kind)
        }
    };
    let pool = PoolId { network, kind };
    // What another server gave is learnt of nodes alone; but who had something else here, as long as we gave the addresses, may be none.
    let is_learnt = turn.is_another_servers(pool) && !is_guest && !of_host && !of_number;
    match pool.kind {
        PoolKind::Temporary => restore_borrower(turn, mac, "it had a temporary address before the restart"),
        PoolKind::Elsewhere if is_learnt => {
            restore_borrower(turn, mac, "another server had given it an address before the restart");
        }
        PoolKind::Guest | PoolKind::Number | PoolKind::Elsewhere => {}
    }
    let settings = &turn.config.networks[pool.network];
    let lease = match pool.kind {
        PoolKind::Guest => settings.guest_lease,
        PoolKind::Temporary => settings.temporary_lease,
        PoolKind::Number | PoolKind::Elsewhere => settings.lease,
    };
    let lease = if is_left { granted } else { lease.max(granted) };
    let until = turn.hall.leases.lend(turn.now, address, mac, pool, lease);
    // What is held for longer than was recorded is not recorded to be so, when the configuration is another one at the next start.
    turn.hall.leases.recorded(address, granted);
    turn.hall.leases.restored(address);
    turn.hall.timers.arm(until.min(turn.now + LEFT_RECORDED_EVERY), Due::Address(address));
    let is_moved = turn.hall.nodes.get(mac).is_some_and(|node| node.stage == Stage::Up);
    if is_moved && turn.permanent_address(mac, network).is_some() {
        turn.hall.leases.supersede(mac, network);
    }
    // Who has a temporary address is there, whatever network its number is of.
    let is_there = kind == PoolKind::Temporary;
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        node.network = node.network.filter(|_| !is_there).or(Some(pool.network));
    }
}

/// Who has a temporary address, or one of another server's, has begun to boot, also if nothing else was recorded of it, or only what an operator decided about it or was promised to it earlier.
fn restore_borrower(turn: &mut Turn<'_>, mac: Mac, reason: &str) {
    if turn.hall.nodes.get(mac).is_some_and(|node| node.stage != Stage::Seen) {
        return;
    }
    let token = turn.token(mac);
    let now = turn.now;
    if !turn.meet_if_there_is_room(mac) {
        return;
    }
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        (node.stage, node.phase) = (Stage::Temporary, Some(Phase::Dhcp));
        node.since = Since::restored(now, None);
        node.reason = reason.into();
        (node.boot.is_resumed, node.is_named) = (true, false);
    }
    turn.hall.nodes.set_token(mac, token);
}

/// Whoever was in mid-boot when the server stopped may be in mid-download: its neighbour entries stand again.
fn pin_booting(turn: &mut Turn<'_>) {
    let in_mid_boot = |node: &&Node| {
        matches!(
            node.stage,
            Stage::Temporary | Stage::Testing | Stage::Failed | Stage::Ready | Stage::Booting
        )
    };
    let mut pins = Vec::new();
    for node in turn.hall.nodes.iter().filter(in_mid_boot) {
        for mac in std::iter::once(node.mac).chain(node.further_macs.iter().copied()) {
            let lent = turn.hall.leases.of(mac);
            pins.extend(lent.map(|(address, _)| (address, mac)));
        }
        // Whoever has what was its by another number has not come to this one.
        let mut cards = std::iter::once(&node.mac).chain(&node.further_macs);
        let is_former = |lease: &Lease| lease.pool.kind == PoolKind::Number;
        let has_former = cards.any(|card| turn.hall.leases.of(*card).any(|(_, lease)| is_former(lease)));
        let place = node.network.filter(|_| !has_former);
        let permanent = place.and_then(|place| turn.permanent_address(node.mac, place));
        pins.extend(permanent.map(|address| (address, node.present())));
    }
    for (address, mac) in pins {
        turn.pin(address, mac);
    }
}
