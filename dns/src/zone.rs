//! Which names exist and what they have.

use crate::data::{Data, Set, Soa, Type, gather};
use crate::hosts_file::TTL_SECONDS as FILES_TTL_SECONDS;
use crate::journal::Changed;
use crate::lent::{Lent, Loan};
use crate::name::{Name, NameError};
use crate::reverse::{Place, ReverseName, ReverseZones};
use crate::settings::Settings;
use crate::tree::Tree;
use heorot_names::{Change, Changes, Directory, RecordData};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

mod listing;
mod updated;

pub(crate) use listing::{Cursor, Row};

/// All our zones: that of the cluster, and the reverse ones.
#[derive(Clone)]
pub(crate) struct Zones {
    settings: Settings,
    directory: Arc<Directory>,
    serial: u32,
    apex: Name,
    server: Name,
    hostmaster: Name,
    reverse: ReverseZones,
    /// This server's names by its addresses.
    own_pointers: BTreeMap<IpAddr, Name>,
    /// What the operator wrote, in the configuration and in files of hosts.
    records: Arc<Tree>,
    /// Names of addresses that stand in files.
    file_pointers: Arc<BTreeMap<IpAddr, Name>>,
    /// What others have it say.
    updated: Arc<Tree>,
    /// Hosts to which addresses are lent.
    lent: Lent,
    /// Whether some of what the operator wrote says that a zone below is somebody else's.
    has_cuts: bool,
    /// Whether some of what came by updates does.
    has_updated_cuts: bool,
}

/// What there is to say to a name and a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Not in our zones.
    Elsewhere,
    /// In one of them.
    Here(Answer),
}

/// The sections of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// There is no such name, and nothing below it (RFC 8020): of several, the last of the aliases.
    pub(crate) no_name: bool,
    /// Aliases, and what was asked for. Without a name it is of the name that was asked.
    pub(crate) answer: Vec<(Option<Name>, Set)>,
    pub(crate) authority: Option<Authority>,
    /// Addresses of hosts in the others.
    pub(crate) additional: Vec<(Name, Set)>,
    /// Where the last alias leads, if that is for others to say.
    pub(crate) leads_to: Option<Name>,
}

/// Why there is no more in the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// There is no such thing, for so long (RFC 2308).
    Denial(Soa),
    /// This zone below ours has these servers, which know (RFC 1034 4.3.2).
    Below(Name, Set),
}

/// Aliases that are followed. The configuration has none in circles, but updates may.
const ALIASES_MAX: usize = 8;

impl Zones {
    pub(crate) fn new(settings: Settings, directory: Arc<Directory>) -> Result<Self, NameError> {
        Self::after(None, settings, directory)
    }

    /// What is written needs not be read again if it is what it was before.
    fn after(
        before: Option<&Self>,
        settings: Settings,
        directory: Arc<Directory>,
    ) -> Result<Self, NameError> {
        let apex = Name::parse(&directory.zone)?;
        let server = apex.child(&settings.server_name)?;
        let mut own_pointers = BTreeMap::new();
        // The server's name last: where several names share an address, that is the one to be told.
        let own = settings.hosts.get_key_value(&settings.server_name);
        for (host, addresses) in settings.hosts.iter().chain(own) {
            let name = apex.child(host)?;
            own_pointers.extend(addresses.iter().map(|address| (IpAddr::V4(*address), name.clone())));
        }
        let is_same = |before: &&Self| {
            let (old, new) = (&before.directory, &directory);
            let is_same = old.zone == new.zone && old.records == new.records && old.files == new.files;
            is_same && before.settings.ttl_seconds == settings.ttl_seconds
        };
        let (records, file_pointers) = match before.filter(is_same) {
            Some(before) => (Arc::clone(&before.records), Arc::clone(&before.file_pointers)),
            None => (
                Arc::new(records(&directory, &apex, settings.ttl_seconds)?),
                Arc::new(file_pointers(&directory)),
            ),
        };
        let is_cut =
            |(name, sets): (&Name, &[Set])| *name != apex && sets.iter().any(|set| set.kind() == Type::NS);
        let has_cuts = records.at_or_below(&apex, None).any(is_cut);
        Ok(Self {
            hostmaster: apex.child("hostmaster")?,
            reverse: ReverseZones::covering(&settings.reverse_prefixes)?,
            records,
            file_pointers,
            has_cuts,
            has_updated_cuts: false,
            updated: Arc::default(),
            lent: Lent::default(),
            server,
            own_pointers,
            serial: directory.serial,
            apex,
            directory,
            settings,
        })
    }

