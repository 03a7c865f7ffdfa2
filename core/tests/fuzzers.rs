//! The fuzzers' functions, a little, with every test run.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, missing_docs)]
mod fuzz;

use proptest::prelude::*;

proptest! {
    #[test]
    fn dhcp_parse(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        fuzz::dhcp_parse(&bytes);
    }

    #[test]
    fn tftp_parse(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        fuzz::tftp_parse(&bytes);
    }

    #[test]
    fn transfers_handle(bytes in prop::collection::vec(any::<u8>(), 0..800)) {
        fuzz::transfers_handle(&bytes);
    }

    #[test]
    fn heorot_handle(bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
        fuzz::heorot_handle(&bytes);
    }
}
