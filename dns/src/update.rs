//! What an update (RFC 2136) would change, if it may: decided from what the zones have now, and told as all that each name has by updates afterwards. Nothing is
//! changed here: that is done when it is durable.
//!
//! The checks come in the order of RFC 2136 3: conditions, form, permission. What is computed, configured or lent is nobody's to change by an update: REFUSED, where
//! the RFC knows no such thing and would change it.

use crate::data::{Data, Set, Type};
use crate::dynamic;
use crate::limit::{UPDATED_DATA_OCTETS_MAX, UPDATED_NAME_OCTETS_MAX};
use crate::name::Name;
use crate::settings::Updates;
use crate::statistics::ResponseCode;
use crate::wire::{Content, Line, LineClass, Lines};
use crate::zone::Zones;
use heorot_names::Dynamic;
use heorot_names::dynamic::type_name;
use std::collections::BTreeMap;

/// Why an update changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ResponseCode,
    /// For the operator, if it is one of his rules that forbids it.
    pub(crate) why: Option<String>,
}

impl From<ResponseCode> for Refusal {
    fn from(code: ResponseCode) -> Self {
        Self { code, why: None }
    }
}

/// What an update of a zone would change: all that each name that it changes has by updates afterwards.
pub(crate) fn judge(
    zones: &Zones,
    now_nanoseconds: u64,
    zone: &Name,
    lines: &Lines,
    rights: &Updates,
) -> Result<Vec<Dynamic>, Refusal> {
    let draft = Draft { zones, now_nanoseconds, zone, names: BTreeMap::new() };
    draft.check_prerequisites(&lines.prerequisites)?;
    for line in &lines.changes {
        draft.check_form(line)?;
    }
    for line in &lines.changes {
        draft.check_rights(line, rights)?;
    }
    draft.apply(&lines.changes)
}

/// The names that are changed so far.
struct Draft<'z> {
    zones: &'z Zones,
    now_nanoseconds: u64,
    zone: &'z Name,
    names: BTreeMap<Name, Changed>,
}

/// What a name has.
struct Changed {
    /// Without updates.
    fixed: Vec<Set>,
    /// By updates.
    updated: Vec<Set>,
}

