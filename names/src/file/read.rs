//! The text into tables: sorted lists of places in it.

use super::{END, HEAD, Me, OCTETS_MAX};
use crate::{NodeSet, NumberRange, Pattern};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

/// A names file that was read: it lives in other people's processes, so reading fails where memory is short, and looking up needs none.
#[derive(Debug)]
pub struct NamesFile {
    text: String,
    zone: Word,
    pub(super) pattern: Pattern,
    pub(super) networks: Vec<FileNetwork>,
    pub(super) subnets: Vec<(Word, Ipv4Addr)>,
    pub(super) master: Option<(Word, Range<usize>)>,
    pub(super) me: Option<Me>,
    /// By number.
    pub(super) given_names: Vec<(u32, Word)>,
    /// The same, by name.
    pub(super) given_by_name: Vec<(Word, u32)>,
    /// By name.
    pub(super) hosts: Vec<(Word, Range<usize>)>,
    /// The addresses of hosts and of the master: each has a range of them.
    pub(super) addresses: Vec<IpAddr>,
    /// The place of the host of an address, by address.
    pub(super) hosts_by_address: Vec<(IpAddr, usize)>,
    pub(super) groups: Vec<(Word, Range<usize>)>,
    /// The numbers of groups: each has a range of these ranges.
    pub(super) members: Vec<NumberRange>,
    /// All numbers that live on a network.
    pub(super) all: NodeSet,
    /// By hardware address.
    pub(super) ethers: Vec<([u8; 6], u32)>,
    /// By number.
    pub(super) ethers_by_number: Vec<(u32, [u8; 6])>,
}

/// Where a word stands in the text. It is looked up with bounds checked, and gives "" where there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    start: usize,
    end: usize,
}

/// One line `network`.
#[derive(Debug)]
pub(super) struct FileNetwork {
    pub(super) numbers: NumberRange,
    pub(super) first: IpAddr,
    pub(super) suffix: Word,
}

/// Why a text is no names file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: FileProblem,
}

/// What can be wrong with a names file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// More than 8 MiB.
    TooLong,
    /// It does not begin as a names file of this version does.
    Head,
    /// The last line is not `end`.
    CutOff,
    /// A line that says too little, or what such a line cannot say.
    Line,
    /// `zone` or `nodes` is missing.
    Missing,
    /// There is not enough memory for it.
    Memory,
}

impl NamesFile {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`FileError`] tells which line is wrong.
    pub fn read(text: String) -> Result<Self, FileError> {
        if text.len() > OCTETS_MAX {
            return Err(FileError { line: 1, problem: FileProblem::TooLong });
        }
        let mut reader = Reader::default();
        let mut line_number = 0;
        let (mut start, mut ended) = (0, false);
        // A last line without its end is one that was cut off.
        for whole in text.split_inclusive('\n') {
            line_number += 1;
            let wrong = |problem| FileError { line: line_number, problem };
            let line = whole.strip_suffix('\n').ok_or_else(|| wrong(FileProblem::CutOff))?;
            match line_number {
                1 if line == HEAD => {}
                1 => return Err(wrong(FileProblem::Head)),
                _ if ended => return Err(wrong(FileProblem::Line)),
                _ if line == END => ended = true,
                _ => reader.line(&mut Words { line, start, at: 0 }).map_err(wrong)?,
            }
            start += whole.len();
        }
        if !ended {
            return Err(FileError { line: line_number.max(1), problem: FileProblem::CutOff });
        }
        reader.finish(text).map_err(|problem| FileError { line: line_number, problem })
    }

    pub(super) fn word(&self, word: Word) -> &str {
        self.text.get(word.start..word.end).unwrap_or_default()
    }

    /// The cluster's zone.
    pub fn zone(&self) -> &str {
        self.word(self.zone)
    }
}

/// The words of a line, one after the other.
struct Words<'a> {
    line: &'a str,
    /// Where the line begins in the text.
    start: usize,
    /// Where the next word or the space before it begins in the line.
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<(&'a str, Word)> {
        let rest = self.line.get(self.at..)?;
        let word = rest.trim_start_matches(' ');
        let start = self.at + (rest.len() - word.len());
        let length = word.find(' ').unwrap_or(word.len());
        self.at = start + length;
        let word = word.get(..length).filter(|word| !word.is_empty())?;
        Some((word, Word { start: self.start + start, end: self.start + self.at }))
    }

    fn place(&mut self) -> Result<Word, FileProblem> {
        self.next().map(|(_, place)| place).ok_or(FileProblem::Line)
    }

    fn value<T: std::str::FromStr>(&mut self) -> Result<T, FileProblem> {
        self.next().and_then(|(word, _)| word.parse().ok()).ok_or(FileProblem::Line)
    }
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    zone: Option<Word>,
    pattern: Option<Pattern>,
    networks: Vec<FileNetwork>,
    subnets: Vec<(Word, Ipv4Addr)>,
    master: Option<(Word, Range<usize>)>,
    me: Option<Me>,
    given: Vec<(u32, Word)>,
    hosts: Vec<(Word, Range<usize>)>,
    addresses: Vec<IpAddr>,
    groups: Vec<(Word, Range<usize>)>,
    members: Vec<NumberRange>,
    ethers: Vec<([u8; 6], u32)>,
}

