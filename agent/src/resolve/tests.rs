use super::*;

#[test]
fn an_address_is_one_itself() {
    assert_eq!(address("10.77.0.1", &[], None), Ok(Ipv4Addr::new(10, 77, 0, 1)));
    assert!(address("storage", &[], None).is_err_and(|why| why.contains("names no server")));
}

#[test]
fn the_first_address_counts_also_behind_another_name() {
    let question = question("storage.cluster", 7).expect("a question");
    assert_eq!(&question[12..], b"\x07storage\x07cluster\0\0\x01\0\x01");
    let mut answer = question.clone();
    (answer[2], answer[7]) = (0x84, 2);
    // storage is an alias of a name that is told as "a", and that has an address.
    answer.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x03\x01a\0");
    answer.extend(b"\x01a\0\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\x4d\0\x09");
    assert_eq!(answered(&answer, &question), Some(Ipv4Addr::new(10, 77, 0, 9)));

    for length in 0..answer.len() {
        assert_eq!(answered(&answer[..length], &question), None, "cut after {length}");
    }
    let mut other = answer.clone();
    other[0] = 1;
    assert_eq!(answered(&other, &question), None, "another question's id");
    let mut not_an_answer = answer;
    not_an_answer[2] = 0;
    assert_eq!(answered(&not_an_answer, &question), None, "a question");
}

#[test]
fn what_is_no_name_is_not_asked_for() {
    for name in ["", "a..b", &"x".repeat(64)] {
        assert_eq!(question(name, 0), None, "{name}");
    }
}
