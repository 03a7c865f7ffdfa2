//! An operator gives a machine a number: whether it can have that, and when its address.

use super::{Decision, NumberChange, field};
use crate::cluster::node::Node;
use crate::cluster::orders::{Exclusion, Orders};
use crate::cluster::stage::Stage;
use crate::hall::Turn;
use crate::limit::HOLD_AFTER_LIFE;

/// It gets this number.
pub(super) fn given(turn: &Turn<'_>, node: &Node, number: u32) -> Result<Decision, String> {
    let stays = node.number == Some(number);
    if !stays {
        may_be_given(turn, node, number)?;
    }
    let shown = |number: Option<u32>| number.map(|number| number.to_string());
    let fields =
        if stays { Vec::new() } else { vec![field("number", shown(node.number), shown(Some(number)))] };
    let told = format!("an operator gives it number {number}");
    let orders = Orders { accepted: false, ..node.orders.clone() };
    Ok(Decision { mac: node.mac, orders, number: NumberChange::Given(number), fields, told })
}

fn may_be_given(turn: &Turn<'_>, node: &Node, number: u32) -> Result<(), String> {
    let is_here = |network: &crate::config::Network| network.numbering.numbers.contains(number);
    if !turn.config.networks.iter().any(is_here) {
        return Err(format!("number {number} is on no network"));
    }
    if node.orders.are_to_ignore() {
        return Err(format!("it is {}: accept it first", node.state()));
    }
    let listed = turn.hall.listed.get(turn.config, node.mac);
    if let Some(other) = listed.and_then(|listed| listed.number).filter(|other| *other != number) {
        return Err(format!("the configuration gives it number {other}: change its [[node]]"));
    }
    if let Some(entry) = turn.hall.listed.with_number(turn.config, number)
        && listed != Some(entry)
    {
        let whose = entry.macs.first().map(|mac| format!(" of {mac}")).unwrap_or_default();
        return Err(format!(
            "the configuration keeps number {number} for another: change the [[node]]{whose}"
        ));
    }
    if node.claim.is_some() {
        return Err("it is just getting a number: say it again".into());
    }
    if let Some(why) = runs_with_another(turn, node) {
        return Err(why);
    }
    let holder = turn.hall.nodes.holder(number).and_then(|mac| turn.hall.nodes.get(mac));
    let Some(holder) = holder.filter(|holder| holder.mac != node.mac) else { return Ok(()) };
    let is_gone = holder.orders.exclusion() == Some(Exclusion::Retired) || holder.stage == Stage::Down;
    if is_gone {
        return Ok(());
    }
    let name = turn.name(number);
    let (state, mac) = (holder.state(), holder.mac);
    Err(format!("{name} is {mac}, which is {state}: heorot node retire {name} first, if that board is gone"))
}

/// Why a machine cannot have another number now: it runs with the one that it has, as far as is known. One that was switched off in mid-boot says nothing of that; so who boots and has no address
/// by his number, or was not heard for so long that nobody keeps an address for him, may have another one. What he may use still is kept for him ([`Decided`]).
fn runs_with_another(turn: &Turn<'_>, node: &Node) -> Option<String> {
    node.number?;
    let remedy = "switch it off first";
    match node.stage {
        Stage::Up => Some(format!("it is up with another number: {remedy}")),
        Stage::Booting if node.grants.until().is_none() && turn.elsewhere(node).is_some() => None,
        Stage::Booting => {
            // Nothing is known of what was heard before the start.
            let since = turn.now.since(turn.heard_last(node).unwrap_or(turn.hall.started));
            let left = HOLD_AFTER_LIFE.saturating_sub(since).as_secs();
            (since < HOLD_AFTER_LIFE)
                .then(|| format!("it boots with another number: {remedy}, and say it again in {left} s"))
        }
        Stage::Seen | Stage::Temporary | Stage::Testing | Stage::Failed | Stage::Ready | Stage::Down => None,
    }
}
