//! Boots and trials: when one begins and ends, and the files that are made for a machine.

use std::time::Duration;

/// A DISCOVER from firmware this long after the same firmware's last begins another boot; EDK2 repeats for 60 s.
pub const BOOT_BEGINS_AFTER: Duration = Duration::from_secs(60);

/// A system that asked for its address and is not started anew within this time runs, though nobody says so.
pub const SYSTEM_LIVES_AFTER: Duration = Duration::from_secs(300);

/// A machine that has stood at one stage for this long goes in no circle: there a boot ends within minutes, also where an agent tries ten for its root.
pub const CIRCLE_BOOT_MAX: Duration = Duration::from_secs(3600);

/// How late a DISCOVER may come twice, by two relays or from a queue: no machine loads a kernel and is started anew within that.
pub const DISCOVER_LATE_MAX: Duration = Duration::from_secs(5);

/// A trial's report: facts of a machine with hundreds of interfaces.
pub const POST_OCTETS_MAX: usize = 64 * 1024;

/// Octets of a kernel's command line with all that is in it: what x86 and arm64 take (COMMAND_LINE_SIZE less the final zero). They cut off what is beyond, and do not say so.
pub const WHOLE_COMMAND_LINE_OCTETS_MAX: usize = 2047;

/// Octets of an operator's command line, as template and as rendered: so that there is room for what we and loaders add.
pub const COMMAND_LINE_OCTETS_MAX: usize = WHOLE_COMMAND_LINE_OCTETS_MAX - 256;

/// Steps of one rendering: a command line needs some tens, and a loop in a template must end.
pub const TEMPLATE_STEPS_MAX: u64 = 10_000;

/// Octets of a boot file's name: the field `file` of a DHCP packet has 128, with the zero that ends it (RFC 2131 2).
pub const BOOT_FILE_OCTETS_MAX: usize = 127;

/// Letters of what an agent says kept it from going on: two or three lines of a console, and there is one for each node.
pub const REASON_LETTERS_MAX: usize = 400;

/// Octets of the template of a loader's file: menus of many entries, with their pictures' names.
pub const FILE_TEMPLATE_OCTETS_MAX: usize = 64 << 10;

/// Octets of a file that is made for a loader: what GRUB and PXELINUX read at once, and what is held for each machine that loads it just now.
pub const MADE_FILE_OCTETS_MAX: usize = 64 << 10;

/// Steps of one rendering of a loader's file: some ten for each line, and a loop in a template must end before anybody waits for it (5 ms).
pub const FILE_TEMPLATE_STEPS_MAX: u64 = 50_000;

/// Letters of what a check found, and of what a machine lacks: a line of a console, which a check's last line is cut to.
pub const CHECK_LETTERS_MAX: usize = 200;

/// Letters of the last words of a system that ended: the message of a panic and the calls that led to it.
pub const LAST_WORDS_LETTERS_MAX: usize = 1500;
