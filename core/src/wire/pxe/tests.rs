use super::*;

/// The octets that PXE 2.1 lays down in table 2-1.
#[test]
fn every_sub_option_has_its_octets() {
    let nothing = VendorOptions::default();
    let table: [(VendorOptions, &[u8]); 7] = [
        (nothing.clone(), &[255]),
        (VendorOptions { control: Some(control::FILE_IS_NAMED), ..nothing.clone() }, &[6, 1, 8, 255]),
        (
            VendorOptions {
                servers: vec![(0x8001, [10, 77, 0, 1].into()), (3, [10, 77, 0, 9].into())],
                ..nothing.clone()
            },
            &[8, 14, 0x80, 1, 1, 10, 77, 0, 1, 0, 3, 1, 10, 77, 0, 9, 255],
        ),
        (
            VendorOptions { menu: vec![(0, "Disk".into()), (0x8001, "PXE".into())], ..nothing.clone() },
            b"\x09\x0d\x00\x00\x04Disk\x80\x01\x03PXE\xff",
        ),
        (VendorOptions { prompt: Some((5, "F8?".into())), ..nothing.clone() }, b"\x0a\x04\x05F8?\xff"),
        (VendorOptions { prompt: Some((0, "P".into())), ..nothing.clone() }, b"\x0a\x02\x00P\xff"),
        (
            VendorOptions { item: Some(Item { kind: 0x8001, layer: 0 }), ..nothing },
            &[71, 4, 0x80, 1, 0, 0, 255],
        ),
    ];
    for (said, octets) in table {
        assert_eq!(said.write(), octets, "{said:?}");
    }
}

#[test]
fn the_chosen_entry_is_found_or_there_is_none() {
    let item = |kind, layer| Some(Item { kind, layer });
    let table: [(&[u8], Option<Item>); 10] = [
        (&[71, 4, 0, 1, 0, 0, 255], item(1, 0)),
        (&[71, 4, 0x80, 2, 0x80, 0], item(0x8002, 0x8000)),
        (&[6, 1, 0, 0, 0, 71, 4, 0, 1, 0, 0], item(1, 0)),
        (&[], None),
        (&[255, 71, 4, 0, 1, 0, 0], None),
        (&[71, 4, 0, 1, 0], None),
        (&[71, 2, 0, 1, 255], None),
        (&[9, 200, 1], None),
        (&[71], None),
        (&[0, 0, 0], None),
    ];
    for (octets, expected) in table {
        assert_eq!(Item::read(octets), expected, "{octets:?}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_a_client_says_is_read_or_not(octets: Vec<u8>) {
        let _ = Item::read(&octets);
    }

    #[test]
    fn what_is_written_is_read(kind: u16, layer: u16) {
        let item = Some(Item { kind, layer });
        let said = VendorOptions { control: Some(7), menu: vec![(1, "one".into())], item, ..VendorOptions::default() };
        proptest::prop_assert_eq!(Item::read(&said.write()), item);
    }
}
