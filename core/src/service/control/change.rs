//! What operators change: which nodes are meant, what becomes another for each, and whether that can be. A change is reckoned as a whole, told if it is only to be told,
//! and else recorded; it holds, and its author hears of it, when it is durable.

mod number;

use super::set::{Chosen, choose, nobody};
use super::unnumbered::NoneLeft;
use super::{fail, find, no_such_node, ok, others, typed};
use crate::cluster::lease::{Lease, PoolKind};
use crate::cluster::node::{Node, Trouble};
use crate::cluster::orders::{Exclusion, Orders, Standing};
use crate::cluster::record::Record;
use crate::cluster::stage::{Phase, Stage};
use crate::config::{Policy, TRIAL_PROFILE, check_attribute_name, check_attribute_value};
use crate::hall::{Becomes, Change, Changing, Decided, FreeNumbers, Turn};
use crate::limit::{ATTRIBUTES_MAX, HOLD_AFTER_LIFE, NODES_LISTED_MAX, REASON_OCTETS_MAX};
use crate::mac::Mac;
use crate::message::{Answer, RequestId, Verb};
use crate::promise::Promise;
use crate::service::view::{ChangeRequest, ChangeView, FieldChangeView, RefusalView};
use heorot_names::NodeSet;
use std::collections::{BTreeMap, BTreeSet};

/// Takes a change. Its answer, or nothing: then that comes when it is durable.
pub(super) fn handle(
    turn: &mut Turn<'_>,
    id: RequestId,
    verb: Verb,
    request: &ChangeRequest,
) -> Option<Answer> {
    let wanted = match check(turn, verb, request).and_then(|()| Wanted::find(turn, verb, request)) {
        Ok(wanted) => wanted,
        Err(answer) => return Some(answer),
    };
    let mut draft = Draft { free: turn.free_now(), ..Draft::default() };
    draft.refuse_missing(wanted.missing, wanted.strangers);
    for mac in wanted.macs {
        let new = new_node(turn, mac);
        let node = turn.hall.nodes.get(mac).unwrap_or(&new);
        match draft.decide(turn, verb, request, node) {
            Ok(decision) => draft.add(node, decision),
            Err(why) => draft.refused.entry(why).or_default().add(node),
        }
    }
    let view = draft.view(turn, request.dry_run);
    if request.dry_run || draft.decisions.is_empty() {
        return Some(ok(&view));
    }
    if turn.hall.changing.is_some() {
        return Some(fail(503, "another change is just being recorded: say it again".into()));
    }
    draft.begin(turn, id, &view)
}

/// A machine that was never seen, as it will be as soon as it is known: the configuration may give it a number.
fn new_node(turn: &Turn<'_>, mac: Mac) -> Node {
    let given = turn.hall.listed.get(turn.config, mac).and_then(|listed| listed.number);
    let number = given.filter(|number| turn.hall.nodes.holder(*number).is_none());
    Node { number, ..Node::new(turn.now, mac) }
}

/// Looks at what is wanted for itself.
fn check(turn: &Turn<'_>, verb: Verb, request: &ChangeRequest) -> Result<(), Answer> {
    let wrong = |what: String| Err(fail(400, what));
    let ChangeRequest { reason, number, profile, attributes, .. } = request;
    let takes_reason = matches!(verb, Verb::Deny | Verb::Hold | Verb::Retire);
    if reason.is_some() && !takes_reason {
        return wrong("a reason belongs to deny, hold and retire".into());
    }
    if let Some(reason) = reason
        && (reason.len() > REASON_OCTETS_MAX || reason.chars().any(char::is_control))
    {
        return wrong(format!("a reason is one line of up to {REASON_OCTETS_MAX} octets"));
    }
    if number.is_some() != (verb == Verb::Number) {
        return wrong("a number belongs to \"number\", and to nothing else".into());
    }
    let sets = profile.is_some() || !attributes.is_empty();
    if sets != (verb == Verb::Set) {
        return wrong("profile and attributes belong to \"set\", and one of them has to be there".into());
    }
    if let Some(profile) = profile.as_deref().filter(|profile| !profile.is_empty())
        && (!turn.config.profiles.contains_key(profile) || profile == TRIAL_PROFILE)
    {
        let known = turn.config.profiles.keys().map(String::as_str).filter(|name| *name != TRIAL_PROFILE);
        let known: Vec<_> = known.take(SHOWN_MAX).collect();
        return wrong(format!(
            "there is no profile {profile:?} for numbered nodes; there are {}",
            known.join(", ")
        ));
    }
    for (name, value) in attributes {
        if let Err(why) = check_attribute_name(name)
            .and_then(|()| check_attribute_value(value).map_err(|why| format!("attributes.{name}: {why}")))
        {
            return wrong(why);
        }
    }
    Ok(())
}

