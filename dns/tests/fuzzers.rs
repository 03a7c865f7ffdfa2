//! The fuzzer's function, with every test run: all inputs that it found to reach something new, and a few by chance.

#[path = "../../fuzz/src/corpus.rs"]
#[allow(unreachable_pub, missing_docs)]
mod corpus;
#[path = "../../fuzz/src/forwarder.rs"]
#[allow(unreachable_pub, missing_docs)]
mod forwarder;
#[path = "../../fuzz/src/resolver.rs"]
#[allow(unreachable_pub, missing_docs)]
mod resolver;

use proptest::prelude::*;

#[test]
fn kept() {
    let packed = include_bytes!("../../fuzz/corpora/resolver_handle");
    let inputs = corpus::inputs(packed).map(resolver::resolver_handle).count();
    assert!(inputs > 0, "the corpus is empty");
    let packed = include_bytes!("../../fuzz/corpora/forwarder_handle");
    let inputs = corpus::inputs(packed).map(forwarder::forwarder_handle).count();
    assert!(inputs > 0, "the corpus is empty");
}

proptest! {
    #[test]
    fn resolver_handle(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        resolver::resolver_handle(&bytes);
    }

    #[test]
    fn forwarder_handle(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        forwarder::forwarder_handle(&bytes);
    }
}
