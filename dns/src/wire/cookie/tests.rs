use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn secret(text: &str) -> [u8; 16] {
    hex(text).try_into().unwrap()
}

const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

/// RFC 9018 A.1, A.3 and A.4.
#[test]
fn the_vectors_of_the_standard() {
    let table: &[(&str, &str, u32, &str, &str)] = &[
        ("2464c4abcf10c957", "198.51.100.100", 1_559_731_985, SECRET, "010000005cf79f111f8130c3eee29480"),
        (
            "22681ab97d52c298",
            "2001:db8:220:1:59de:d0f4:8769:82b8",
            1_559_741_961,
            "445536bcd2513298075a5d379663c962",
            "010000005cf7c609a6bb79d16625507a",
        ),
    ];
    for (client, from, time, key, server) in table {
        let cookie = Cookie::parse(&hex(client)).unwrap();
        let answer = cookie.answer(&secret(key), from.parse().unwrap(), *time);
        assert_eq!(answer.to_vec(), hex(&format!("{client}{server}")), "{client}");
    }
    // A.3: what is reserved is part of what is hashed.
    let cookie = Cookie::parse(&hex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")).unwrap();
    assert!(cookie.is_ours(&secret(SECRET), "203.0.113.203".parse().unwrap(), 1_559_728_000));
}

#[test]
fn whose_is_ours() {
    let from: IpAddr = "198.51.100.100".parse().unwrap();
    let whole = hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
    let time = 1_559_731_985;
    let is_ours = |octets: &[u8], from: IpAddr, time| {
        Cookie::parse(octets).unwrap().is_ours(&secret(SECRET), from, time)
    };
    assert!(
        is_ours(&whole, from, time)
            && is_ours(&whole, from, time + 3600)
            && is_ours(&whole, from, time - 300)
    );
    assert!(!is_ours(&whole, from, time + 3601) && !is_ours(&whole, from, time - 301));
    assert!(!is_ours(&whole, "198.51.100.101".parse().unwrap(), time));
    for at in 0..whole.len() {
        let mut wrong = whole.clone();
        wrong[at] ^= 1;
        assert!(!is_ours(&wrong, from, time), "octet {at}");
    }
    assert!(!is_ours(&whole[..8], from, time) && !is_ours(&whole[..16], from, time));
    // RFC 7873 5.2.2: 8 octets, or 16 to 40.
    for octets in 0..50 {
        let is_one = octets == 8 || (16..=40).contains(&octets);
        assert_eq!(Cookie::parse(&vec![7; octets]).is_some(), is_one, "{octets}");
    }
}
