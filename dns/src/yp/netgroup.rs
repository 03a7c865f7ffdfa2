use super::Step;
use crate::nis::limit::{NETGROUP_MEMBERS_MAX, RECORD_OCTETS_MAX};
use heorot_names::{Directory, NodeSet};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// Maps netgroup and netgroup.byhost: the groups of nodes, and one of all nodes by the name of the zone.
///
/// A value has room for some sixty names, and a cluster has thousands. A large group is therefore one of groups, `cluster:0-1023` of
/// `cluster:0-31` and so on, each of which has a block of numbers; which blocks there are is arithmetic. Whoever asks for members of a
/// group follows such names anyway.
///
/// A node is a member by its host name, in any domain, and as nobody's machine: `(node23,-,)`. With an empty user every user would be
/// a member of every group of nodes.
pub(super) struct Netgroups {
    directory: Arc<Directory>,
    groups: BTreeMap<String, Group>,
    /// In any group.
    all: NodeSet,
    given: BTreeMap<String, u32>,
}

struct Group {
    members: NodeSet,
    /// Members of a block: a power of two.
    fanout: u64,
    /// Numbers in each of the blocks at the top, a power of the fanout. 1: there are no blocks, the members themselves stand there.
    top: u64,
}

/// Numbers of a group that have a key of their own: `size` numbers from `lowest` on, which is a multiple of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    lowest: u64,
    size: u64,
}

/// Names that are longer cannot be keys of blocks with any use.
const GROUP_OCTETS_MAX: usize = 128;
/// What stands around a node's name, with a space.
const TRIPLE_OCTETS: usize = "(,-,) ".len();
/// What a block's key has beside the name of the group and two numbers, with a space.
const BLOCK_OCTETS: usize = ":- ".len();

impl Netgroups {
    pub(super) fn new(directory: Arc<Directory>) -> Self {
        let cluster = (directory.zone.clone(), directory.numbers());
        let named = directory.groups.iter().map(|(name, members)| (name.clone(), members.clone()));
        let given_octets_max = directory.given_names.values().map(String::len).max().unwrap_or_default();
        let mut groups = BTreeMap::new();
        for (name, members) in named.filter(|(name, _)| is_name(name)).chain([cluster]) {
            let highest = members.ranges().last().map_or(0, |range| range.highest);
            let name_octets = directory.pattern.name(highest).len().max(given_octets_max);
            let group = Group::new(&name, members, name_octets);
            groups.insert(name, group);
        }
        let all = groups.values().flat_map(|group| group.members.ranges()).copied().collect();
        let given = directory.given_names.iter().map(|(number, name)| (name.clone(), *number)).collect();
        Self { directory, groups, all, given }
    }

    /// The members of a group or block.
    pub(super) fn members(&self, key: &str) -> Option<String> {
        if let Some(group) = self.groups.get(key) {
            return Some(self.list(key, group, Block { lowest: 0, size: 1 << 32 }, group.top));
        }
        let (name, block) = read_block(key)?;
        let group = self.groups.get(name)?;
        let exists = group.has(block);
        exists.then(|| self.list(name, group, block, block.size / group.fanout))
    }

    /// The groups of a host, by `node23.*` (any domain) as the map has it, or by a domain name.
    pub(super) fn of_host(&self, key: &str) -> Option<String> {
        let number = self.host(key).filter(|number| self.all.contains(*number))?;
        let mut groups = String::new();
        for (name, _) in self.groups.iter().filter(|(_, group)| group.members.contains(number)) {
            if groups.len() + 1 + name.len() > RECORD_OCTETS_MAX {
                break;
            }
            if !groups.is_empty() {
                groups.push(',');
            }
            groups.push_str(name);
        }
        Some(groups)
    }

    /// What comes after a group or block, or first: each group before its blocks, each block before those in it.
    pub(super) fn after(&self, key: Option<&str>) -> Step {
        let Some(key) = key else { return self.after_group(Bound::Unbounded) };
        let (name, block) = match read_block(key) {
            Some((name, block)) => (name, Some(block)),
            None => (key, None),
        };
        let next = self.groups.get(name).and_then(|group| Some((group, group.after(block)?)));
        match next {
            Some((group, block)) => {
                let members = self.list(name, group, block, block.size / group.fanout);
                Step::entry(block.key(name), members)
            }
            None => self.after_group(Bound::Excluded(name)),
        }
    }

    /// What comes after a host, or first: by number.
    pub(super) fn after_host(&self, key: Option<&str>) -> Step {
        let from = match key {
            None => Some(0),
            Some(key) => match self.host(key) {
                Some(number) => number.checked_add(1),
                None => return Step::NoSuchKey,
            },
        };
        let next = from.and_then(|from| self.all.first_from(from));
        match next.and_then(|number| {
            let key = self.directory.pattern.name(number) + ".*";
            Some((self.of_host(&key)?, key))
        }) {
            Some((groups, key)) => Step::entry(key, groups),
            None => Step::End,
        }
    }

