use super::*;

/// A directory of one test, removed with its value.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("heorot-initrd-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a scratch directory");
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(&path, content).expect("written");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An ELF file for x86-64 with a section `.modinfo` of these strings, and a program header of this kind.
fn elf(strings: &[&str], program_header: u32) -> Vec<u8> {
    let names = b"\0.modinfo\0.shstrtab\0";
    let info: Vec<u8> = strings.iter().flat_map(|text| text.bytes().chain([0])).collect();
    let (names_at, info_at) = (0x78_u64, 0x78 + names.len() as u64);
    let sections_at = (info_at + info.len() as u64).next_multiple_of(8);
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(0x10, 0);
    file.extend([1, 0, 62, 0, 1, 0, 0, 0]);
    file.extend(0_u64.to_le_bytes());
    file.extend(0x40_u64.to_le_bytes());
    file.extend(sections_at.to_le_bytes());
    // Flags; sizes of this header and of the others with their counts; the section of the names.
    for half in [0_u16, 0, 0x40, 0x38, 1, 0x40, 3, 2] {
        file.extend(half.to_le_bytes());
    }
    file.extend(program_header.to_le_bytes());
    file.resize(0x78, 0);
    file.extend(names);
    file.extend(&info);
    file.resize(sections_at as usize, 0);
    let section = |name: u32, at: u64, length: u64| {
        let mut header = name.to_le_bytes().to_vec();
        header.resize(0x18, 0);
        header.extend(at.to_le_bytes());
        header.extend(length.to_le_bytes());
        header.resize(0x40, 0);
        header
    };
    file.extend(section(0, 0, 0));
    file.extend(section(1, info_at, info.len() as u64));
    file.extend(section(10, names_at, names.len() as u64));
    file
}

/// A kernel module that says this of itself.
pub(super) fn module(strings: &[&str]) -> Vec<u8> {
    elf(strings, 0)
}

/// A tree of a driver and what roots need, an agent and a busybox.
fn wanted(scratch: &Scratch) -> Wanted {
    for (name, _) in NEEDED {
        scratch.write(&format!("modules/kernel/{name}.ko"), &module(&["depends="]));
    }
    scratch.write("modules/kernel/r8169.ko", &module(&["depends=realtek", "firmware=rtl_nic/a.fw"]));
    scratch.write("modules/kernel/realtek.ko", &module(&["depends=", "firmware=rtl_nic/b.fw"]));
    Wanted {
        version: "6.1.0-test".to_owned(),
        modules: scratch.path().join("modules"),
        firmware: scratch.path().join("firmware"),
        agent: Some(scratch.write("agent", &elf(&[], 1))),
        busybox: Busybox::File(scratch.write("busybox", &elf(&[], 1))),
        drivers: Vec::new(),
        load: Vec::new(),
        is_compressed: false,
    }
}

fn has(image: &Image, text: &str) -> bool {
    image.octets.windows(text.len()).any(|octets| octets == text.as_bytes())
}

#[test]
fn the_same_files_make_the_same_image() {
    let scratch = Scratch::new("same");
    let mut wanted = wanted(&scratch);
    let firmware = scratch.write("firmware/rtl_nic/a.fw", b"the firmware of a chip");
    let image = make(&wanted).expect("an image");
    assert_eq!(image.modules, NEEDED.len() + 2);
    for name in [
        "init\0",
        "lib/modules/6.1.0-test/kernel/r8169.ko\0",
        "lib/modules/6.1.0-test/modules.alias\0",
        "lib/firmware/rtl_nic\0",
        "the firmware of a chip",
        "bin/busybox\0",
        "sbin/modprobe\0",
        "kernel/r8169.ko: kernel/realtek.ko\n",
    ] {
        assert!(has(&image, name), "{name}");
    }
    let [note] = &image.notes[..] else { panic!("{:?}", image.notes) };
    assert!(note.starts_with("1 files of firmware") && note.contains("rtl_nic/b.fw"), "{note}");

    // Times are none of the image's business.
    fs::File::options()
        .append(true)
        .open(firmware)
        .and_then(|file| file.set_modified(std::time::UNIX_EPOCH))
        .expect("aged");
    assert_eq!(make(&wanted).expect("an image").octets, image.octets);
    wanted.is_compressed = true;
    let small = make(&wanted).expect("an image");
    assert!(small.octets.len() < image.octets.len() && small.unpacked == image.octets.len());
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&small.octets[..]), &mut plain)
        .expect("gzip");
    assert_eq!(plain, image.octets);
    assert_eq!(make(&wanted).expect("an image").octets, small.octets);
}

