use super::*;

#[test]
fn options_in_options_are_read() {
    for (octets, expected) in [
        (&[][..], Some(vec![])),
        (&[176, 1, 1], Some(vec![(176, &[1][..])])),
        (&[6, 1, 8, 0, 10, 2, 0, b'x', 255, 9, 9], Some(vec![(6, &[8][..]), (10, &[0, b'x'])])),
        (&[1, 0, 2, 0], Some(vec![(1, &[][..]), (2, &[])])),
        (&[6], None),
        (&[6, 2, 8], None),
    ] {
        assert_eq!(parts(octets), expected, "{octets:?}");
    }
}

#[test]
fn one_is_set_and_the_others_stay() {
    for (before, code, value, after) in [
        (&[][..], 176, Some(&[1][..]), &[176, 1, 1][..]),
        (&[176, 1, 1], 177, Some(&[2, 3]), &[176, 1, 1, 177, 2, 2, 3]),
        (&[176, 1, 1, 177, 1, 2], 176, Some(&[]), &[176, 0, 177, 1, 2]),
        (&[176, 1, 1, 177, 1, 2], 176, None, &[177, 1, 2]),
        (&[176, 1, 1], 176, None, &[]),
        (&[6, 1, 8, 255], 10, Some(&[0]), &[6, 1, 8, 10, 1, 0, 255]),
        (&[6, 1, 8, 6, 1, 9], 6, Some(&[7]), &[6, 1, 7]),
        // A text is no list of options: it gives way.
        (b"Raspberry", 6, Some(&[7]), &[6, 1, 7]),
    ] {
        assert_eq!(with_part(before, code, value), after, "{before:?} {code}");
    }
}

/// RFC 3925 4.
#[test]
fn each_enterprise_has_its_own() {
    let one = with_vendor_part(&[], 10, 1, Some(b"a"));
    assert_eq!(one, [0, 0, 0, 10, 3, 1, 1, b'a']);
    let two = with_vendor_part(&one, 4491, 2, Some(b"bc"));
    assert_eq!(two, [0, 0, 0, 10, 3, 1, 1, b'a', 0, 0, 17, 139, 4, 2, 2, b'b', b'c']);
    assert_eq!(with_vendor_part(&two, 4491, 2, None), one, "without options, no enterprise");
    assert_eq!(with_vendor_part(&one, 10, 3, Some(&[9])), [0, 0, 0, 10, 6, 1, 1, b'a', 3, 1, 9]);
    assert_eq!(with_vendor_part(&[1, 2], 10, 1, Some(b"a")), one, "what is broken gives way");
}

#[test]
fn what_is_longer_than_its_length_can_say_stands_in_two_portions() {
    let one = with_vendor_part(&[], 10, 1, Some(&[7; 255][..253]));
    let two = with_vendor_part(&one, 10, 2, Some(b"b"));
    assert_eq!((one.len(), two.len()), (260, 260 + 8));
    assert_eq!(vendors(&two).unwrap(), [(10, [&[1, 253][..], &[7; 253], &[2, 1, b'b']].concat())]);
    assert_eq!(with_vendor_part(&two, 10, 2, None), one);
}
