//! What names have by updates, beside what is computed, configured or lent. That goes before: a set by an update is told as long as it stands beside what is
//! there without updates.

use super::{Row, Zones};
use crate::data::{Data, Set, Type};
use crate::dynamic;
use crate::hosts_file::TTL_SECONDS as FILES_TTL_SECONDS;
use crate::name::{Name, NameError};
use crate::reverse::{Place, ReverseName};
use heorot_names::Dynamic;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

impl Zones {
    /// All that a name has, and the zone it is in, whether that is cut above it or not. None: it is in no zone of ours.
    pub(crate) fn all(
        &self,
        now_nanoseconds: Option<u64>,
        name: &Name,
    ) -> Result<Option<(Name, Vec<Set>)>, NameError> {
        Ok(self.fixed(now_nanoseconds, name)?.map(|(apex, fixed)| {
            let sets = self.with_updated(name, *name == apex, fixed);
            (apex, sets)
        }))
    }

    /// The same without what came by updates.
    pub(crate) fn fixed(
        &self,
        now_nanoseconds: Option<u64>,
        name: &Name,
    ) -> Result<Option<(Name, Vec<Set>)>, NameError> {
        if let Some(labels) = name.below(&self.apex) {
            return Ok(Some((self.apex.clone(), self.fixed_sets(now_nanoseconds, name, &labels))));
        }
        let Place::In { apex, at } = self.reverse.place(name)? else { return Ok(None) };
        let sets = match at {
            ReverseName::Apex => self.apex_sets(&apex),
            ReverseName::Of(address) => self.pointer(now_nanoseconds, address)?,
            ReverseName::Above(..) | ReverseName::Nothing => Vec::new(),
        };
        Ok(Some((apex, sets)))
    }

    /// What came by updates alone.
    pub(crate) fn updated(&self, name: &Name) -> &[Set] {
        self.updated.get(name)
    }

    /// Whether a set by an update, of this type, is told at a name that has these sets without updates.
    pub(crate) fn stands_beside(&self, name: &Name, is_apex: bool, kind: Type, fixed: &[Set]) -> bool {
        let is_cut = kind == Type::NS && !is_apex;
        // It would hide what is below; and reverse zones are not cut.
        if is_cut && (self.records.any_below(name) || name.below(&self.apex).is_none()) {
            return false;
        }
        let has = |kind: Type| fixed.iter().any(|set| set.kind() == kind);
        let has_address = has(Type::A) || has(Type::AAAA);
        let stands_alone = |kind: Type| kind == Type::CNAME || (kind == Type::NS && !is_apex);
        let is_address = matches!(kind, Type::A | Type::AAAA);
        let is_taken = has(kind) || (is_address && has_address);
        let has_room = fixed.is_empty() || !stands_alone(kind);
        !is_taken && has_room && !fixed.iter().any(|set| stands_alone(set.kind()))
    }

    /// Where a name may have something by updates: in the cluster's zone, or as the name of an address or of a zone of addresses.
    pub(crate) fn takes_updates(&self, name: &Name) -> bool {
        name.below(&self.apex).is_some()
            || matches!(
                self.reverse.place(name),
                Ok(Place::In { at: ReverseName::Of(_) | ReverseName::Apex, .. })
            )
    }

    /// A name has this by updates from now on.
    pub(super) fn update(&mut self, name: &Name, dynamic: &Dynamic) {
        Arc::make_mut(&mut self.updated).replace(name, dynamic::sets(dynamic));
        self.has_updated_cuts = self.updated.any_set(Type::NS);
    }

    /// The set of name servers that makes a name a zone of others.
    pub(super) fn cut_at(&self, name: &Name) -> Option<Set> {
        if let Some(servers) = self.records.set(name, Type::NS) {
            return Some(servers.clone());
        }
        let servers = self.updated.set(name, Type::NS).filter(|_| self.has_updated_cuts)?;
        let (_, fixed) = self.fixed(None, name).ok()??;
        self.stands_beside(name, false, Type::NS, &fixed).then(|| servers.clone())
    }

    /// Adds what came by updates to what a name has without.
    pub(super) fn with_updated(&self, name: &Name, is_apex: bool, fixed: Vec<Set>) -> Vec<Set> {
        let updated = self.updated.get(name);
        if updated.is_empty() {
            return fixed;
        }
        let told = updated.iter().filter(|set| self.stands_beside(name, is_apex, set.kind(), &fixed));
        let told: Vec<_> = told.cloned().collect();
        [fixed, told].concat()
    }

    /// The rows of some names, each once, with their zones.
    pub(super) fn rows_at(&self, names: &BTreeSet<Name>) -> Vec<(Name, Row)> {
        let mut rows = Vec::new();
        for name in names {
            let Ok(Some((apex, sets))) = self.all(None, name) else { continue };
            let sets = sets.into_iter().filter(|set| set.kind() != Type::SOA).collect();
            rows.extend(super::listing::rows(name, sets).map(|row| (apex.clone(), row)));
        }
        rows
    }

    /// The pointer from an address to its host, without updates.
    pub(super) fn pointer(
        &self,
        now_nanoseconds: Option<u64>,
        address: IpAddr,
    ) -> Result<Vec<Set>, NameError> {
        Ok(match (self.host(address)?, self.lent.at(address)) {
            (Some(host), _) => {
                let ttl_seconds = self.settings.ttl_seconds;
                let stands_in_file =
                    self.file_pointers.contains_key(&address) && !self.own_pointers.contains_key(&address);
                let ttl_seconds =
                    if stands_in_file { ttl_seconds.min(FILES_TTL_SECONDS) } else { ttl_seconds };
                vec![Set::one(ttl_seconds, Data::Name(Type::PTR, host))]
            }
            (None, Some(loan)) => {
                let ttl_seconds = loan.ttl_seconds(now_nanoseconds, &self.settings);
                vec![Set::one(ttl_seconds, Data::Name(Type::PTR, loan.whole.clone()))]
            }
            (None, None) => Vec::new(),
        })
    }
}
