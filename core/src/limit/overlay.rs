//! Overlays: the files of one node.

/// Overlays and secrets of one profile: one for each thing that nodes are told, as of a package.
pub const OVERLAYS_PER_PROFILE_MAX: usize = 32;

/// Octets of an overlay's name: a word.
pub const OVERLAY_NAME_OCTETS_MAX: usize = 64;

/// Octets of one file of an overlay: what is larger belongs into the root, which is cached and not made anew for each node.
pub const OVERLAY_FILE_OCTETS_MAX: usize = 4 << 20;

/// Octets of all files that a node gets at once: they are in its memory, and in ours.
pub const OVERLAY_OCTETS_MAX: usize = 16 << 20;

/// Files and directories that a node gets at once.
pub const OVERLAY_ENTRIES_MAX: usize = 4096;

/// Octets of the path of such a file: half of what Linux takes, for what is before it on the node.
pub const OVERLAY_PATH_OCTETS_MAX: usize = 2048;

/// Octets of a template of an overlay.
pub const OVERLAY_TEMPLATE_OCTETS_MAX: usize = 256 << 10;

/// Steps of one rendering of such a template: a loop over ten thousand nodes, each with some names. It takes a tenth of a second, and nobody waits but its node.
pub const OVERLAY_TEMPLATE_STEPS_MAX: u64 = 2_000_000;

/// Octets of all archives of overlays that are being sent at a time: some hundred kilobytes for each of a thousand nodes that boot at once. Whoever finds no
/// room comes again.
pub const OVERLAY_ARCHIVES_OCTETS_MAX: u64 = 256 << 20;

const _: () = assert!(OVERLAY_OCTETS_MAX as u64 * 4 < OVERLAY_ARCHIVES_OCTETS_MAX);
