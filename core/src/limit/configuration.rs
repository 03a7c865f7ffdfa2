//! The tables of the configuration.

use super::boot::COMMAND_LINE_OCTETS_MAX;
use super::cluster::NODES_MAX;

/// Octets of a configuration file: every `[[node]]` with sixteen hardware addresses and every `[[host]]` with name and address fit, which are 9 MB, and comments beside.
pub const CONFIGURATION_OCTETS_MAX: usize = 16 << 20;

/// A socket's path: `sun_path` has 108 octets, of which the last is 0 (unix(7)).
pub const SOCKET_PATH_OCTETS_MAX: usize = 107;

/// `[[network]]`s: every pair of them is compared.
pub const NETWORKS_MAX: usize = 256;

/// Different `suffix`es of all networks: interfaces of one node. Names given by hand are compared with each of them.
pub const SUFFIXES_MAX: usize = 16;

/// `[profile.NAME]`s.
pub const PROFILES_MAX: usize = 1024;

/// `[[pxe.service]]`s: menus of some lines for some architectures.
pub const PXE_SERVICES_MAX: usize = 64;

/// Characters of a text that firmware shows: a line of a screen in text mode.
pub const PXE_TEXT_OCTETS_MAX: usize = 80;

/// `pxe.vendor-classes`: each DISCOVER is compared with all of them.
pub const PXE_VENDOR_CLASSES_MAX: usize = 16;

/// `[[trial.check]]`s: all of them go into one answer to the agent.
pub const CHECKS_MAX: usize = 64;

/// Hardware addresses of one `[[node]]`.
pub const MACS_PER_NODE_MAX: usize = 16;

/// `[[host]]`s: management boards, switches and power strips of all nodes.
pub const HOSTS_MAX: usize = 2 * NODES_MAX;

/// `[[class]]`es: every packet is compared with each of them.
pub const CLASSES_MAX: usize = 256;

/// Values of one key of a class, of which any is right: every packet is compared with each of them.
pub const CLASS_ALTERNATIVES_MAX: usize = 256;

/// Options in one table: all that there are have numbers of one octet, and some hold others.
pub const OPTIONS_PER_TABLE_MAX: usize = 512;

/// `[groups]`: a rack, a switch, a queue each, and everything that they are of.
pub const GROUPS_MAX: usize = 1024;

/// Octets of the name of a group: it becomes a netgroup and a word of node sets.
pub const GROUP_NAME_OCTETS_MAX: usize = 64;

/// Groups in groups in groups: each takes some of the stack.
pub const GROUP_DEPTH_MAX: usize = 16;

/// Attributes of one profile, `[[node]]` or node: words for templates and scripts.
pub const ATTRIBUTES_MAX: usize = 64;

/// Octets of an attribute's name and of its value: a word, and what has room on a command line.
pub const ATTRIBUTE_NAME_OCTETS_MAX: usize = 64;
/// See [`ATTRIBUTE_NAME_OCTETS_MAX`].
pub const ATTRIBUTE_VALUE_OCTETS_MAX: usize = 256;

/// Profiles that inherit from profiles: more than anybody follows with a finger.
pub const PROFILE_DEPTH_MAX: usize = 16;

const _: () = assert!(ATTRIBUTE_VALUE_OCTETS_MAX < COMMAND_LINE_OCTETS_MAX);
