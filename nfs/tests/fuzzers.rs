//! The fuzzer's function, with every test run: all inputs that it found to reach something new, and a few by chance.

#[path = "../../fuzz/src/corpus.rs"]
#[allow(unreachable_pub, missing_docs)]
mod corpus;
#[path = "../../fuzz/src/nfs.rs"]
#[allow(unreachable_pub, missing_docs)]
mod nfs;

use proptest::prelude::*;

#[test]
fn kept() {
    let inputs = corpus::inputs(include_bytes!("../../fuzz/corpora/nfs_rpc")).map(nfs::rpc).count();
    assert!(inputs > 0, "the corpus is empty");
}

proptest! {
    #[test]
    fn nfs_rpc(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        nfs::rpc(&bytes);
    }
}
