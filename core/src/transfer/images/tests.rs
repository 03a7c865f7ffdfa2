use super::*;

const IMAGE: ImageId = ImageId(1);
const A: TransferId = TransferId(10);
const B: TransferId = TransferId(11);
const NONE: [u64; 0] = [];

/// Four chunks and a bit, used by A and B.
fn images() -> Images {
    let mut images = Images::default();
    images.open(IMAGE, 4 * CHUNK_OCTETS + 1, A);
    images.open(IMAGE, 4 * CHUNK_OCTETS + 1, B);
    images
}

/// The chunks that `act` has fetched.
fn fetched(act: impl FnOnce(&mut Vec<Output>)) -> Vec<u64> {
    let mut out = Vec::new();
    act(&mut out);
    let chunks = out.into_iter().map(|output| {
        let Output::Fetch { image: IMAGE, chunk } = output else { panic!("{output:?}") };
        chunk
    });
    chunks.collect()
}

#[test]
fn a_chunk_is_asked_for_once_however_many_wait() {
    let mut images = images();
    assert_eq!(fetched(|out| images.wait(IMAGE, 0, 99, A, out)), [0, 1], "and the next one ahead");
    assert_eq!(fetched(|out| images.wait(IMAGE, 0, 99, B, out)), NONE);
    assert_eq!(images.fetched(IMAGE, 1), []);
    assert_eq!(images.fetched(IMAGE, 0), [A, B]);
    assert_eq!(images.fetched(IMAGE, 0), [], "said twice");
    assert_eq!(fetched(|out| images.wait(IMAGE, 0, 99, A, out)), [0, 1], "both forgotten: again");
}

#[test]
fn a_block_in_two_chunks_waits_for_both() {
    for order in [[0, 1], [1, 0]] {
        let mut images = images();
        assert_eq!(fetched(|out| images.wait(IMAGE, CHUNK_OCTETS - 1, CHUNK_OCTETS, A, out)), [0, 1, 2]);
        assert_eq!(images.fetched(IMAGE, order[0]), []);
        assert_eq!(images.fetched(IMAGE, order[1]), [A]);
    }
}

#[test]
fn the_first_to_enter_a_chunk_reads_ahead() {
    let mut images = images();
    assert_eq!(fetched(|out| images.enter(IMAGE, 0, out)), [1]);
    assert_eq!(fetched(|out| images.enter(IMAGE, 5, out)), NONE, "the second finds it done");
    assert_eq!(fetched(|out| images.enter(IMAGE, CHUNK_OCTETS, out)), [2]);
    assert_eq!(fetched(|out| images.enter(IMAGE, 3 * CHUNK_OCTETS, out)), [4]);
    assert_eq!(fetched(|out| images.enter(IMAGE, 4 * CHUNK_OCTETS, out)), NONE, "it ends here");
    // Memory was short and forgot them all: whoever stalls begins to read ahead anew.
    assert_eq!(fetched(|out| images.wait(IMAGE, 0, 9, B, out)), [0], "1 is still on its way");
    assert_eq!(fetched(|out| images.enter(IMAGE, CHUNK_OCTETS, out)), NONE, "2 is still on its way");
}

#[test]
fn an_image_without_users_is_forgotten() {
    let mut images = images();
    fetched(|out| images.wait(IMAGE, 0, 9, A, out));
    images.close(IMAGE, A);
    assert_eq!(images.users(IMAGE), [B]);
    assert_eq!(images.fetched(IMAGE, 0), [], "A waits no more");
    images.close(IMAGE, B);
    assert_eq!(images, Images::default());
    assert_eq!(images.fetched(IMAGE, 1), []);
    images.close(IMAGE, B);
}
