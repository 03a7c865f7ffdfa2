//! The fuzzers' functions of NIS, with every test run: all inputs that they found to reach something new, and a few by chance.

#[path = "../../fuzz/src/corpus.rs"]
#[allow(unreachable_pub, missing_docs)]
mod corpus;
#[path = "../../fuzz/src/rpc.rs"]
#[allow(unreachable_pub, missing_docs)]
mod rpc;

use proptest::prelude::*;

#[test]
fn kept() {
    let inputs = corpus::inputs(include_bytes!("../../fuzz/corpora/nis_rpc")).map(rpc::rpc).count();
    assert!(inputs > 0, "the corpus of RPC is empty");
    let inputs = corpus::inputs(include_bytes!("../../fuzz/corpora/nis_yp")).map(rpc::yp).count();
    assert!(inputs > 0, "the corpus of YP is empty");
}

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