/// Profiles that are listed in a message.
const SHOWN_MAX: usize = 16;

/// The machines that are meant.
struct Wanted {
    macs: Vec<Mac>,
    /// Numbers that no machine has.
    missing: Vec<u32>,
    /// Machines that were never seen, where there has to be something that can be taken from them.
    strangers: Vec<Mac>,
}

impl Wanted {
    fn find(turn: &Turn<'_>, verb: Verb, request: &ChangeRequest) -> Result<Self, Answer> {
        let ChangeRequest { set, without, .. } = request;
        if set.trim().is_empty() {
            return Err(fail(400, "which nodes? a change names them: node[0-9], @rack1, or all".into()));
        }
        let one = |mac| Self { macs: vec![mac], missing: Vec::new(), strangers: Vec::new() };
        // Who was never seen can be named by his hardware address, but has nothing that could be taken from him.
        let may_be_new = !matches!(verb, Verb::Retire | Verb::Free | Verb::Forget);
        match (find(turn, set), typed::mac(turn, set), without) {
            (Some(node), _, None) => return Ok(one(node.mac)),
            (None, Some(mac), None) if may_be_new && mac.is_one_machine() => return Ok(one(mac)),
            (None, Some(_), None) => return Err(no_such_node(set)),
            _ => {}
        }
        let Chosen { numbers, machines } = choose(turn, set, without.as_deref())?;
        if numbers.size() + machines.len() as u64 > NODES_LISTED_MAX {
            return Err(fail(400, format!("{set}: more than {NODES_LISTED_MAX} nodes")));
        }
        let mut macs = Vec::new();
        let mut missing = Vec::new();
        for number in numbers.iter() {
            let listed = || turn.hall.listed.with_number(turn.config, number)?.macs.first().copied();
            match turn.hall.nodes.holder(number).or_else(listed) {
                Some(mac) => macs.push(mac),
                None => missing.push(number),
            }
        }
        // One that does not have the number yet that the list gives it may have been named twice.
        let twice: BTreeSet<Mac> = macs.iter().copied().collect();
        let machines = machines.into_iter().filter(|mac| !twice.contains(mac));
        let is_to_be_changed = |mac: &Mac| may_be_new || turn.hall.nodes.get(*mac).is_some();
        let (machines, strangers): (Vec<Mac>, Vec<Mac>) = machines.partition(is_to_be_changed);
        macs.extend(machines);
        if macs.is_empty() {
            return Err(nobody(turn, set));
        }
        if verb == Verb::Number && macs.len() + missing.len() > 1 {
            return Err(fail(400, format!("{set}: a number is one machine's")));
        }
        Ok(Self { macs, missing, strangers })
    }
}

/// Nodes of which the same is said.
#[derive(Default)]
struct Names {
    numbers: Vec<u32>,
    macs: Vec<Mac>,
}

impl Names {
    fn add(&mut self, node: &Node) {
        match node.number {
            Some(number) => self.numbers.push(number),
            None => self.macs.push(node.mac),
        }
    }

    fn folded(&self, turn: &Turn<'_>) -> String {
        let set: NodeSet = self.numbers.iter().copied().collect();
        let numbered = Some(turn.hall.directory.fold(&set)).filter(|folded| !folded.is_empty());
        let others = self.macs.iter().map(ToString::to_string);
        numbered.into_iter().chain(others).collect::<Vec<_>>().join(",")
    }
}

/// A field's name, what it was and what it becomes.
type Field = (String, Option<String>, Option<String>);

/// What is decided about one machine.
struct Decision {
    mac: Mac,
    orders: Orders,
    number: NumberChange,
    fields: Vec<Field>,
    /// For its history.
    told: String,
}

/// What becomes of a machine's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberChange {
    Stays,
    /// It gets one as if it had passed.
    Earned(u32),
    /// It gets this one, whoever had it.
    Given(u32),
    /// It loses it.
    Freed,
    /// It has none, and nothing of it is known any more.
    Forgotten,
}

/// A change, as far as it is reckoned.
#[derive(Default)]
struct Draft {
    decisions: Vec<Decision>,
    differences: BTreeMap<Field, Names>,
    unchanged: Names,
    refused: BTreeMap<String, Names>,
    /// Numbers that are given in this change.
    planned: BTreeSet<u32>,
    /// Where others are looked for: what was found to be taken is not looked at again for each machine.
    free: FreeNumbers,
    /// Why there are none.
    none_left: NoneLeft,
}

