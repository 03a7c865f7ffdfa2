//! All that a zone has, piece by piece: what is computed is never all in memory.

use super::Zones;
use crate::data::{Data, Set, Type};
use crate::name::{Name, NameError};
use std::net::IpAddr;

/// One record.
pub(crate) type Row = (Name, u32, Data);

/// How far a listing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    stage: usize,
    offset: u64,
}

/// What is listed one after another.
#[derive(Clone, Copy)]
enum Stage {
    Apex,
    /// The nodes of a network, by its place.
    Network(usize),
    Given,
    Own,
    Hosts,
    /// Of the configuration and of files.
    Records,
    Updated,
    Lent,
}

/// Names that are taken at once.
const NAMES_AT_ONCE: usize = 256;

impl Zones {
    /// The names of all our zones.
    pub(crate) fn apexes(&self) -> Vec<Name> {
        let reverse = self.reverse.all().unwrap_or_default();
        std::iter::once(self.apex.clone()).chain(reverse.into_iter().map(|(apex, ..)| apex)).collect()
    }

    /// The record that begins and ends a copy of a zone.
    pub(crate) fn start(&self, apex: &Name) -> Row {
        self.start_of(apex, self.serial)
    }

    /// The same as it was with another serial.
    pub(crate) fn start_of(&self, apex: &Name, serial: u32) -> Row {
        let mut soa = self.soa(apex.clone());
        soa.serial = serial;
        (apex.clone(), self.settings.ttl_seconds, Data::Soa(Box::new(soa)))
    }

    /// The next records of a zone but its SOA. None: that was all.
    pub(crate) fn list(&self, apex: &Name, cursor: &mut Cursor) -> Option<Vec<Row>> {
        let mut stages = [Stage::Apex]
            .into_iter()
            .chain((0..self.directory.networks.len()).map(Stage::Network))
            .chain([Stage::Given, Stage::Own, Stage::Hosts, Stage::Records, Stage::Updated, Stage::Lent]);
        let stage = stages.nth(cursor.stage)?;
        let found: Vec<_> = self.names_of(stage, apex, cursor.offset).take(NAMES_AT_ONCE).collect();
        if found.len() < NAMES_AT_ONCE {
            *cursor = Cursor { stage: cursor.stage + 1, offset: 0 };
        } else {
            cursor.offset += NAMES_AT_ONCE as u64;
        }
        let rows = found.into_iter().flatten().flat_map(|(name, sets)| rows(&name, sets));
        Some(rows.filter(|(_, _, data)| data.kind() != Type::SOA).collect())
    }

