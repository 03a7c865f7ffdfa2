//! The fuzzers' functions, a little, with every test run.

#[path = "../../fuzz/src/rpc.rs"]
#[allow(unreachable_pub, missing_docs)]
mod rpc;

use proptest::prelude::*;

proptest! {
    #[test]
    fn nis_rpc(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        rpc::rpc(&bytes);
    }

    #[test]
    fn nis_yp(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        rpc::yp(&bytes);
    }
}
