//! Kernel modules in the order in which they can be loaded, from what each says it depends on.

use crate::command;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// One module, ready to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its file's name, without what it is compressed with: `virtio_net.ko`.
    pub file: String,
    /// The file's content, not compressed.
    pub content: Vec<u8>,
}

/// The modules called `wanted` and all that they need, below `root` (such as `/lib/modules/VERSION`), each after what it needs.
///
/// A name that has no file is taken for built in: kernels differ there.
///
/// # Errors
/// In words, if a file cannot be read.
pub fn load_order(root: &Path, wanted: &[&str]) -> Result<Vec<Module>, String> {
    let mut files = BTreeMap::new();
    find(root, &mut files)?;
    let read = |name: &str| files.get(name).map(|path| read_module(path)).transpose();
    order(wanted, read)
}

/// Depth first; `read` gives a module's file, or nothing for one that is built in.
fn order(
    wanted: &[&str],
    read: impl Fn(&str) -> Result<Option<Vec<u8>>, String>,
) -> Result<Vec<Module>, String> {
    let mut ordered: Vec<Module> = Vec::new();
    // A name is visited twice: first to put what it needs before it, then itself. What was opened once is not opened again, so that
    // even modules that claim to need each other come to an end.
    let mut opened: Vec<String> = Vec::new();
    let mut stack: Vec<(String, Option<Vec<u8>>)> =
        wanted.iter().rev().map(|name| (canonical(name), None)).collect();
    while let Some((name, content)) = stack.pop() {
        if let Some(content) = content {
            ordered.push(Module { file: format!("{name}.ko"), content });
            continue;
        }
        if opened.contains(&name) {
            continue;
        }
        opened.push(name.clone());
        let Some(content) = read(&name)? else { continue };
        let needs = depends(&content);
        stack.push((name, Some(content)));
        stack.extend(needs.into_iter().rev().map(|need| (need, None)));
    }
    Ok(ordered)
}

/// What the module's `.modinfo` section says in `depends=a,b`. The strings there stand between NULs.
fn depends(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|bytes| bytes == KEY) else { return Vec::new() };
    let value = module[at + KEY.len()..].split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(value).split(',').filter(|name| !name.is_empty()).map(canonical).collect()
}

/// Module names do not tell `-` from `_`.
fn canonical(name: &str) -> String {
    name.replace('-', "_")
}

fn find(directory: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<(), String> {
    let trouble = |error| format!("{}: {error}", directory.display());
    for entry in fs::read_dir(directory).map_err(trouble)? {
        let path = entry.map_err(trouble)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() && !path.is_symlink() {
            find(&path, files)?;
        } else if let Some((name, ending)) = name.split_once(".ko")
            && ["", ".xz", ".zst"].contains(&ending)
        {
            files.insert(canonical(name), path);
        }
    }
    Ok(())
}

fn read_module(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.to_string_lossy();
    let unpack = match path.extension().and_then(|ending| ending.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        _ => return fs::read(path).map_err(|error| format!("{shown}: {error}")),
    };
    let plain = std::env::temp_dir().join(format!("heorot-lab-{}.ko", std::process::id()));
    command::ask(
        "/bin/sh",
        &["-c", "exec $0 -dc \"$1\" > \"$2\"", unpack, &shown, &plain.to_string_lossy()],
    )?;
    let content = fs::read(&plain).map_err(|error| format!("{}: {error}", plain.display()));
    let _ = fs::remove_file(&plain);
    content
}
