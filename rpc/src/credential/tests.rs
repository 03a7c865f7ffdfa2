use super::*;

fn body(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

#[test]
fn a_user_is_read_or_nobody() {
    let name = [5, u32::from_be_bytes(*b"node"), u32::from_be_bytes(*b"1\0\0\0")];
    let whole = |rest: &[u32]| body(&[&[9], &name[..], rest].concat());
    let sixteen: Vec<u32> = (1..=16).collect();
    let seventeen: Vec<u32> = (1..=17).collect();
    let table: [(&str, Vec<u8>, Option<User>); 7] = [
        ("root", whole(&[0, 0, 0]), Some(User::new(0, 0, &[]))),
        ("with groups", whole(&[1000, 100, 2, 4, 24]), Some(User::new(1000, 100, &[4, 24]))),
        ("with sixteen", whole(&[&[1, 2, 16], &sixteen[..]].concat()), Some(User::new(1, 2, &sixteen))),
        ("with seventeen", whole(&[&[1, 2, 17], &seventeen[..]].concat()), None),
        ("fewer than it says", whole(&[1, 2, 2, 3]), None),
        ("a host's name that runs over", body(&[9, 255, 0, 0, 0]), None),
        ("nothing", Vec::new(), None),
    ];
    for (what, octets, expected) in table {
        assert_eq!(Credential::new(1, &octets).unwrap().user(), expected, "{what}");
    }
    assert_eq!(Credential::new(0, &whole(&[0, 0, 0])).unwrap().user(), None, "AUTH_NONE is nobody");
    assert_eq!(Credential::new(6, &[]), None, "RPCSEC_GSS");
}

#[test]
fn groups_are_all_of_them() {
    let user = User::new(1000, 100, &[4, 24]);
    assert_eq!([100, 4, 24, 0, 1000].map(|group| user.is_in(group)), [true, true, true, false, false]);
    assert!(!User::NOBODY.is_in(0));
}
