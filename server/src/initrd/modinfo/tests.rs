use super::*;
use crate::initrd::tests::module;

#[test]
fn what_a_module_says_of_itself_is_read() {
    let file = module(&[
        "license=GPL",
        "alias=virtio:d00000001v*",
        "alias=net-pf-17",
        "depends=net-failover,libphy",
        "softdep=pre: crc32c post: other",
        "firmware=rtl_nic/rtl8168h-2.fw",
        "vermagic=6.1.0 SMP",
    ]);
    let expected = ModInfo {
        depends: vec!["net_failover".into(), "libphy".into()],
        soft_depends: vec!["crc32c".into(), "other".into()],
        aliases: vec!["virtio:d00000001v*".into(), "net-pf-17".into()],
        firmware: vec!["rtl_nic/rtl8168h-2.fw".into()],
    };
    assert_eq!(read(&file), Ok(expected));
    assert_eq!(read(&module(&["depends="])), Ok(ModInfo::default()));
}

#[test]
fn what_is_no_module_is_an_error_wherever_it_is_cut() {
    let file = module(&["depends=a"]);
    for length in 0..file.len() {
        // The end of the last section's header says nothing that counts here.
        let outcome = read(&file[..length]);
        assert!(outcome.is_err() || length > file.len() - 0x20, "cut after {length}");
    }
    for place in 0..0x40 {
        // A header that lies about everything else may be understood, but must not be believed beyond the file's end.
        let mut wrong = file.clone();
        wrong[place] ^= 0xff;
        let _ = read(&wrong);
    }
}
