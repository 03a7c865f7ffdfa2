use super::*;

#[test]
fn what_makers_write_who_write_nothing_is_nobodys() {
    for text in ["7XK2", "4c4c4544-0037-5810-804b-b7c04f584b32", "S1234567", "20230117", "R-0000012"] {
        assert!(tells(text), "{text}");
    }
    for text in [
        "",
        " ",
        "-",
        "0",
        "0000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "0123456789",
        "123456789",
        "03000200-0400-0500-0006-000700080009",
        "To be filled by O.E.M.",
        "Default string",
        "Not Specified",
        "None",
        "System Serial Number",
    ] {
        assert!(!tells(text), "{text}");
    }
}