#[test]
fn drivers_of_disks_are_there_and_wait() {
    let scratch = Scratch::new("disks");
    let wanted = wanted(&scratch);
    let without = make(&wanted).expect("an image");
    assert!(!has(&without, "nvme"));
    scratch.write("modules/kernel/nvme.ko", &module(&["depends=nvme-core"]));
    scratch.write("modules/kernel/nvme-core.ko", &module(&["depends="]));
    scratch.write("modules/kernel/sd_mod.ko", &module(&["depends="]));
    let image = make(&wanted).expect("an image");
    assert_eq!(image.modules, without.modules + 3);
    // In this order, and nothing else: what they need is no driver of its own.
    assert!(has(&image, "sd_mod\nnvme\n\0") || has(&image, "\0sd_mod\nnvme\n"), "the list");
    // Who names drivers gets no others.
    let chosen = Wanted { drivers: vec!["r8169".into()], ..wanted };
    assert!(!has(&make(&chosen).expect("an image"), "nvme"));
}

#[test]
fn drivers_can_be_chosen_and_others_are_left_out() {
    let scratch = Scratch::new("chosen");
    let chosen = Wanted {
        drivers: vec!["realtek".into()],
        load: vec!["loop".into()],
        busybox: Busybox::Without,
        ..wanted(&scratch)
    };
    let image = make(&chosen).expect("an image");
    assert_eq!(image.modules, NEEDED.len() + 1);
    assert!(!has(&image, "r8169") && !has(&image, "busybox") && has(&image, "\0loop\n"));
}

#[test]
fn what_is_missing_is_named_with_what_to_do() {
    let scratch = Scratch::new("missing");
    let good = wanted(&scratch);
    let dynamic = scratch.write("dynamic", &elf(&[], 3));
    let mut other = elf(&[], 1);
    other[0x12] = 183;
    let other = scratch.write("arm64", &other);
    let absent = scratch.path().join("absent");
    let cases = [
        (Wanted { modules: absent.clone(), ..good.clone() }, "install linux-image-6.1.0-test"),
        (Wanted { drivers: vec!["e1001".into()], ..good.clone() }, "no module e1001"),
        (Wanted { load: vec!["e1001".into()], ..good.clone() }, "no module e1001"),
        (Wanted { agent: Some(absent.clone()), ..good.clone() }, "absent: No such file"),
        (Wanted { agent: Some(dynamic.clone()), ..good.clone() }, "linked dynamically"),
        (Wanted { agent: Some(other), ..good.clone() }, "different processors"),
        (Wanted { busybox: Busybox::File(dynamic), ..good.clone() }, "linked dynamically"),
        (Wanted { busybox: Busybox::File(absent), ..good.clone() }, "absent: No such file"),
    ];
    for (wanted, why) in cases {
        let problem = make(&wanted).expect_err(why);
        assert!(problem.0.contains(why), "{why}: {problem}");
    }
    fs::remove_file(good.modules.join("kernel/overlay.ko")).expect("removed");
    let image = make(&good).expect("an image");
    assert!(image.notes.iter().any(|note| note == "this kernel has no overlay: roots stay read-only"));
}

#[test]
fn an_image_is_written_whole_or_not_at_all() {
    let scratch = Scratch::new("written");
    let path = scratch.write("image", b"the old one");
    write(&path, b"the new one").expect("written");
    assert_eq!(fs::read(&path).expect("an image"), b"the new one");
    assert!(write(&scratch.path().join("absent/image"), b"").is_err());
    let left: Vec<_> =
        fs::read_dir(scratch.path()).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["image"]);
}
