//! The modules of one kernel: those that are wanted, with all that they need.
//!
//! What a module needs it says itself, so that no `depmod` has to have run over the tree: the tables that the agent reads are made here.

use super::modinfo::{self, ModInfo, canonical};
use super::unpack;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// The modules below `/lib/modules/VERSION`.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    /// The files by the names of their modules, relative to the root.
    files: BTreeMap<String, PathBuf>,
    built_in: BTreeSet<String>,
    /// What algorithms are asked for by, and the modules that have them.
    algorithms: OnceCell<BTreeMap<String, String>>,
}

/// A module that goes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Its file, relative to the root, without what it is compressed with: `kernel/drivers/net/virtio_net.ko`.
    pub(super) file: String,
    /// The file's content, not compressed.
    pub(super) content: Vec<u8>,
    /// What it says of itself.
    pub(super) info: ModInfo,
}

/// Modules by their names: each is there with all that it needs.
pub(super) type Picked = BTreeMap<String, Module>;

impl Tree {
    /// Looks what there is.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        find(root, Path::new(""), &mut files)?;
        if files.is_empty() {
            return Err(format!("{}: there are no kernel modules", root.display()));
        }
        let built_in = fs::read_to_string(root.join("modules.builtin")).unwrap_or_default();
        let built_in = built_in.lines().filter_map(|line| module_name(Path::new(line))).collect();
        Ok(Self { root: root.to_owned(), files, built_in, algorithms: OnceCell::new() })
    }

    /// Whether the kernel has this module, as a file or in itself.
    pub(super) fn has(&self, name: &str) -> bool {
        let name = canonical(name);
        self.files.contains_key(&name) || self.built_in.contains(&name)
    }

    /// Those of these names that are files, and all that they need.
    pub(super) fn pick(&self, wanted: &[String]) -> Result<Picked, String> {
        let mut picked = Picked::new();
        let mut open: Vec<String> = wanted.iter().map(|name| canonical(name)).collect();
        while let Some(name) = open.pop() {
            if picked.contains_key(&name) {
                continue;
            }
            let Some(file) = self.files.get(&name) else { continue };
            let module = self.read_module(file)?;
            open.extend(module.info.depends.iter().cloned());
            for wish in &module.info.soft_depends {
                open.push(if self.has(wish) { canonical(wish) } else { self.algorithm(wish)? });
            }
            picked.insert(name, module);
        }
        Ok(picked)
    }

    /// The module of an algorithm as `crc32c`; the name itself if there is none.
    fn algorithm(&self, alias: &str) -> Result<String, String> {
        if self.algorithms.get().is_none() {
            let mut table = BTreeMap::new();
            for (name, file) in &self.files {
                let is_one = file.components().any(|part| part.as_os_str() == "crypto");
                // What drives a device is no algorithm that everyone has.
                if is_one && !file.starts_with("kernel/drivers") {
                    for alias in self.read_module(file)?.info.aliases {
                        table.entry(alias).or_insert_with(|| name.clone());
                    }
                }
            }
            let _ = self.algorithms.set(table);
        }
        let known = self.algorithms.get().and_then(|table| table.get(alias));
        Ok(known.cloned().unwrap_or_else(|| canonical(alias)))
    }

    fn read_module(&self, file: &Path) -> Result<Module, String> {
        let path = self.root.join(file);
        let content = unpack::read(&path)?;
        let info = modinfo::read(&content).map_err(|why| format!("{}: {why}", path.display()))?;
        let shown = file.to_string_lossy();
        let end = shown.rfind(".ko").map_or(shown.len(), |at| at + ".ko".len());
        Ok(Module { file: shown[..end].to_owned(), content, info })
    }
}

/// The text of `modules.dep`: of each file all that it needs, of which the last has to be loaded first.
pub(super) fn dependencies(picked: &Picked) -> String {
    let mut text = String::new();
    for (name, module) in picked {
        let mut order = Vec::new();
        load_order(picked, name, &mut BTreeSet::new(), &mut order);
        // The last is the module itself.
        order.pop();
        let needs: Vec<&str> = order.iter().rev().map(|module| module.file.as_str()).collect();
        text += &format!("{}:{}{}\n", module.file, if needs.is_empty() { "" } else { " " }, needs.join(" "));
    }
    text
}

/// Depth first. What was seen once is not seen again, so that even modules that claim to need each other come to an end.
fn load_order<'a>(
    picked: &'a Picked,
    name: &'a str,
    seen: &mut BTreeSet<&'a str>,
    order: &mut Vec<&'a Module>,
) {
    let Some(module) = picked.get(name).filter(|_| seen.insert(name)) else { return };
    for need in &module.info.depends {
        load_order(picked, need, seen, order);
    }
    order.push(module);
}

/// The text of `modules.alias`.
pub(super) fn aliases(picked: &Picked) -> String {
    let lines = picked.iter().flat_map(|(name, module)| {
        module.info.aliases.iter().map(move |alias| format!("alias {alias} {name}\n"))
    });
    lines.collect()
}

/// The module of a file: `virtio_net` of `kernel/drivers/net/virtio_net.ko.xz`.
fn module_name(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let (name, ending) = name.split_once(".ko")?;
    ["", ".gz", ".xz", ".zst"].contains(&ending).then(|| canonical(name))
}

fn find(root: &Path, below: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<(), String> {
    let directory = root.join(below);
    let trouble = |error| format!("{}: {error}", directory.display());
    let mut entries: Vec<_> =
        fs::read_dir(&directory).map_err(trouble)?.collect::<Result<_, _>>().map_err(trouble)?;
    // Of two modules of one name the same one counts always; `updates` comes last, and is meant to replace.
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let file = below.join(entry.file_name());
        // Links lead to the kernel's sources.
        if entry.file_type().map_err(trouble)?.is_dir() {
            find(root, &file, files)?;
        } else if let Some(name) = module_name(&file) {
            files.insert(name, file);
        }
    }
    Ok(())
}
