//! The fuzzers' functions, with every test run: all inputs that a fuzzer found to reach something new, and a few by chance.

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, missing_docs)]
mod fuzz;

use proptest::prelude::*;

macro_rules! corpora {
    ($($target:ident),*) => {
        mod kept {
            $(#[test]
            fn $target() {
                let packed = include_bytes!(concat!("../../fuzz/corpora/", stringify!($target)));
                let inputs = super::fuzz::corpus::inputs(packed).map(super::fuzz::$target).count();
                assert!(inputs > 0, "the corpus is empty");
            })*
        }
    };
}

corpora!(dhcp_parse, tftp_parse, transfers_handle, heorot_handle, requests_handle, config_parse, words_parse);

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

    #[test]
    fn requests_handle(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        fuzz::requests_handle(&bytes);
    }

    #[test]
    fn config_parse(text in ".{0,300}") {
        fuzz::config_parse(text.as_bytes());
    }

    #[test]
    fn words_parse(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz::words_parse(&bytes);
    }
}
