use super::*;

fn options(all: &[(u8, &[u8])]) -> Options {
    let mut options = Options::default();
    for (code, value) in all {
        options.set(*code, value);
    }
    options
}

fn table(values: &[(OptionPath, Option<&[u8]>)], forced: &[u8]) -> OptionTable {
    let values = values.iter().map(|(path, value)| (*path, value.map(<[u8]>::to_vec))).collect();
    OptionTable { values, forced: forced.iter().copied().collect() }
}

use OptionPath::{Part, Vendor, Whole};

#[test]
fn later_tables_go_before_earlier_ones() {
    let parameters = [(3, &[1][..]), (6, &[2])];
    let needed = [(175, &[176, 1, 1][..])];
    for (what, tables, in_need, parameters_after) in [
        ("nothing", vec![], &needed[..], &parameters[..]),
        (
            "one that is new",
            vec![table(&[(Whole(42), Some(&[7]))], &[])],
            &needed,
            &[(3, &[1]), (6, &[2]), (42, &[7])],
        ),
        ("one in its place", vec![table(&[(Whole(3), Some(&[7]))], &[])], &needed, &[(3, &[7]), (6, &[2])]),
        ("one taken out", vec![table(&[(Whole(3), None)], &[])], &needed, &[(6, &[2])]),
        (
            "taken out, and set again",
            vec![table(&[(Whole(3), None)], &[]), table(&[(Whole(3), Some(&[8]))], &[])],
            &needed,
            &[(6, &[2]), (3, &[8])],
        ),
        (
            "beside the server's own",
            vec![table(&[(Part(175, 177), Some(&[5]))], &[])],
            &[(175, &[176, 1, 1, 177, 1, 5])],
            &parameters,
        ),
        (
            "instead of the server's own",
            vec![table(&[(Whole(175), Some(&[9]))], &[])],
            &[(175, &[9])],
            &parameters,
        ),
        ("not even the server's own", vec![table(&[(Part(175, 176), None)], &[])], &[], &parameters),
        (
            "parts of two tables",
            vec![
                table(&[(Part(43, 1), Some(&[5])), (Part(43, 2), Some(&[6]))], &[]),
                table(&[(Part(43, 1), None), (Vendor(9, 1), Some(&[7]))], &[]),
            ],
            &needed,
            &[(3, &[1]), (6, &[2]), (43, &[2, 1, 6]), (125, &[0, 0, 0, 9, 3, 1, 1, 7])],
        ),
        (
            "the boot file's name is looked for elsewhere",
            vec![table(&[(Whole(67), Some(b"x"))], &[])],
            &needed,
            &parameters,
        ),
    ] {
        let (mut needed, mut parameters) = (options(&needed), options(&parameters));
        for table in &tables {
            apply(table, |_| true, &mut needed, &mut parameters);
        }
        assert_eq!((needed, parameters), (options(in_need), options(parameters_after)), "{what}");
    }
}

#[test]
fn what_is_asked_for_comes_in_the_order_of_the_client() {
    let parameters = options(&[(1, &[1]), (28, &[2]), (3, &[3]), (6, &[4]), (15, &[5]), (42, &[6])]);
    let forced = table(&[], &[42, 99]);
    for (what, asked, tables, expected) in [
        ("no list: all", None, vec![], &[53, 54, 1, 28, 3, 6, 15, 42][..]),
        ("an empty list says nothing", Some(&[][..]), vec![], &[53, 54, 1, 28, 3, 6, 15, 42]),
        ("its order", Some(&[15, 6, 1, 28]), vec![], &[53, 54, 15, 6, 1, 28]),
        ("the mask before the router (RFC 2132 3.3)", Some(&[6, 3, 28, 1]), vec![], &[53, 54, 6, 1, 3, 28]),
        ("the router without the mask", Some(&[6, 3]), vec![], &[53, 54, 6, 3]),
        ("twice, and what there is not", Some(&[6, 6, 54, 200, 3]), vec![], &[53, 54, 6, 3]),
        ("forced, before what might be dropped", Some(&[6, 3]), vec![&forced], &[53, 54, 42, 6, 3]),
        ("forced and asked for", Some(&[6, 42]), vec![&forced], &[53, 54, 6, 42]),
    ] {
        let mut chosen = options(&[(53, &[2]), (54, &[10, 0, 0, 1])]);
        select(&mut chosen, &parameters, asked, &tables);
        assert_eq!(chosen.iter().map(|(code, _)| code).collect::<Vec<_>>(), expected, "{what}");
    }
}

/// Beside another server: PXE's (RFC 4578 and before), what servers of files are called, iPXE's and PXELINUX's (RFC 5071), and nothing that is the other server's to say.
#[test]
fn what_is_for_booting() {
    for (codes, is_told) in [
        (&[43, 60, 66, 125, 128, 135, 150, 175, 208, 209, 210, 211][..], true),
        (&[1, 3, 6, 12, 15, 42, 51, 54, 67, 119, 121, 127, 136, 207, 212], false),
    ] {
        assert!(codes.iter().all(|code| is_for_boot(*code) == is_told), "{codes:?}");
    }
}

/// RFC 3442: who knows classless routes leaves the router alone. Who asks for them and does not know them (a client whose script was left out) has the router alone: both are told.
#[test]
fn classless_routes_stand_beside_the_router() {
    let parameters = options(&[(1, &[1]), (3, &[3]), (33, &[4]), (121, &[0, 10, 0, 0, 1])]);
    for (asked, expected) in [
        (Some(&[121, 3, 33, 1][..]), &[53, 121, 1, 3, 33][..]),
        (Some(&[1, 3]), &[53, 1, 3]),
        (None, &[53, 1, 3, 33, 121]),
    ] {
        let mut chosen = options(&[(53, &[2])]);
        select(&mut chosen, &parameters, asked, &[]);
        assert_eq!(chosen.iter().map(|(code, _)| code).collect::<Vec<_>>(), expected, "{asked:?}");
    }
}
