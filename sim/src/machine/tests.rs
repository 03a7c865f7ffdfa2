//! What each kind of machine does from power-on to its image.

mod recording;
mod run;
mod silence;

use super::*;
use run::{File, Run, setup};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn every_kind_loads_its_image_from_a_server_that_answers() {
    let kinds = [
        Kind::Edk2,
        Kind::Ipxe,
        Kind::Pxelinux,
        Kind::Grub,
        Kind::Shim,
        Kind::IntelBios,
        Kind::RaspberryPi,
        Kind::NoLastAck,
    ];
    for kind in kinds {
        let run = Run::new(setup(kind)).go(MINUTE);
        assert_eq!(
            run.told().last().map(|(_, told)| told),
            Some(&Told::Loaded),
            "{kind:?}: {:?}",
            run.told()
        );
        let loaded = run.loaded();
        assert!(loaded.ends_with(&["vmlinuz".into(), "initrd.img".into()]), "{kind:?}: {loaded:?}");
        assert_eq!(run.machine.next_wakeup(), None, "{kind:?}");
    }
}
