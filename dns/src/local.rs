//! `localhost`, which is every host for itself: asked of others, it would be refused as rebinding, or come back from strangers.

use crate::data::{Data, Set, Type};
use crate::name::Name;
use crate::zone::Answer;
use std::net::{Ipv4Addr, Ipv6Addr};

const TTL_SECONDS: u32 = 60;

/// What there is to say to a name that nobody else is asked for (RFC 6761 6.3): its addresses, and the way back. None: it is no such name.
pub(crate) fn find(name: &Name, wanted: Type) -> Option<Answer> {
    let labels: Vec<&[u8]> = name.labels().collect();
    let data = match labels.as_slice() {
        [.., b"localhost"] => match wanted {
            Type::A => Some(Data::A(Ipv4Addr::LOCALHOST)),
            Type::AAAA => Some(Data::Aaaa(Ipv6Addr::LOCALHOST)),
            _ => None,
        },
        [b"1", b"0", b"0", b"127", b"in-addr", b"arpa"] => pointer(wanted),
        [b"1", zeros @ .., b"ip6", b"arpa"]
            if zeros.len() == 31 && zeros.iter().all(|zero| *zero == b"0") =>
        {
            pointer(wanted)
        }
        _ => return None,
    };
    let answer = data.map(|data| (None, Set { ttl_seconds: TTL_SECONDS, data: vec![data] }));
    Some(Answer { answer: answer.into_iter().collect(), ..Answer::default() })
}

fn pointer(wanted: Type) -> Option<Data> {
    let localhost = || Name::from_labels([b"localhost".as_slice(), b""].into_iter());
    (wanted == Type::PTR).then(|| Data::Name(Type::PTR, localhost()))
}