    fn after_group(&self, from: Bound<&str>) -> Step {
        match self.groups.range::<str, _>((from, Bound::Unbounded)).next() {
            Some((name, _)) => Step::entry(name.clone(), self.members(name).unwrap_or_default()),
            None => Step::End,
        }
    }

    fn host(&self, key: &str) -> Option<u32> {
        let name = match key.split_once('.') {
            Some((name, domain)) if domain == "*" || domain.eq_ignore_ascii_case(&self.directory.zone) => {
                name
            }
            Some(_) => return None,
            None => key,
        };
        let name = name.to_ascii_lowercase();
        self.directory.pattern.number(&name).or_else(|| self.given.get(&name).copied())
    }

    /// What a block has: blocks of `step` numbers, or with 1 nodes.
    fn list(&self, name: &str, group: &Group, block: Block, step: u64) -> String {
        let mut list = String::new();
        let mut from = block.lowest;
        while let Some(number) = group.first_from(from).filter(|number| *number < block.end()) {
            if !list.is_empty() {
                list.push(' ');
            }
            let part = Block::of(number, step);
            from = part.end();
            match u32::try_from(number) {
                Ok(number) if step == 1 => {
                    list.extend(["(", &self.directory.name(number), ",-,)"]);
                }
                Ok(_) | Err(_) => list.push_str(&part.key(name)),
            }
        }
        list
    }
}

impl Group {
    fn new(name: &str, members: NodeSet, name_octets: usize) -> Self {
        let bounds = members.ranges().first().zip(members.ranges().last());
        let (lowest, highest) =
            bounds.map_or((0, 0), |(first, last)| (u64::from(first.lowest), u64::from(last.highest)));
        let digits = highest.to_string().len().max(2) + 1;
        let octets = (name_octets + TRIPLE_OCTETS).max(name.len() + 2 * digits + BLOCK_OCTETS);
        let fits =
            u64::try_from(RECORD_OCTETS_MAX / octets).unwrap_or(2).clamp(2, NETGROUP_MEMBERS_MAX.into());
        let fanout = 1 << fits.ilog2();
        let mut top = 1;
        while highest / top - lowest / top >= fanout {
            top *= fanout;
        }
        Self { members, fanout, top }
    }

    fn first_from(&self, number: u64) -> Option<u64> {
        self.members.first_from(u32::try_from(number).ok()?).map(u64::from)
    }

    /// Whether there is this block, with members.
    fn has(&self, block: Block) -> bool {
        let mut size = self.top;
        while size > block.size {
            size /= self.fanout;
        }
        let is_block = size == block.size && size > 1 && block.lowest.is_multiple_of(size);
        is_block && self.first_from(block.lowest).is_some_and(|number| number < block.end())
    }

    /// The block after this one, or the first.
    fn after(&self, block: Option<Block>) -> Option<Block> {
        let Some(block) = block else {
            return self.first_from(0).filter(|_| self.top > 1).map(|number| Block::of(number, self.top));
        };
        if !self.has(block) {
            return None;
        }
        let step = block.size / self.fanout;
        if step > 1 {
            return self.first_from(block.lowest).map(|number| Block::of(number, step));
        }
        // The largest block of the next number that has not come yet.
        let number = self.first_from(block.end())?;
        let mut size = self.top;
        while Block::of(number, size).lowest <= block.lowest {
            size /= self.fanout;
        }
        Some(Block::of(number, size))
    }
}

impl Block {
    fn of(number: u64, size: u64) -> Self {
        Self { lowest: number / size * size, size }
    }

    /// The first number after it.
    fn end(self) -> u64 {
        self.lowest + self.size
    }

    fn key(self, group: &str) -> String {
        format!("{group}:{}-{}", self.lowest, self.end() - 1)
    }
}

/// `cluster:64-127`, as it is written.
fn read_block(key: &str) -> Option<(&str, Block)> {
    let (name, numbers) = key.rsplit_once(':')?;
    let (lowest, highest) = numbers.split_once('-')?;
    let (lowest, highest) = (lowest.parse::<u32>().ok()?, highest.parse::<u32>().ok()?);
    let size = u64::from(highest.checked_sub(lowest)?) + 1;
    let block = Block { lowest: lowest.into(), size };
    (block.key(name) == key).then_some((name, block))
}

/// Whether a group's name can stand in a netgroup file.
fn is_name(name: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"_.-+@".contains(&c);
    (1..=GROUP_OCTETS_MAX).contains(&name.len()) && name.bytes().all(allowed)
}
