use super::*;

#[test]
fn tokens_are_compared_whole() {
    assert!(is_equal("0123", "0123"));
    for guess in ["", "0", "012", "01234", "0124"] {
        assert!(!is_equal("0123", guess), "{guess}");
    }
}
