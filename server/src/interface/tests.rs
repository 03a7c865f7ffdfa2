use super::*;

/// A message as the kernel has it (rtnetlink(7)).
fn message(kind: u16, index: u32, flags: u32, more: usize) -> Vec<u8> {
    let length = 32 + more;
    let mut octets = u32::try_from(length).unwrap().to_ne_bytes().to_vec();
    octets.extend(kind.to_ne_bytes());
    octets.extend([0; 14]);
    octets.extend(index.to_ne_bytes());
    octets.extend(flags.to_ne_bytes());
    octets.resize(length.next_multiple_of(4), 0);
    octets
}

#[test]
fn what_makes_the_kernel_forget_neighbours_is_seen() {
    let up = libc::IFF_UP as u32;
    let told = [
        message(libc::RTM_NEWLINK, 2, up, 5),
        message(libc::RTM_NEWLINK, 3, 0, 1),
        message(libc::RTM_NEWADDR, 4, 0, 0),
        message(libc::RTM_DELADDR, 5, 0, 8),
    ]
    .concat();
    let mut flushed = Flushed::default();
    flushed.messages(&told);
    assert_eq!(flushed, Flushed { indices: [3, 5].into(), all: false });
    // Whatever is cut off or lies about its length says nothing.
    for end in 0..told.len() {
        Flushed::default().messages(&told[..end]);
    }
    let mut flushed = Flushed::default();
    flushed.messages(&[0; 64]);
    flushed.messages(&[0xff; 64]);
    assert_eq!(flushed, Flushed::default());
    flushed.take(&[], Err(Errno::NOBUFS));
    assert!(flushed.all);
}