impl Draft {
    fn refuse_missing(&mut self, numbers: Vec<u32>, macs: Vec<Mac>) {
        if !numbers.is_empty() {
            let names = Names { numbers, macs: Vec::new() };
            self.refused.insert("no machine has this number".into(), names);
        }
        if !macs.is_empty() {
            self.refused.insert("it was never seen".into(), Names { numbers: Vec::new(), macs });
        }
    }

    fn add(&mut self, node: &Node, decision: Decision) {
        if decision.fields.is_empty() {
            return self.unchanged.add(node);
        }
        for field in &decision.fields {
            self.differences.entry(field.clone()).or_default().add(node);
        }
        if let NumberChange::Earned(number) | NumberChange::Given(number) = decision.number {
            self.planned.insert(number);
        }
        self.decisions.push(decision);
    }

    fn view(&self, turn: &Turn<'_>, dry_run: bool) -> ChangeView {
        let change = |((field, before, after), names): (&Field, &Names)| FieldChangeView {
            nodes: names.folded(turn),
            field: field.clone(),
            before: before.clone(),
            after: after.clone(),
        };
        let refusal =
            |(why, names): (&String, &Names)| RefusalView { nodes: names.folded(turn), why: why.clone() };
        ChangeView {
            dry_run,
            changes: self.differences.iter().map(change).collect(),
            unchanged: self.unchanged.folded(turn),
            refused: self.refused.iter().map(refusal).collect(),
        }
    }

    /// What a verb means for a machine.
    fn decide(
        &mut self,
        turn: &Turn<'_>,
        verb: Verb,
        request: &ChangeRequest,
        node: &Node,
    ) -> Result<Decision, String> {
        match verb {
            Verb::Deny => keep_from(node, Exclusion::Denied, request),
            Verb::Hold => keep_from(node, Exclusion::Held, request),
            Verb::Retire if node.number.is_none() => Err("it has no number to be kept: deny it".into()),
            Verb::Retire => keep_from(node, Exclusion::Retired, request),
            Verb::Accept => self.accept(turn, node),
            Verb::Number => number::given(turn, node, request.number.unwrap_or_default()),
            Verb::Free => free(node),
            Verb::Set => set(turn, node, request),
            Verb::Forget => forget(turn, node),
        }
    }

    /// It serves again, whatever an operator had decided. A machine that waits for its number gets it; one that has not reported yet gets it when it has passed.
    fn accept(&mut self, turn: &Turn<'_>, node: &Node) -> Result<Decision, String> {
        let mut orders = Orders { standing: None, ..node.orders.clone() };
        let mut fields = Vec::new();
        let was_guest = node.orders.standing.is_some() && others::is_guest(turn, node);
        if node.orders.standing.is_some() {
            let after = if has_reported(node) { Stage::Ready } else { node.stage };
            // Who was only named is nobody's node any more.
            let after = (!node.is_only_named()).then(|| after.to_string());
            fields.push(field("state", Some(node.state().into()), after));
        }
        // A guest or host is what it was again, and waits for nothing.
        let waits = turn.config.trial.policy == Policy::Accept && !was_guest;
        let mut number = NumberChange::Stays;
        if node.number.or(node.claim).is_none() {
            if has_reported(node) {
                let earned = self.earned(turn, node)?;
                number = NumberChange::Earned(earned);
                orders.accepted = false;
                fields.push(field("number", None, Some(earned.to_string())));
            } else if waits && !orders.accepted {
                orders.accepted = true;
                fields.push(field("accepted", None, Some("when it has passed".into())));
            }
        }
        if fields.is_empty() && node.number.is_none() {
            if let Some(Trouble { what, .. }) = turn.misplaced(node) {
                return Err(what);
            }
            if let Some(Trouble { what, to_do }) = self.none_left.trouble(turn, node) {
                return Err(format!("{what}{}", to_do.map(|to_do| format!(": {to_do}")).unwrap_or_default()));
            }
        }
        let told = "an operator accepts it".into();
        Ok(Decision { mac: node.mac, orders, number, fields, told })
    }

    /// The number that a machine gets now, beside those that others get by the same change.
    fn earned(&mut self, turn: &Turn<'_>, node: &Node) -> Result<u32, String> {
        let listed = turn.hall.listed.get(turn.config, node.mac);
        if listed.is_none() && !turn.config.trial.order.numbers_strangers() {
            return Err("trial.order numbers those alone that the configuration lists: add a [[node]]".into());
        }
        let why_none = || {
            let Trouble { what, to_do } = turn.no_number(node.mac, node.network);
            format!("{what}{}", to_do.map(|to_do| format!(": {to_do}")).unwrap_or_default())
        };
        let place = node.network.ok_or_else(why_none)?;
        let number = match listed.and_then(|listed| listed.number) {
            Some(number) => turn.listed_number(node.mac, place, number),
            None => self.free.next(turn, node.mac, place, &self.planned),
        };
        number.ok_or_else(why_none)
    }

