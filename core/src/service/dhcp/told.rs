//! Which options go into an answer, and in which order.

use crate::config::{OptionPath, OptionTable};
use crate::wire::dhcp::{Options, encapsulated, option};
use std::net::Ipv4Addr;

/// Lets a table say what it says of some options: `needed` are those that go out in any case, `parameters` those that are asked for.
///
/// What is needed stays so, with another value.
pub(super) fn apply(
    table: &OptionTable,
    is_spoken_of: impl Fn(&OptionPath) -> bool,
    needed: &mut Options,
    parameters: &mut Options,
) {
    for (path, value) in table.values.iter().filter(|(path, _)| is_spoken_of(path)) {
        let code = path.code();
        // The boot file's name has a place of its own.
        if code == option::BOOT_FILE {
            continue;
        }
        let options = if needed.contains(code) { &mut *needed } else { &mut *parameters };
        let before = options.get(code).unwrap_or_default();
        let value = value.as_deref();
        let after = match path {
            OptionPath::Whole(_) => value.map(<[u8]>::to_vec),
            OptionPath::Part(_, part) => Some(encapsulated::with_part(before, *part, value)),
            OptionPath::Vendor(enterprise, part) => {
                Some(encapsulated::with_vendor_part(before, *enterprise, *part, value))
            }
        };
        match after.filter(|octets| !octets.is_empty()) {
            Some(octets) => options.set(code, octets),
            None => options.remove(code),
        }
    }
}

/// Whether an option is for who boots, and so may stand beside another server's answer: what is the maker's (43, 60 and 125) and PXE's (128 to 135,
/// RFC 4578), TFTP servers (66 and 150), what is iPXE's (175) and PXELINUX's (208 to 211, RFC 5071).
pub(super) fn is_for_boot(code: u8) -> bool {
    matches!(code, 43 | 60 | 66 | 125 | 128..=135 | 150 | 175 | 208..=211)
}

/// The server of boot files that the operator names instead of us: most ROMs ask nobody for option 66, and load from the address in `siaddr` (RFC 2131 2).
pub(super) fn next_server(tables: &[&OptionTable]) -> Option<Ipv4Addr> {
    server_name(tables)?.parse().ok()
}

/// The same as it is named.
pub(super) fn server_name(tables: &[&OptionTable]) -> Option<String> {
    const SERVER: OptionPath = OptionPath::Whole(option::TFTP_SERVER);
    let name = tables.iter().rev().find_map(|table| table.values.get(&SERVER))?;
    String::from_utf8(name.clone()?).ok().filter(|name| !name.is_empty())
}

/// Adds the parameters that a client gets to what it needs: those that are forced, then those that it asked for, in its order (RFC 2132 9.8). All of
/// them, if it asked for nothing in particular.
///
/// RFC 3442: who asks for classless routes and for the router "MUST ignore the Router option" if it is told some, and the server "SHOULD NOT" say it. It is said all the same: a client that asks for
/// routes and lost the script that would set them (ISC dhclient without its hook) has its gateway by that alone, and to others it is six octets. `check` tells of routes that lack a default.
///
/// So what is dropped for want of room is what is forced by nobody and stands last in the client's list.
pub(super) fn select(
    options: &mut Options,
    parameters: &Options,
    asked: Option<&[u8]>,
    tables: &[&OptionTable],
) {
    let asked = asked.filter(|asked| !asked.is_empty());
    // Most of what firmware asks for is nothing that anybody says: three dozen codes are not to be looked for among two dozen.
    let mut is_said = [false; 256];
    parameters.iter().for_each(|(code, _)| is_said[usize::from(code)] = true);
    let mut is_asked = [asked.is_none(); 256];
    asked.unwrap_or_default().iter().for_each(|code| is_asked[usize::from(*code)] = true);
    let is_asked = |code: u8| is_asked[usize::from(code)];
    let is_forced = |code: u8| tables.iter().any(|table| table.forced.contains(&code));
    let forced = parameters
        .iter()
        .map(|(code, _)| code)
        .filter(|code| is_forced(*code) && (asked.is_none() || !is_asked(*code)));
    let in_our_order = parameters.iter().map(|(code, _)| code).filter(|_| asked.is_none());
    let in_its_order = asked.unwrap_or_default().iter().copied().filter(|code| is_said[usize::from(*code)]);
    for code in forced.chain(in_our_order).chain(in_its_order) {
        // "If both the subnet mask and the router option are specified in a DHCP reply, the subnet mask option MUST be first" (RFC 2132 3.3).
        let mask = Some(option::SUBNET_MASK).filter(|mask| code == option::ROUTER && is_asked(*mask));
        for code in mask.into_iter().chain([code]) {
            if let Some(value) = parameters.get(code).filter(|_| !options.contains(code)) {
                options.set(code, value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