impl Draft<'_> {
    /// RFC 2136 3.2.
    fn check_prerequisites(&self, lines: &[Line]) -> Result<(), Refusal> {
        // RFC 2136 3.2.3: what is compared with its data is compared as whole sets.
        let mut wanted: BTreeMap<(&Name, Type), Vec<&Content>> = BTreeMap::new();
        for line in lines {
            if line.ttl_seconds != 0 {
                return Err(ResponseCode::FormErr.into());
            }
            self.check_zone(&line.owner)?;
            let (is_empty, is_any) = (line.content == Content::Empty, line.kind == Type::ANY);
            let has = || {
                let sets = self.all(&line.owner);
                sets.iter().any(|set| is_any || set.kind() == line.kind)
            };
            let code = match line.class {
                LineClass::Any | LineClass::None if !is_empty => ResponseCode::FormErr,
                LineClass::Any if has() => continue,
                LineClass::Any if is_any => ResponseCode::NxDomain,
                LineClass::Any => ResponseCode::NxRrset,
                LineClass::None if !has() => continue,
                LineClass::None if is_any => ResponseCode::YxDomain,
                LineClass::None => ResponseCode::YxRrset,
                LineClass::Zone if is_any || is_empty || is_meta(line.kind) => ResponseCode::FormErr,
                LineClass::Zone => {
                    wanted.entry((&line.owner, line.kind)).or_default().push(&line.content);
                    continue;
                }
                LineClass::Other => ResponseCode::FormErr,
            };
            return Err(code.into());
        }
        let is_there = |((name, kind), wanted): (&(&Name, Type), &Vec<&Content>)| {
            let sets = self.all(name);
            sets.iter().find(|set| set.kind() == *kind).is_some_and(|set| {
                let is_wanted = |data: &Data| wanted.iter().any(|content| is_data(content, data));
                let is_had = |content: &&Content| set.data.iter().any(|data| is_data(content, data));
                set.data.iter().all(is_wanted) && wanted.iter().all(is_had)
            })
        };
        match wanted.iter().all(is_there) {
            true => Ok(()),
            false => Err(ResponseCode::NxRrset.into()),
        }
    }

    /// RFC 2136 3.4.1: before anything is changed.
    fn check_form(&self, line: &Line) -> Result<(), Refusal> {
        self.check_zone(&line.owner)?;
        let is_empty = line.content == Content::Empty;
        let is_meta = is_meta(line.kind);
        let is_right = match line.class {
            LineClass::Zone => !is_meta && line.kind != Type::ANY && !is_empty,
            LineClass::Any => !is_meta && line.ttl_seconds == 0 && is_empty,
            LineClass::None => !is_meta && line.kind != Type::ANY && line.ttl_seconds == 0 && !is_empty,
            LineClass::Other => false,
        };
        if is_right { Ok(()) } else { Err(ResponseCode::FormErr.into()) }
    }

    /// RFC 2136 3.3: what the key may change.
    fn check_rights(&self, line: &Line, rights: &Updates) -> Result<(), Refusal> {
        let name = dynamic::text_of(&line.owner);
        let Some(name) = name.filter(|_| self.zones.takes_updates(&line.owner)) else {
            return Err(refused(format!("{} is no name that may be updated", line.owner)));
        };
        if !rights.names.is_empty() && !rights.names.iter().any(|owners| owners.contain(&name)) {
            return Err(refused(format!("this key is not for {name}")));
        }
        let may = |kind: Type| rights.types.is_empty() || rights.types.contains(&kind.0);
        let forbidden = match line.kind {
            Type::ANY => self.zones.updated(&line.owner).iter().map(Set::kind).find(|kind| !may(*kind)),
            kind => Some(kind).filter(|kind| !may(*kind)),
        };
        match forbidden {
            Some(kind) => Err(refused(format!("this key is not for records of type {}", type_name(kind.0)))),
            None => Ok(()),
        }
    }

    /// RFC 2136 3.4.2: one after the other.
    fn apply(mut self, lines: &[Line]) -> Result<Vec<Dynamic>, Refusal> {
        for line in lines {
            let is_apex = line.owner == *self.zone;
            let zones = self.zones;
            let name = self.name(&line.owner);
            match (line.class, &line.content) {
                (LineClass::Any, _) => name.delete_sets(line, is_apex)?,
                (LineClass::None, Content::Data(data)) => name.delete(line, data, is_apex)?,
                // Nothing of such a type is here.
                (LineClass::None, Content::Unread | Content::Empty) => {}
                (LineClass::Zone, Content::Data(data)) if dynamic::may_come(line.kind) => {
                    name.add(line, data, |kind, fixed| {
                        zones.stands_beside(&line.owner, is_apex, kind, fixed)
                    })?;
                }
                (LineClass::Zone | LineClass::Other, _) => {
                    let kind = type_name(line.kind.0);
                    return Err(refused(format!(
                        "{}: records of type {kind} may not come by updates",
                        line.owner
                    )));
                }
            }
        }
        let zones = self.zones;
        let is_other = |(name, changed): &(Name, Changed)| zones.updated(name) != changed.updated;
        let changed = self.names.into_iter().filter(is_other);
        changed
            .map(|(name, changed)| {
                let dynamic = dynamic::kept(dynamic::text_of(&name).unwrap_or_default(), &changed.updated);
                let is_large = dynamic
                    .sets
                    .iter()
                    .flat_map(|set| &set.data)
                    .any(|data| data.len() > UPDATED_DATA_OCTETS_MAX);
                match is_large || dynamic.octets() > UPDATED_NAME_OCTETS_MAX {
                    true => Err(refused(format!("{name}: more than a name may have by updates"))),
                    false => Ok(dynamic),
                }
            })
            .collect()
    }

    /// A name as it is so far.
    fn name(&mut self, name: &Name) -> &mut Changed {
        let (zones, now_nanoseconds) = (self.zones, self.now_nanoseconds);
        self.names.entry(name.clone()).or_insert_with(|| Changed {
            fixed: zones
                .fixed(Some(now_nanoseconds), name)
                .ok()
                .flatten()
                .map(|(_, sets)| sets)
                .unwrap_or_default(),
            updated: zones.updated(name).to_vec(),
        })
    }

    /// All that a name has before the update.
    fn all(&self, name: &Name) -> Vec<Set> {
        let all = self.zones.all(Some(self.now_nanoseconds), name);
        all.ok().flatten().map(|(_, sets)| sets).unwrap_or_default()
    }

    /// RFC 2136 3.2.1, 3.4.1.1
    fn check_zone(&self, name: &Name) -> Result<(), Refusal> {
        match name.below(self.zone) {
            Some(_) => Ok(()),
            None => Err(ResponseCode::NotZone.into()),
        }
    }
}