    /// Proposes the records. What holds only when they are durable is promised.
    fn begin(self, turn: &mut Turn<'_>, id: RequestId, view: &ChangeView) -> Option<Answer> {
        for (met, Decision { mac, .. }) in self.decisions.iter().enumerate() {
            let is_new = turn.hall.nodes.get(*mac).is_none();
            if !turn.meet(*mac) {
                self.decisions[..met].iter().for_each(|decision| turn.decided(decision.mac));
                return Some(fail(503, turn.no_room(*mac)));
            }
            if let Some(node) = turn.hall.nodes.get_mut(*mac).filter(|_| is_new) {
                node.reason = "an operator named it".into();
                node.is_named = true;
            }
            turn.place_listed(*mac);
            turn.decides_about(*mac);
        }
        turn.hall.changing = Some(Changing::default());
        let mut numbers = Vec::new();
        for Decision { mac, orders, number, told, .. } in self.decisions {
            let node = turn.hall.nodes.get(mac).expect("it was met, and stays until that is decided");
            numbers.extend(node.number);
            let record = turn.orders_record(node, orders.clone());
            turn.record(Record::Orders(record));
            let (mut becoming, mut becomes) = (Vec::new(), Becomes::Stays);
            match number {
                NumberChange::Stays => {}
                NumberChange::Earned(number) => {
                    if turn.hall.nodes.claim(mac, number) {
                        turn.keep_node(mac);
                        let reason = "an operator accepted it".into();
                        turn.promise(Promise::Number { mac, reason, in_mid_boot: false });
                    }
                }
                NumberChange::Given(number) => {
                    becoming.extend(take_from_holder(turn, mac, number));
                    turn.hall.nodes.reserve(mac, number);
                    turn.keep_node_with(mac, Some(number));
                    becomes = Becomes::Given(number);
                    becoming.push(mac);
                }
                NumberChange::Freed => {
                    turn.hall.nodes.becomes(mac, None);
                    turn.keep_node_with(mac, None);
                    becomes = Becomes::Freed;
                    becoming.push(mac);
                }
                NumberChange::Forgotten => {
                    // It gets none meanwhile.
                    turn.hall.nodes.becomes(mac, None);
                    turn.forget_records(mac);
                    becomes = Becomes::Forgotten;
                    becoming.push(mac);
                }
            }
            turn.promise(Promise::Decided(Box::new(Decided { mac, orders, becomes, becoming, told })));
        }
        let refused = fail(503, "the change could not be recorded, so that nothing was changed".into());
        turn.promise(Promise::Change(Box::new(Change { id, numbers, answer: ok(view), refused })));
        None
    }
}

/// Whoever has a number that another machine is given is recorded without it before: two must never have it. Who that is.
fn take_from_holder(turn: &mut Turn<'_>, mac: Mac, number: u32) -> Option<Mac> {
    let holder = turn.hall.nodes.holder(number).filter(|holder| *holder != mac)?;
    turn.hall.nodes.becomes(holder, None);
    turn.keep_node_with(holder, None);
    let node = turn.hall.nodes.get(holder)?;
    let orders = Orders { standing: Some(Standing::replaced(mac)), ..node.orders.clone() };
    let record = turn.orders_record(node, orders);
    turn.record(Record::Orders(record));
    Some(holder)
}

fn field(name: impl Into<String>, before: Option<String>, after: Option<String>) -> Field {
    (name.into(), before, after)
}

/// Whether a machine without a number has told what it is: it waits for a number, or failed.
fn has_reported(node: &Node) -> bool {
    match node.stage {
        Stage::Failed => true,
        Stage::Temporary => node.phase == Some(Phase::Agent),
        Stage::Seen | Stage::Testing | Stage::Ready | Stage::Booting | Stage::Up | Stage::Down => false,
    }
}

