//! What a kernel module says of itself: the section `.modinfo` of its ELF file, strings as `depends=a,b`, each ended by a NUL.

use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// What counts here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ModInfo {
    /// The modules that it needs, each by its name.
    pub(super) depends: Vec<String>,
    /// What it would like to be there, names or aliases.
    pub(super) soft_depends: Vec<String>,
    /// What it is asked for by.
    pub(super) aliases: Vec<String>,
    /// Files of firmware that it may load.
    pub(super) firmware: Vec<String>,
}

/// A module's `.modinfo`.
pub(super) fn read(file: &[u8]) -> Result<ModInfo, &'static str> {
    let sections = sections(file).ok_or("it is no 64-bit ELF file")?;
    let section = sections.get(".modinfo").ok_or("it has no section .modinfo")?;
    let mut info = ModInfo::default();
    for string in section.split(|&byte| byte == 0) {
        let text = String::from_utf8_lossy(string);
        let Some((key, value)) = text.split_once('=') else { continue };
        match key {
            "depends" => {
                info.depends.extend(value.split(',').filter(|name| !name.is_empty()).map(canonical));
            }
            "softdep" => {
                let names = value.split_whitespace().filter(|word| !word.ends_with(':'));
                info.soft_depends.extend(names.map(str::to_owned));
            }
            "alias" => info.aliases.push(value.to_owned()),
            "firmware" => info.firmware.push(value.to_owned()),
            _ => {}
        }
    }
    Ok(info)
}

/// Module names do not tell `-` from `_`.
pub(super) fn canonical(name: &str) -> String {
    name.replace('-', "_")
}

/// The number of an ELF file's machine (`e_machine`), and whether it names an interpreter, that is, is linked dynamically.
pub(super) fn machine(file: &[u8]) -> Option<(u16, bool)> {
    if !is_elf(file) {
        return None;
    }
    let (start, size, count) = (number(file, 0x20, 8)?, number(file, 0x36, 2)?, number(file, 0x38, 2)?);
    let is_interpreter =
        |place: usize| number(file, start.checked_add(place * size)?, 4).map(|kind| kind == INTERPRETER);
    let interpreted = (0..count).any(|place| is_interpreter(place) == Some(true));
    Some((number(file, 0x12, 2)? as u16, interpreted))
}

/// The sections by their names.
fn sections(file: &[u8]) -> Option<BTreeMap<String, &[u8]>> {
    if !is_elf(file) {
        return None;
    }
    let (start, size) = (number(file, 0x28, 8)?, number(file, 0x3a, 2)?);
    let (count, names) = (number(file, 0x3c, 2)?, number(file, 0x3e, 2)?);
    let header = |place: usize| {
        let at = start.checked_add(place.checked_mul(size)?)?;
        let (offset, length) = (number(file, at.checked_add(0x18)?, 8)?, number(file, at + 0x20, 8)?);
        Some((number(file, at, 4)?, file.get(offset..offset.checked_add(length)?)))
    };
    let (_, names) = header(names)?;
    let names = names?;
    let mut sections = BTreeMap::new();
    for place in 0..count {
        // Sections without content in the file (.bss) lie wherever they want.
        let (name, Some(content)) = header(place)? else { continue };
        let name = names.get(name..)?.split(|&byte| byte == 0).next()?;
        sections.insert(String::from_utf8_lossy(name).into_owned(), content);
    }
    Some(sections)
}

/// 64-bit and little-endian, as all machines are that boot by heorot.
fn is_elf(file: &[u8]) -> bool {
    file.starts_with(b"\x7fELF\x02\x01")
}

fn number(file: &[u8], at: usize, size: usize) -> Option<usize> {
    let mut bytes = [0; 8];
    bytes[..size].copy_from_slice(file.get(at..at.checked_add(size)?)?);
    usize::try_from(u64::from_le_bytes(bytes)).ok()
}

/// PT_INTERP
const INTERPRETER: usize = 3;