impl Changed {
    /// RFC 2136 3.4.2.2: adds a record, if what is there without updates leaves it a place.
    fn add(
        &mut self,
        line: &Line,
        data: &Data,
        has_place: impl Fn(Type, &[Set]) -> bool,
    ) -> Result<(), Refusal> {
        if self.fixed.iter().any(|set| set.data.contains(data)) {
            return Ok(());
        }
        if !has_place(line.kind, &self.fixed) {
            return Err(taken(line));
        }
        let is_alias = |set: &Set| set.kind() == Type::CNAME;
        match line.kind {
            // An alias has its name for itself: what does not fit beside what came before is left out silently.
            Type::CNAME if self.updated.iter().any(|set| !is_alias(set)) => return Ok(()),
            // A name has one alias; another one takes its place.
            Type::CNAME => self.updated.clear(),
            _ if self.updated.iter().any(is_alias) => return Ok(()),
            _ => {}
        }
        crate::data::gather(&mut self.updated, line.ttl_seconds, data.clone());
        // RFC 2181 5.2: all of a set have one TTL, and the last one said is meant.
        for set in self.updated.iter_mut().filter(|set| set.kind() == line.kind) {
            set.ttl_seconds = line.ttl_seconds;
        }
        Ok(())
    }

    /// RFC 2136 3.4.2.3: deletes a set, or all of them.
    fn delete_sets(&mut self, line: &Line, is_apex: bool) -> Result<(), Refusal> {
        let is_meant = |kind: Type| line.kind == Type::ANY || kind == line.kind;
        // SOA and NS of the zone itself stay, and nobody is told.
        let stays = |kind: Type| is_apex && matches!(kind, Type::SOA | Type::NS);
        if self.fixed.iter().any(|set| is_meant(set.kind()) && !stays(set.kind())) {
            return Err(taken(line));
        }
        self.updated.retain(|set| !is_meant(set.kind()));
        Ok(())
    }

    /// RFC 2136 3.4.2.4: deletes a record.
    fn delete(&mut self, line: &Line, data: &Data, is_apex: bool) -> Result<(), Refusal> {
        let fixed = self.fixed.iter().find(|set| set.data.contains(data));
        match fixed {
            // The last name server of the zone stays, and nobody is told.
            Some(set) if is_apex && set.kind() == Type::NS && set.data.len() == 1 => return Ok(()),
            Some(_) => return Err(taken(line)),
            None => {}
        }
        self.updated.iter_mut().for_each(|set| set.data.retain(|had| had != data));
        self.updated.retain(|set| !set.data.is_empty());
        Ok(())
    }
}

fn refused(why: String) -> Refusal {
    Refusal { code: ResponseCode::Refused, why: Some(why) }
}

fn taken(line: &Line) -> Refusal {
    let what = if line.kind == Type::ANY { String::new() } else { format!(" {}", type_name(line.kind.0)) };
    refused(format!("{}{what}: a number, a lease or the configuration says what is there", line.owner))
}

fn is_data(content: &Content, data: &Data) -> bool {
    matches!(content, Content::Data(wanted) if wanted == data)
}

/// Types that stand for no data, but ANY (RFC 6895 3.1).
fn is_meta(kind: Type) -> bool {
    matches!(kind.0, 0 | 41 | 128..=254)
}