    /// Names with what they have, from the place `offset` of a stage. Nothing stands for a name that is listed elsewhere.
    fn names_of(
        &self,
        stage: Stage,
        apex: &Name,
        offset: u64,
    ) -> Box<dyn Iterator<Item = Option<(Name, Vec<Set>)>> + '_> {
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        if *apex == self.apex {
            return match stage {
                Stage::Apex => {
                    Box::new(std::iter::once(Some((apex.clone(), self.sets(None, apex, &[])))).skip(skip))
                }
                Stage::Network(place) => {
                    let network = &self.directory.networks[place];
                    let numbers =
                        u64::from(network.numbers.lowest) + offset..=u64::from(network.numbers.highest);
                    Box::new(numbers.map(move |number| {
                        let number = u32::try_from(number).ok()?;
                        let label = format!("{}{}", self.directory.pattern.name(number), network.suffix);
                        self.label(&label, Stage::Network(place))
                    }))
                }
                Stage::Given => {
                    let given = self.directory.given_names.iter().flat_map(|(number, name)| {
                        self.directory.networks.iter().map(move |network| {
                            network.numbers.contains(*number).then(|| format!("{name}{}", network.suffix))
                        })
                    });
                    Box::new(given.skip(skip).map(|label| self.label(&label?, Stage::Given)))
                }
                Stage::Own => {
                    Box::new(self.settings.hosts.keys().skip(skip).map(|label| self.label(label, Stage::Own)))
                }
                Stage::Hosts => Box::new(
                    self.directory.hosts.iter().skip(skip).map(|(label, _)| self.label(label, Stage::Hosts)),
                ),
                Stage::Records => {
                    let named = self.records.at_or_below(apex, None).skip(skip);
                    Box::new(named.map(|(name, _)| self.written(name)))
                }
                Stage::Updated => {
                    let named = self.updated.at_or_below(apex, None).skip(skip);
                    let is_new = |name: &Name| self.records.get(name).is_empty();
                    Box::new(named.map(move |(name, _)| is_new(name).then(|| self.written(name)).flatten()))
                }
                Stage::Lent => Box::new(
                    self.lent
                        .all()
                        .skip(skip)
                        .map(|label| self.label(std::str::from_utf8(label).ok()?, Stage::Lent)),
                ),
            };
        }
        let zones = self.reverse.all().unwrap_or_default();
        let Some((lowest, highest)) =
            zones.into_iter().find(|(name, ..)| name == apex).map(|(_, lowest, highest)| (lowest, highest))
        else {
            return Box::new(std::iter::empty());
        };
        match stage {
            Stage::Apex => {
                let sets = self.with_updated(apex, true, self.apex_sets(apex));
                Box::new(std::iter::once(Some((apex.clone(), sets))).skip(skip))
            }
            Stage::Network(place) => {
                let network = &self.directory.networks[place];
                let numbers = u64::from(network.numbers.lowest) + offset..=u64::from(network.numbers.highest);
                Box::new(numbers.map(move |number| {
                    let number = u32::try_from(number).ok()?;
                    let address = match lowest {
                        IpAddr::V4(_) => IpAddr::V4(network.address(number)?),
                        IpAddr::V6(_) => IpAddr::V6(network.address_ipv6(number)?),
                    };
                    let is_here = (lowest..=highest).contains(&address);
                    is_here.then(|| self.address(address, Stage::Network(place))).flatten()
                }))
            }
            Stage::Given => Box::new(std::iter::empty()),
            Stage::Records => {
                let here = self.file_pointers.range(lowest..=highest).skip(skip);
                Box::new(here.map(|(address, _)| self.address(*address, Stage::Records)))
            }
            Stage::Updated => {
                let named = self.updated.at_or_below(apex, None).skip(skip);
                Box::new(named.map(|(name, _)| match self.fixed(None, name) {
                    Ok(Some((_, fixed))) if fixed.is_empty() => {
                        Some((name.clone(), self.with_updated(name, false, fixed)))
                    }
                    Ok(_) | Err(NameError { .. }) => None,
                }))
            }
            Stage::Own => {
                let here = self.own_pointers.range(lowest..=highest).skip(skip);
                Box::new(here.map(|(address, _)| self.address(*address, Stage::Own)))
            }
            Stage::Hosts => {
                let here =
                    self.directory.hosts.by_address().filter(move |(a, _)| (lowest..=highest).contains(a));
                Box::new(here.skip(skip).map(|(address, _)| self.address(address, Stage::Hosts)))
            }
            Stage::Lent => {
                let here = self.lent.addresses().filter(move |a| (lowest..=highest).contains(a));
                Box::new(here.skip(skip).map(|address| self.address(address, Stage::Lent)))
            }
        }
    }

    /// What the stage that owns a label lists under it: the first of those that know it.
    fn label(&self, label: &str, stage: Stage) -> Option<(Name, Vec<Set>)> {
        let is_own = self.settings.hosts.get(label).is_some_and(|addresses| !addresses.is_empty());
        let is_nodes = self.directory.networks.iter().any(|n| {
            let number = label.strip_suffix(n.suffix.as_str()).and_then(|name| self.directory.number(name));
            number.is_some_and(|number| n.numbers.contains(number))
        });
        // Also a name that was given as it would be computed.
        let is_computed = || {
            self.directory.networks.iter().any(|n| {
                let name = label.strip_suffix(n.suffix.as_str());
                name.and_then(|name| self.directory.pattern.number(name))
                    .is_some_and(|number| n.numbers.contains(number))
            })
        };
        let is_hosts = !self.directory.hosts.addresses(label).is_empty();
        let is_listed_here = match stage {
            Stage::Own => is_own,
            Stage::Network(_) => !is_own,
            Stage::Given => !is_own && !is_computed(),
            Stage::Hosts => !is_own && !is_nodes,
            Stage::Lent => !is_own && !is_nodes && !is_hosts,
            Stage::Apex | Stage::Records | Stage::Updated => false,
        };
        let name = self.apex.child(label).ok().filter(|_| is_listed_here)?;
        let sets = self.sets(None, &name, &[label.as_bytes()]);
        Some((name, sets))
    }

    /// All of a name that nobody else lists.
    fn written(&self, name: &Name) -> Option<(Name, Vec<Set>)> {
        let labels = name.below(&self.apex)?;
        let is_listed = match *labels.as_slice() {
            [] => true,
            [label] => !self.addresses(label).is_empty() || self.lent.called(label).is_some(),
            _ => false,
        };
        (!is_listed).then(|| (name.clone(), self.sets(None, name, &labels)))
    }

    /// The pointer of an address, listed by the first stage that knows it.
    fn address(&self, address: IpAddr, stage: Stage) -> Option<(Name, Vec<Set>)> {
        let is_own = self.own_pointers.contains_key(&address);
        let is_files = self.file_pointers.contains_key(&address);
        let is_known = is_files || self.directory.host_of(address).is_some();
        let is_nodes = is_known && self.directory.hosts.name(address).is_none();
        let is_listed_here = match stage {
            Stage::Own => is_own,
            Stage::Network(_) => !is_own && !is_files,
            Stage::Hosts => !is_own && !is_nodes && !is_files,
            Stage::Records => !is_own,
            Stage::Lent => !is_own && !is_known,
            Stage::Apex | Stage::Given | Stage::Updated => false,
        };
        let name = self.reverse.name_of(address).filter(|_| is_listed_here)?;
        let pointer = self.pointer(None, address).ok()?;
        let sets = self.with_updated(&name, false, pointer);
        Some((name, sets))
    }
}

pub(super) fn rows(name: &Name, sets: Vec<Set>) -> impl Iterator<Item = Row> + use<> {
    let name = name.clone();
    sets.into_iter().flat_map(move |set| {
        let name = name.clone();
        set.data.into_iter().map(move |data| (name.clone(), set.ttl_seconds, data))
    })
}
