//! Ansible's inventory, as a file and as a script's answer. It is JSON, which is also YAML.

use super::Table;
use crate::NodeSet;
use std::fmt::{self, Write};

/// `{"all": {"hosts": {NAME: VARIABLES}, "children": {GROUP: {"hosts": {NAME: {}}}}}}`
pub(super) fn file(table: &Table<'_>, text: &mut String) -> fmt::Result {
    write!(text, "{{\"all\": {{\"hosts\": {{{}\n}}, \"children\": {{", variables(table))?;
    for (place, (group, members)) in groups(table).enumerate() {
        let hosts: Vec<_> = members.iter().map(|number| format!("{}: {{}}", name(table, number))).collect();
        let comma = if place == 0 { "" } else { "," };
        write!(text, "{comma}\n  {group}: {{\"hosts\": {{{}}}}}", hosts.join(", "))?;
    }
    writeln!(text, "\n}}}}}}")
}

/// `{"_meta": {"hostvars": {NAME: VARIABLES}}, "all": {"hosts": [NAME], "children": [GROUP]}, GROUP: {"hosts": [NAME]}}`
pub(super) fn list(table: &Table<'_>, text: &mut String) -> fmt::Result {
    write!(text, "{{\"_meta\": {{\"hostvars\": {{{}\n}}}},", variables(table))?;
    let names = |numbers: &mut dyn Iterator<Item = u32>| {
        numbers.map(|number| name(table, number)).collect::<Vec<_>>().join(", ")
    };
    let children: Vec<_> = groups(table).map(|(group, _)| group).collect();
    let all = names(&mut table.nodes.keys().copied());
    write!(text, "\n\"all\": {{\"hosts\": [{all}], \"children\": [{}]}}", children.join(", "))?;
    for (group, members) in groups(table) {
        write!(text, ",\n{group}: {{\"hosts\": [{}]}}", names(&mut members.iter()))?;
    }
    writeln!(text, "\n}}")
}

fn name(table: &Table<'_>, number: u32) -> String {
    quoted(&table.directory.name(number))
}

fn variables(table: &Table<'_>) -> String {
    let of = |(number, about): (&u32, &super::About)| {
        let mut variables = Vec::new();
        let address = table.directory.networks.iter().find_map(|network| network.address(*number));
        variables.extend(address.map(|address| format!("\"ansible_host\": \"{address}\"")));
        variables.push(format!("\"heorot_number\": {number}"));
        variables.push(format!("\"heorot_profile\": {}", quoted(&about.profile)));
        variables.extend(about.processors.map(|count| format!("\"heorot_processors\": {count}")));
        variables.extend(about.memory_bytes.map(|octets| format!("\"heorot_memory_bytes\": {octets}")));
        format!("\n  {}: {{{}}}", name(table, *number), variables.join(", "))
    };
    table.nodes.iter().map(of).collect::<Vec<_>>().join(",")
}

/// Groups and those of their members that there are. Ansible's names of groups are names of variables.
fn groups<'a>(table: &'a Table<'_>) -> impl Iterator<Item = (String, NodeSet)> + 'a {
    let all: NodeSet = table.nodes.keys().copied().collect();
    table.directory.groups.iter().map(move |(name, members)| {
        let mut name = name.replace(['-', '.'], "_");
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            name.insert(0, '_');
        }
        (quoted(&name), members.intersection(&all))
    })
}

/// A JSON string (RFC 8259 7).
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if u32::from(c) < 0x20 => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
