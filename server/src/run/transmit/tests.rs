use super::*;
use heorot_core::transfer::ImageId;

#[test]
fn the_octets_of_a_block() {
    let train = |block_octets, size| Block { image: ImageId(1), first: 1, count: 1, block_octets, size };
    for (block_octets, size, block, expected) in [
        (512, 1000, 1, 0..512),
        (512, 1000, 2, 512..1000),
        (512, 1024, 3, 1024..1024),
        (512, 0, 1, 0..0),
        (1428, 5_000_000_000, 3_000_000, 4_283_998_572..4_284_000_000),
        (512, 1000, 9, 1000..1000),
    ] {
        assert_eq!(range(&train(block_octets, size), block), expected, "block {block} of {size}");
    }
}

#[test]
fn only_what_never_can_be_is_impossible() {
    for (code, expected) in
        [(libc::EAGAIN, Unsent::Full), (libc::ENOBUFS, Unsent::Full), (libc::EMSGSIZE, Unsent::Impossible)]
    {
        assert_eq!(unsent(&io::Error::from_raw_os_error(code)), expected, "{code}");
    }
}

/// As a cable would: the transfer's own timers repeat it, and not two hundred times a second.
#[test]
fn what_a_firewall_or_a_route_swallows_is_lost() {
    for (code, expected) in [
        (libc::EPERM, true),
        (libc::EACCES, true),
        (libc::ENETUNREACH, true),
        (libc::ENOBUFS, false),
        (libc::EMSGSIZE, false),
    ] {
        assert_eq!(is_lost(&io::Error::from_raw_os_error(code)), expected, "{code}");
    }
}
