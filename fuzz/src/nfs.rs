//! What the fuzzer of NFS does with its octets. The property tests of heorot-nfs call the same function.

use heorot_nfs::asked::{Asked, Name, What, asked};
use heorot_nfs::handle::{Handle, Keys, RootId};
use heorot_nfs::limit::{CALL_OCTETS_MAX, LISTING_OCTETS_MAX, NAME_OCTETS_MAX, READ_OCTETS_MAX};
use heorot_rpc::record::Records;
use heorot_rpc::{Call, NoCall};

/// Any octets as a stream; each message in it as it is, and as the arguments of every procedure behind a handle that is right.
pub fn rpc(bytes: &[u8]) {
    let keys = Keys::new(b"sixteen octets..");
    let root = RootId(1);
    let handle = Handle { root, place: keys.place(root, b"a/b"), inode: 1, birth: 2 };
    let mut records = Records::new(CALL_OCTETS_MAX);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(records.room()).min(7));
        assert!(!now.is_empty(), "there is room, or an error");
        records.push(now);
        rest = later;
        match records.next_message() {
            Ok(None) => {}
            Ok(Some(message)) => read(&message, &keys, None),
            Err(_) => break,
        }
    }
    assert!(keys.open(bytes).is_none(), "nobody makes a handle by chance");
    read(bytes, &keys, None);
    for procedure in 0..=22 {
        for program in [100_003, 100_005] {
            let mut call = Call::write(7, program, 3, procedure, &[]);
            if program == 100_003 {
                let sealed = keys.seal(&handle);
                call.extend(u32::try_from(sealed.octets().len()).expect("it is short").to_be_bytes());
                call.extend(sealed.octets());
            }
            call.extend(bytes);
            read(&call, &keys, Some(&handle));
        }
    }
}

/// What is understood keeps to its bounds; what is answered at once is a reply, which nobody answers.
fn read(message: &[u8], keys: &Keys, handle: Option<&Handle>) {
    let call = match Call::parse(message) {
        Ok(call) => call,
        Err(NoCall::Denied(reply)) => return assert_reply(&reply),
        Err(NoCall::Short | NoCall::Reply) => return,
    };
    // Whoever he says that he is.
    let _ = call.credential.user();
    match asked(&call, keys) {
        Asked::Answered(answer) => assert_reply(&answer.reply(call.xid)),
        Asked::Mount(_) => {}
        Asked::File(question) => {
            assert_eq!(Some(&question.handle), handle, "only what we made is a handle");
            match question.what {
                What::Lookup(Name::Entry(name)) => {
                    assert!(
                        !name.is_empty() && name.len() <= NAME_OCTETS_MAX && name != b"." && name != b".."
                    );
                    assert!(!name.contains(&b'/') && !name.contains(&0), "a name is no path");
                }
                What::Read { count, .. } => assert!(count <= READ_OCTETS_MAX),
                What::List(listing) => assert!(listing.octets_max <= LISTING_OCTETS_MAX),
                What::Lookup(Name::Itself | Name::Parent)
                | What::Attributes
                | What::Access(_)
                | What::ReadLink
                | What::Usage
                | What::Information
                | What::Names => {}
            }
        }
    }
}

fn assert_reply(reply: &[u8]) {
    assert!(reply.len() < 256);
    assert!(matches!(Call::parse(reply), Err(NoCall::Reply)), "a reply is answered by nobody");
}