    /// Whether a name in them may end at any moment.
    pub(crate) fn lend_any(&self) -> bool {
        !self.lent.is_empty()
    }

    /// In which zone of ours a name is, even if it is none, and whether it is below a cut there. None: in none of them.
    ///
    /// What is asked for decides at a cut itself: a zone's DS is the matter of the zone above it (RFC 4035 3.1.4.1).
    pub(crate) fn holder(&self, name: &Name, wanted: Type) -> Option<(Name, bool)> {
        match self.look(None, name) {
            Ok(None) => None,
            Ok(Some((apex, Content::Below(cut, _)))) => Some((apex, wanted != Type::DS || cut != *name)),
            Ok(Some((apex, Content::Has(_) | Content::Empty | Content::Missing))) => Some((apex, false)),
            // A mistake of ours is not told to others.
            Err(NameError { .. }) => Some((name.clone(), false)),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    pub(crate) fn serial(&self) -> u32 {
        self.serial
    }

    /// The same names that are no arithmetic beside another directory.
    pub(crate) fn followed_by(
        &self,
        settings: Settings,
        directory: Arc<Directory>,
    ) -> Result<Self, NameError> {
        Ok(Self {
            lent: self.lent.clone(),
            updated: Arc::clone(&self.updated),
            has_updated_cuts: self.has_updated_cuts,
            ..Self::after(Some(self), settings, directory)?
        })
    }

    /// Takes over what has changed, and tells which records came and went.
    pub(crate) fn change(&mut self, changes: Changes) -> Vec<Changed> {
        self.serial = changes.serial;
        let mut changed = Vec::new();
        for change in changes.changes {
            // A name that is none is a mistake of ours; nobody is called so then.
            let Some(names) = self.names_of_change(&change) else { continue };
            let before = self.rows_at(&names);
            match change {
                Change::Lent { name, address, until_nanoseconds } => {
                    let Ok(whole) = self.apex.child(&name) else { continue };
                    self.lent.lend(name, Loan { whole, address, until_nanoseconds });
                }
                Change::Returned { address } => self.lent.end(address),
                Change::Updated(dynamic) => names.iter().for_each(|name| self.update(name, &dynamic)),
            }
            difference(before, self.rows_at(&names), &mut changed);
        }
        changed
    }

    /// The names of which a change may change what they have.
    fn names_of_change(&self, change: &Change) -> Option<BTreeSet<Name>> {
        let of_loan = |loan: &Loan| {
            let back = self.reverse.name_of(loan.address.into());
            std::iter::once(loan.whole.clone()).chain(back)
        };
        Some(match change {
            Change::Lent { name, address, .. } => {
                let whole = self.apex.child(name).ok()?;
                let loan = Loan { whole, address: *address, until_nanoseconds: 0 };
                let before =
                    self.lent.at((*address).into()).into_iter().chain(self.lent.called(name.as_bytes()));
                before.chain([&loan]).flat_map(of_loan).collect()
            }
            Change::Returned { address } => {
                self.lent.at((*address).into()).into_iter().flat_map(of_loan).collect()
            }
            Change::Updated(dynamic) => [Name::parse(&dynamic.name).ok()?].into(),
        })
    }

    /// What another snapshot of names has changed, if that can be told in few words: names given by hand are other ones, and nothing else is.
    pub(crate) fn changed_since(&self, before: &Self) -> Option<Vec<Changed>> {
        let (old, new) = (&*before.directory, &*self.directory);
        let given_names = new.given_names.clone();
        let same_but_for_names = Directory { given_names, serial: new.serial, ..old.clone() };
        if !same_but_for_names.has_names_of(new) || before.settings != self.settings {
            return None;
        }
        let numbers: BTreeSet<u32> = old.given_names.keys().chain(new.given_names.keys()).copied().collect();
        let is_other = |number: &u32| old.given_names.get(number) != new.given_names.get(number);
        let mut changed = Vec::new();
        for number in numbers.into_iter().filter(is_other) {
            let mut names = before.names_of_number(number);
            names.extend(self.names_of_number(number));
            difference(before.rows_at(&names), self.rows_at(&names), &mut changed);
        }
        Some(changed)
    }

    /// The names of a node, computed and given, and of its addresses.
    fn names_of_number(&self, number: u32) -> BTreeSet<Name> {
        let mut names = BTreeSet::new();
        for network in self.directory.networks.iter().filter(|network| network.numbers.contains(number)) {
            let given = self.directory.given_names.get(&number).cloned();
            let labels = std::iter::once(self.directory.pattern.name(number)).chain(given);
            names
                .extend(labels.filter_map(|name| self.apex.child(&format!("{name}{}", network.suffix)).ok()));
            let addresses =
                [network.address(number).map(IpAddr::V4), network.address_ipv6(number).map(IpAddr::V6)];
            names.extend(addresses.into_iter().flatten().filter_map(|address| self.reverse.name_of(address)));
        }
        names
    }

    /// What there is under a name. An error is a host name of the directory that is no label: a mistake in the configuration that
    /// should not have come so far. `is_others` says of a zone of ours and a name in it whether the name is left to others all the same.
    pub(crate) fn find(
        &self,
        now_nanoseconds: u64,
        name: &Name,
        wanted: Type,
        is_others: impl Fn(&Name, &Name) -> bool,
    ) -> Result<Found, NameError> {
        let now_nanoseconds = Some(now_nanoseconds);
        let mut answer = Answer::default();
        let mut alias: Option<Name> = None;
        for _ in 0..ALIASES_MAX {
            let at = alias.as_ref().unwrap_or(name);
            let found = self.look(now_nanoseconds, at)?;
            let (apex, content) = match found.filter(|(apex, _)| !is_others(apex, at)) {
                Some(found) => found,
                None if alias.is_none() => return Ok(Found::Elsewhere),
                // What a name elsewhere has, others know.
                None => {
                    answer.leads_to = alias;
                    break;
                }
            };
            let sets = match content {
                Content::Has(sets) => sets,
                Content::Empty | Content::Missing => {
                    answer.no_name = matches!(content, Content::Missing);
                    answer.authority = Some(Authority::Denial(self.soa(apex)));
                    break;
                }
                // RFC 4035 3.1.4.1: a zone's DS is the matter of the zone above it, which is ours.
                Content::Below(cut, _) if wanted == Type::DS && cut == *at => {
                    answer.authority = Some(Authority::Denial(self.soa(apex)));
                    break;
                }
                Content::Below(cut, servers) => {
                    self.help(now_nanoseconds, &servers, &mut answer.additional);
                    answer.authority = Some(Authority::Below(cut, servers));
                    answer.leads_to = alias;
                    break;
                }
            };
            // RFC 8482 4.1: to ANY, one of the sets that the name has.
            let fits = |set: &Set| wanted == Type::ANY || set.kind() == wanted;
            let is_alias = |set: &Set| set.kind() == Type::CNAME;
            let Some(set) = sets.into_iter().find(|set| fits(set) || is_alias(set)) else {
                answer.authority = Some(Authority::Denial(self.soa(apex)));
                break;
            };
            // RFC 1034 3.6.2: the alias is part of the answer, and the question goes on with what it means.
            let next = match set.data.first() {
                Some(Data::Name(Type::CNAME, target)) if !fits(&set) => Some(target.clone()),
                _ => None,
            };
            self.help(now_nanoseconds, &set, &mut answer.additional);
            answer.answer.push((alias.take(), set));
            match next {
                Some(next) => alias = Some(next),
                None => break,
            }
        }
        Ok(Found::Here(answer))
    }

    /// The zone of ours that a name is in, and what it has there.
    fn look(&self, now_nanoseconds: Option<u64>, name: &Name) -> Result<Option<(Name, Content)>, NameError> {
        if let Some(labels) = name.below(&self.apex) {
            return Ok(Some((self.apex.clone(), self.in_cluster(now_nanoseconds, name, &labels))));
        }
        let Place::In { apex, at } = self.reverse.place(name)? else { return Ok(None) };
        let fixed = match at {
            ReverseName::Apex => self.apex_sets(&apex),
            ReverseName::Of(address) => self.pointer(now_nanoseconds, address)?,
            ReverseName::Above(..) | ReverseName::Nothing => Vec::new(),
        };
        let sets = self.with_updated(name, at == ReverseName::Apex, fixed);
        let content = match at {
            _ if !sets.is_empty() => Content::Has(sets),
            // RFC 8020 2: "no such name" would deny the addresses below as well.
            ReverseName::Above(lowest, highest)
                if self.any_address(lowest, highest) || self.updated.any_below(name) =>
            {
                Content::Empty
            }
            ReverseName::Above(..) | ReverseName::Nothing | ReverseName::Apex | ReverseName::Of(_) => {
                Content::Missing
            }
        };
        Ok(Some((apex, content)))
    }

    fn in_cluster(&self, now_nanoseconds: Option<u64>, name: &Name, labels: &[&[u8]]) -> Content {
        if (self.has_cuts || self.has_updated_cuts)
            && let Some((cut, servers)) = self.cut_above(name, labels.len())
        {
            return Content::Below(cut, servers);
        }
        let sets = self.sets(now_nanoseconds, name, labels);
        match sets.is_empty() {
            false => Content::Has(sets),
            true if self.records.any_below(name) || self.updated.any_below(name) => Content::Empty,
            true => Content::Missing,
        }
    }

    /// What a name of the cluster's zone has, cut off or not.
    fn sets(&self, now_nanoseconds: Option<u64>, name: &Name, labels: &[&[u8]]) -> Vec<Set> {
        self.with_updated(name, labels.is_empty(), self.fixed_sets(now_nanoseconds, name, labels))
    }

    /// The same without what came by updates.
    fn fixed_sets(&self, now_nanoseconds: Option<u64>, name: &Name, labels: &[&[u8]]) -> Vec<Set> {
        if labels.is_empty() {
            return self.apex_sets(name);
        }
        let mut sets = Vec::new();
        if let [host] = *labels {
            for address in self.addresses(host) {
                gather(&mut sets, self.settings.ttl_seconds, address.into());
            }
            if let Some(loan) = self.lent.called(host).filter(|_| sets.is_empty()) {
                let ttl_seconds = loan.ttl_seconds(now_nanoseconds, &self.settings);
                gather(&mut sets, ttl_seconds, Data::A(loan.address));
            }
        }
        for set in self.records.get(name) {
            set.data.iter().for_each(|data| gather(&mut sets, set.ttl_seconds, data.clone()));
        }
        sets
    }

    /// The zone below ours that a name is in: the topmost.
    fn cut_above(&self, name: &Name, depth: usize) -> Option<(Name, Set)> {
        let names = std::iter::successors(Some(name.clone()), Name::parent).take(depth);
        let cuts = names.filter_map(|name| {
            let servers = self.cut_at(&name)?;
            Some((name, servers))
        });
        cuts.last()
    }

    fn apex_sets(&self, apex: &Name) -> Vec<Set> {
        let mut sets = vec![self.set(Data::Soa(Box::new(self.soa(apex.clone()))))];
        sets.push(self.set(Data::Name(Type::NS, self.server.clone())));
        for set in self.records.get(apex) {
            set.data.iter().for_each(|data| gather(&mut sets, set.ttl_seconds, data.clone()));
        }
        sets
    }

    /// The addresses of hosts that a set leads to, if we know them.
    fn help(&self, now_nanoseconds: Option<u64>, set: &Set, additional: &mut Vec<(Name, Set)>) {
        for host in set.data.iter().filter_map(Data::host) {
            let Some(labels) = host.below(&self.apex).filter(|labels| !labels.is_empty()) else { continue };
            if additional.iter().any(|(known, _)| known == host) {
                continue;
            }
            let is_address = |set: &Set| matches!(set.kind(), Type::A | Type::AAAA);
            let addresses = self.sets(now_nanoseconds, host, &labels).into_iter().filter(is_address);
            additional.extend(addresses.map(|addresses| (host.clone(), addresses)));
        }
    }

    fn addresses(&self, host: &[u8]) -> Vec<IpAddr> {
        let Ok(host) = std::str::from_utf8(host) else { return Vec::new() };
        match self.settings.hosts.get(host).filter(|addresses| !addresses.is_empty()) {
            Some(own) => own.iter().map(|address| IpAddr::V4(*address)).collect(),
            None => self.directory.all_addresses(host).unwrap_or_default(),
        }
    }

    fn host(&self, address: IpAddr) -> Result<Option<Name>, NameError> {
        match self.own_pointers.get(&address).or_else(|| self.file_pointers.get(&address)) {
            Some(name) => Ok(Some(name.clone())),
            None => self.directory.host_of(address).map(|host| below(&self.apex, &host)).transpose(),
        }
    }

    /// Whether any address between these, both included and of one kind, has a name.
    fn any_address(&self, lowest: IpAddr, highest: IpAddr) -> bool {
        let has_any = |pointers: &BTreeMap<IpAddr, Name>| pointers.range(lowest..=highest).next().is_some();
        has_any(&self.own_pointers)
            || has_any(&self.file_pointers)
            || self.lent.any(lowest, highest)
            || match (lowest, highest) {
                (IpAddr::V4(lowest), IpAddr::V4(highest)) => self.directory.any_address(lowest, highest),
                (IpAddr::V6(lowest), IpAddr::V6(highest)) => self.directory.any_address_ipv6(lowest, highest),
                (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
            }
    }

    fn set(&self, data: Data) -> Set {
        Set::one(self.settings.ttl_seconds, data)
    }

    fn soa(&self, apex: Name) -> Soa {
        Soa {
            apex,
            server: self.server.clone(),
            hostmaster: self.hostmaster.clone(),
            serial: self.serial,
            ttl_seconds: self.settings.ttl_seconds,
            negative_ttl_seconds: self.settings.negative_ttl_seconds,
        }
    }
}

/// Notes what is gone and what has come.
fn difference(before: Vec<(Name, Row)>, after: Vec<(Name, Row)>, changed: &mut Vec<Changed>) {
    let gone = before.iter().filter(|row| !after.contains(row)).map(|row| (false, row));
    let come = after.iter().filter(|row| !before.contains(row)).map(|row| (true, row));
    let note = |(is_added, (apex, row)): (bool, &(Name, Row))| Changed {
        apex: apex.clone(),
        is_added,
        row: row.clone(),
    };
    changed.extend(gone.chain(come).map(note));
}

/// What a name of ours has, whatever type was asked for.
enum Content {
    /// This; the first is what ANY gets.
    Has(Vec<Set>),
    /// Nothing, but names below it have something: an empty non-terminal (RFC 9499 7).
    Empty,
    /// It is in a zone below, which has these servers.
    Below(Name, Set),
    Missing,
}

/// A name inside the zone, whole: "" is the zone itself.
fn below(apex: &Name, name: &str) -> Result<Name, NameError> {
    let mut labels = name.rsplit('.').filter(|_| !name.is_empty());
    labels.try_fold(apex.clone(), |name, label| name.child(label))
}

/// The operator's records and what stands in his files, each under its name, and hosts whose names have several parts: those of one part are looked for where nodes are.
fn records(directory: &Directory, apex: &Name, ttl_seconds: u32) -> Result<Tree, NameError> {
    let mut records = Tree::default();
    for record in &directory.records {
        let owner = below(apex, &record.name)?;
        let data = match &record.data {
            RecordData::A(address) => Data::A(*address),
            RecordData::Aaaa(address) => Data::Aaaa(*address),
            RecordData::Cname(target) => Data::Name(Type::CNAME, Name::parse(target)?),
            RecordData::Ns(server) => Data::Name(Type::NS, Name::parse(server)?),
            RecordData::Mx(preference, host) => Data::Mx(*preference, Name::parse(host)?),
            RecordData::Srv { priority, weight, port, target } => Data::Srv {
                priority: *priority,
                weight: *weight,
                port: *port,
                target: if target.is_empty() { Name::root() } else { Name::parse(target)? },
            },
            RecordData::Txt(parts) => Data::Other(Type::TXT, text(parts)?),
        };
        records.add(&owner, ttl_seconds, data);
    }
    for (name, addresses) in &directory.files.names {
        // One that is too long with the zone is nobody's.
        let Ok(owner) = below(apex, name) else { continue };
        for address in addresses {
            records.add(&owner, FILES_TTL_SECONDS.min(ttl_seconds), (*address).into());
        }
    }
    for (name, addresses) in directory.hosts.iter().filter(|(name, _)| name.contains('.')) {
        let owner = below(apex, name)?;
        addresses.iter().for_each(|address| records.add(&owner, ttl_seconds, (*address).into()));
    }
    Ok(records)
}

fn file_pointers(directory: &Directory) -> BTreeMap<IpAddr, Name> {
    let pointers = &directory.files.pointers;
    pointers.iter().filter_map(|(address, name)| Some((*address, Name::parse(name).ok()?))).collect()
}

/// The parts of a text, each after its length (RFC 1035 3.3.14).
fn text(parts: &[Vec<u8>]) -> Result<Vec<u8>, NameError> {
    let mut octets = Vec::new();
    for part in parts {
        let length = u8::try_from(part.len()).map_err(|_| NameError::of("a part of a text"))?;
        octets.push(length);
        octets.extend_from_slice(part);
    }
    Ok(octets)
}
