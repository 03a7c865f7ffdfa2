use super::*;

const START: Time = Time::from_nanoseconds(1_000_000_000_000_000);
const MOOD: DiskMood = DiskMood { latency: Duration::from_millis(1), octets_per_second: 262_144_000 };

fn disk(cache_chunks: u64) -> Disk {
    let mut files = Files::default();
    files.insert("image", 3 * CHUNK_OCTETS - 1);
    files.insert("loader", 1000);
    files.insert_for(Kind::Grub, "loader", 2000);
    Disk::new(&files, MOOD, cache_chunks * CHUNK_OCTETS)
}

fn milliseconds(at: Time) -> u128 {
    at.since(START).as_millis()
}

#[test]
fn a_file_has_the_size_of_its_kind_of_machine() {
    let mut disk = disk(9);
    let mut octets = |path, kind| disk.open(START, path, kind).1.map(|opened| opened.size());
    assert_eq!(octets("loader", Some(Kind::Grub)), Some(2000));
    assert_eq!(octets("loader", Some(Kind::Ipxe)), Some(1000));
    assert_eq!(octets("loader", None), Some(1000));
    assert_eq!(octets("nothing", Some(Kind::Grub)), None);
}

#[test]
fn chunks_are_read_one_after_the_other_and_stay() {
    let mut disk = disk(9);
    let (at, image) = disk.open(START, "image", None);
    let image = image.unwrap().image;
    disk.opened(image);
    assert_eq!((milliseconds(at), disk.has(image, 0)), (1, false));
    assert_eq!([0, 1, 2].map(|chunk| milliseconds(disk.fetch(START, image, chunk))), [2, 4, 5]);
    for chunk in 0..3 {
        disk.fetched(image, chunk);
    }
    assert!((0..3).all(|chunk| disk.has(image, chunk)));
    assert_eq!(disk.fetch(START, image, 1), START);
    disk.close(image);
    assert!(!disk.has(image, 0) && disk.open_count() == 0);
}

#[test]
fn the_oldest_chunk_makes_room() {
    let mut disk = disk(2);
    let image = disk.open(START, "image", None).1.unwrap().image;
    disk.opened(image);
    for chunk in 0..3 {
        disk.fetched(image, chunk);
    }
    assert_eq!([0, 1, 2].map(|chunk| disk.has(image, chunk)), [false, true, true]);
}

#[test]
fn a_text_is_in_memory_until_it_is_closed() {
    let mut disk = disk(1);
    let (one, other) = (disk.open_text("one"), disk.open_text("other"));
    assert_ne!((one.image, one.identity), (other.image, other.identity));
    assert!(disk.has(one.image, 0) && disk.text(one.image) == Some(b"one"));
    disk.close(one.image);
    assert_eq!((disk.text(one.image), disk.open_count()), (None, 1));
}