/// It does not serve from now on.
fn keep_from(node: &Node, state: Exclusion, request: &ChangeRequest) -> Result<Decision, String> {
    if node.orders.exclusion() == Some(Exclusion::Retired) && state != Exclusion::Retired {
        return Err("it is retired: accept it first".into());
    }
    let reason = request.reason.clone().unwrap_or_default();
    let standing = Standing { state, reason };
    let mut fields = Vec::new();
    if node.orders.exclusion() != Some(state) {
        fields.push(field("state", Some(node.state().into()), Some(state.to_string())));
    }
    let shown = |reason: &str| Some(reason.to_owned()).filter(|reason| !reason.is_empty());
    let before = node.orders.standing.as_ref().and_then(|standing| shown(&standing.reason));
    if before != shown(&standing.reason) {
        fields.push(field("reason", before, shown(&standing.reason)));
    }
    let told = standing.to_string();
    let orders = Orders { standing: Some(standing), accepted: false, ..node.orders.clone() };
    Ok(Decision { mac: node.mac, orders, number: NumberChange::Stays, fields, told })
}

/// Its number may be given again.
fn free(node: &Node) -> Result<Decision, String> {
    let number = node.number.ok_or("it has no number")?;
    if node.orders.exclusion() != Some(Exclusion::Retired) {
        return Err("it is not retired: retire it first".into());
    }
    let fields = vec![field("number", Some(number.to_string()), None)];
    let told = format!("an operator frees its number {number}");
    Ok(Decision { mac: node.mac, orders: node.orders.clone(), number: NumberChange::Freed, fields, told })
}

/// Nothing is known of it any more: it is gone. One that has an address is there, or was until now, and would come back in the middle of its boot as somebody new.
fn forget(turn: &Turn<'_>, node: &Node) -> Result<Decision, String> {
    if node.number.or(node.claim).is_some() {
        return Err("it has a number: heorot node retire it, and heorot node number --free it first".into());
    }
    if turn.hall.listed.get(turn.config, node.mac).is_some() {
        return Err("the configuration lists it: take it out of its [[node]] first".into());
    }
    let is_there = |lease: &Lease| match lease.pool.kind {
        PoolKind::Temporary => true,
        // Another server's lease may last for days: nobody waits for its end.
        PoolKind::Elsewhere => turn.now.since(lease.life) < HOLD_AFTER_LIFE,
        PoolKind::Guest | PoolKind::Number => false,
    };
    let mut lent = node.cards().flat_map(|card| turn.hall.leases.of(card));
    if let Some((address, lease)) = lent.find(|(_, lease)| is_there(lease)) {
        let is_ours = lease.pool.kind == PoolKind::Temporary;
        let when = if is_ours { "when its address was taken back, " } else { "" };
        return Err(format!(
            "it has {address} still: switch it off, and say it again {when}{} s after it was heard last",
            HOLD_AFTER_LIFE.as_secs()
        ));
    }
    let fields = vec![field("state", Some(node.state().into()), Some("forgotten".into()))];
    let told = "an operator has it forgotten".into();
    Ok(Decision { mac: node.mac, orders: Orders::default(), number: NumberChange::Forgotten, fields, told })
}

/// What it boots, and its words.
fn set(turn: &Turn<'_>, node: &Node, request: &ChangeRequest) -> Result<Decision, String> {
    let mut orders = node.orders.clone();
    let mut told = Vec::new();
    let or_none = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    if let Some(profile) = &request.profile {
        orders.profile = or_none(profile);
        told.push(format!("profile={profile}"));
    }
    for (name, value) in &request.attributes {
        match or_none(value) {
            Some(value) => drop(orders.attributes.insert(name.clone(), value)),
            None => drop(orders.attributes.remove(name)),
        }
        told.push(format!("attributes.{name}={value}"));
    }
    if orders.attributes.len() > ATTRIBUTES_MAX {
        return Err(format!("more than {ATTRIBUTES_MAX} attributes"));
    }
    let mut fields = Vec::new();
    let (before, after) = (turn.profile_by(node, &node.orders), turn.profile_by(node, &orders));
    if before != after {
        fields.push(field("profile", or_none(before), or_none(after)));
    } else if orders.profile != node.orders.profile {
        // Nothing else is booted, but it is said by somebody else from now on.
        let by = |orders: &Orders| orders.profile.as_ref().map(|_| format!("{before} (by an operator)"));
        let by = |orders| by(orders).or_else(|| Some(format!("{before} (by the configuration)")));
        fields.push(field("profile", by(&node.orders), by(&orders)));
    }
    let (before, after) = (turn.attributes_by(node, &node.orders), turn.attributes_by(node, &orders));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
        let shown = |all: &BTreeMap<String, String>| all.get(name).cloned();
        fields.push(field(format!("attributes.{name}"), shown(&before), shown(&after)));
    }
    let told = format!("an operator sets {}", told.join(" "));
    Ok(Decision { mac: node.mac, orders, number: NumberChange::Stays, fields, told })
}