impl Reader {
    fn line(&mut self, words: &mut Words<'_>) -> Result<(), FileProblem> {
        let Some((about, _)) = words.next() else { return Ok(()) };
        match about {
            "zone" => self.zone = Some(words.place()?),
            "nodes" => {
                let (text, _) = words.next().ok_or(FileProblem::Line)?;
                self.pattern = Some(Pattern::parse(text).map_err(|_| FileProblem::Line)?);
            }
            "network" => {
                let numbers = words.next().and_then(|(text, _)| range(text)).ok_or(FileProblem::Line)?;
                let first = words.value()?;
                let suffix = words.next().map(|(_, place)| place).unwrap_or_default();
                push(&mut self.networks, FileNetwork { numbers, first, suffix })?;
            }
            "subnet" => push(&mut self.subnets, (words.place()?, words.value()?))?,
            "master" => self.master = Some((words.place()?, self.addresses(words)?)),
            "self" => {
                let (who, _) = words.next().ok_or(FileProblem::Line)?;
                let number = || who.parse().map(Me::Node).map_err(|_| FileProblem::Line);
                self.me = Some(if who == "master" { Me::Master } else { number()? });
            }
            "name" => push(&mut self.given, (words.value()?, words.place()?))?,
            "host" => {
                let host = (words.place()?, self.addresses(words)?);
                push(&mut self.hosts, host)?;
            }
            "group" => {
                let group = (words.place()?, self.members(words)?);
                push(&mut self.groups, group)?;
            }
            "ether" => {
                let address = words.next().and_then(|(text, _)| hardware_address(text));
                push(&mut self.ethers, (address.ok_or(FileProblem::Line)?, words.value()?))?;
            }
            // A newer server says more.
            _ => {}
        }
        Ok(())
    }

    fn addresses(&mut self, words: &mut Words<'_>) -> Result<Range<usize>, FileProblem> {
        let start = self.addresses.len();
        while let Some((word, _)) = words.next() {
            push(&mut self.addresses, word.parse().map_err(|_| FileProblem::Line)?)?;
        }
        if start == self.addresses.len() { Err(FileProblem::Line) } else { Ok(start..self.addresses.len()) }
    }

    fn members(&mut self, words: &mut Words<'_>) -> Result<Range<usize>, FileProblem> {
        let start = self.members.len();
        let (list, _) = words.next().ok_or(FileProblem::Line)?;
        let mut next = 0_u64;
        for part in list.split(',').filter(|_| list != "-") {
            let part = range(part).ok_or(FileProblem::Line)?;
            // They are looked through by halves, so they have to stand in order.
            if u64::from(part.lowest) < next {
                return Err(FileProblem::Line);
            }
            next = u64::from(part.highest) + 1;
            push(&mut self.members, part)?;
        }
        Ok(start..self.members.len())
    }

    fn finish(self, text: String) -> Result<NamesFile, FileProblem> {
        let Self { zone, pattern, networks, subnets, master, me, given, hosts, addresses, .. } = self;
        let mut file = NamesFile {
            text,
            zone: zone.ok_or(FileProblem::Missing)?,
            pattern: pattern.ok_or(FileProblem::Missing)?,
            all: networks.iter().map(|network| network.numbers).collect(),
            networks,
            subnets,
            master,
            me,
            given_by_name: with_memory(given.len())?,
            given_names: given,
            hosts,
            addresses,
            hosts_by_address: Vec::new(),
            groups: self.groups,
            members: self.members,
            ethers_by_number: with_memory(self.ethers.len())?,
            ethers: self.ethers,
        };
        file.given_by_name.extend(file.given_names.iter().map(|(number, name)| (*name, *number)));
        file.ethers_by_number.extend(file.ethers.iter().map(|(address, number)| (*number, *address)));
        file.given_names.sort_unstable_by_key(|(number, _)| *number);
        file.ethers.sort_unstable();
        file.ethers_by_number.sort_unstable();
        let mut by_name = std::mem::take(&mut file.given_by_name);
        by_name.sort_unstable_by_key(|(name, _)| file.word(*name));
        file.given_by_name = by_name;
        let mut hosts = std::mem::take(&mut file.hosts);
        hosts.sort_unstable_by_key(|(name, _)| file.word(*name));
        for (place, (_, addresses)) in hosts.iter().enumerate() {
            for address in file.addresses.get(addresses.clone()).unwrap_or_default() {
                push(&mut file.hosts_by_address, (*address, place))?;
            }
        }
        file.hosts_by_address.sort_unstable();
        file.hosts = hosts;
        Ok(file)
    }
}

/// Adds to a list, if there is memory for it.
fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), FileProblem> {
    list.try_reserve(1).map_err(|_| FileProblem::Memory)?;
    list.push(item);
    Ok(())
}

fn with_memory<T>(length: usize) -> Result<Vec<T>, FileProblem> {
    let mut list = Vec::new();
    list.try_reserve_exact(length).map_err(|_| FileProblem::Memory)?;
    Ok(list)
}

/// `5` or `0-31`.
fn range(text: &str) -> Option<NumberRange> {
    let (lowest, highest) = text.split_once('-').unwrap_or((text, text));
    let range = NumberRange { lowest: lowest.parse().ok()?, highest: highest.parse().ok()? };
    (range.lowest <= range.highest).then_some(range)
}

/// `52:54:00:00:00:17`.
fn hardware_address(text: &str) -> Option<[u8; 6]> {
    // Digits alone: from_str_radix() would let "+7" through.
    let is_octet = |part: &&str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut address = [0; 6];
    let mut parts = text.split(':');
    for octet in &mut address {
        let part = parts.next().filter(is_octet)?;
        *octet = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(address)
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.problem {
            FileProblem::TooLong => "more than 8 MiB",
            FileProblem::Head => "not a names file that this version reads",
            FileProblem::CutOff => "the file was cut off",
            FileProblem::Line => "this line is not understood",
            FileProblem::Missing => "'zone' or 'nodes' is missing",
            FileProblem::Memory => "not enough memory",
        };
        write!(f, "line {}: {why}", self.line)
    }
}

impl std::error::Error for FileError {}
