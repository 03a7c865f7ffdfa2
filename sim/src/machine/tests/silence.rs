//! Each kind under a server that falls silent: what it repeats, when, and how long it hopes.

use super::recording;
use super::run::{File, Run, Silent, setup};
use super::*;
use crate::frame::Payload;
use heorot_core::wire::dhcp::{Message, MessageType, option};

/// A recording, and the run that is to be like it.
struct Case {
    recording: &'static str,
    octets: &'static [u8],
    kind: Kind,
    boot_file: &'static str,
    silent: Silent,
}

macro_rules! recorded {
    ($name:literal, $kind:ident, $boot_file:literal, $silent:expr) => {
        Case {
            recording: $name,
            octets: include_bytes!(concat!("../../../recordings/", $name, ".pcap")),
            kind: Kind::$kind,
            boot_file: $boot_file,
            silent: $silent,
        }
    };
}

const CORE: &str = "grubnet/x86_64-efi/core.efi";

fn cases() -> [Case; 15] {
    [
        recorded!("ovmf-dhcp-discover", Edk2, "grubnet/x86_64-efi/core.efi", Silent::Discover),
        recorded!("ovmf-dhcp-request", Edk2, "grubnet/x86_64-efi/core.efi", Silent::Request),
        recorded!("ovmf-tftp-rrq", Edk2, "grubnet/x86_64-efi/core.efi", Silent::Asked(CORE)),
        recorded!("ovmf-tftp-oack", Edk2, "grubnet/x86_64-efi/core.efi", Silent::Agreed(CORE)),
        recorded!("ovmf-tftp-data", Edk2, "grubnet/x86_64-efi/core.efi", Silent::Block(CORE, 5)),
        recorded!("ipxe-dhcp-discover", Ipxe, "tftp.ipxe", Silent::Discover),
        recorded!("ipxe-dhcp-request", Ipxe, "tftp.ipxe", Silent::Request),
        recorded!("ipxe-tftp-rrq", Ipxe, "tftp.ipxe", Silent::Asked("tftp.ipxe")),
        recorded!("ipxe-tftp-oack", Ipxe, "tftp.ipxe", Silent::Agreed("tftp.ipxe")),
        recorded!("ipxe-tftp-data", Ipxe, "tftp.ipxe", Silent::Block("vmlinuz", 5)),
        recorded!("pxelinux-ldlinux-tftp-rrq", Ipxe, "pxelinux.0", Silent::Asked("ldlinux.c32")),
        recorded!(
            "pxelinux-cfg-tftp-rrq",
            Ipxe,
            "pxelinux.0",
            Silent::Asked("pxelinux.cfg/01-52-54-00-77-00-01")
        ),
        recorded!("pxelinux-tftp-rrq", Ipxe, "pxelinux.0", Silent::Asked("vmlinuz")),
        recorded!("pxelinux-tftp-oack", Ipxe, "pxelinux.0", Silent::Agreed("vmlinuz")),
        recorded!("pxelinux-tftp-data", Ipxe, "pxelinux.0", Silent::Block("vmlinuz", 5)),
    ]
}

/// A server like the one of the recordings: its files, no windows, and a network without other servers.
fn recorded_server(case: &Case) -> Run {
    let mut run = Run::new(setup(case.kind));
    run.silent = case.silent.clone();
    run.window_max = 1;
    (run.boot_file, run.ipxe_file) = (case.boot_file, case.boot_file);
    run.files.insert(CORE.into(), File::Bulk(245_760));
    run.files.insert("ldlinux.c32".into(), File::Bulk(119_524));
    run.files.insert(
        "tftp.ipxe".into(),
        File::Text("#!ipxe\nkernel vmlinuz quiet\ninitrd initrd.img\nboot\n".into()),
    );
    let config = "DEFAULT linux\nLABEL linux\nKERNEL vmlinuz\nINITRD initrd.img\nAPPEND quiet\n";
    run.files.insert("pxelinux.cfg/default".into(), File::Text(config.into()));
    run
}

#[test]
fn a_machine_sends_what_was_recorded_when_it_was_recorded() {
    for case in cases() {
        let name = case.recording;
        let real = until_another_program(recording::frames(case.octets));
        let mut run = recorded_server(&case);
        run = run.go(Duration::from_secs(200));
        let model = run.sent(|_| true);
        let say =
            |frames: &[(f64, Frame)]| frames.iter().map(|(_, frame)| described(frame)).collect::<Vec<_>>();
        let (real_said, model_said) = (say(&real), say(&model));
        let count = real.len();
        // Where another file is looked for after the silence, the recording ends in the middle of what follows.
        let goes_on = name == "pxelinux-cfg-tftp-rrq" || name == "pxelinux-ldlinux-tftp-rrq";
        let is_whole = if goes_on { model.len() >= count } else { model.len() == count };
        assert!(is_whole, "{name}: {} frames, recorded {count}", model.len());
        for (place, (real, model)) in real_said.iter().zip(&model_said).enumerate() {
            assert_eq!(model, real, "{name}, frame {place}");
        }
        for place in 1..count {
            let is_dhcp = |place: usize| real[place].1.destination.port() == 67;
            let is_retry = real_said[place] == real_said[place - 1] || (is_dhcp(place) && is_dhcp(place - 1));
            let gap = |frames: &[(f64, Frame)]| frames[place].0 - frames[place - 1].0;
            let (real_gap, model_gap) = (gap(&real), gap(&model));
            // A tick of a BIOS clock is 55 ms: a wait of two of them may be one and a half.
            let tolerance = 0.055 + 0.15 * real_gap;
            let is_like = (model_gap - real_gap).abs() < tolerance;
            assert!(
                !is_retry || is_like,
                "{name}, frame {place}: {model_gap:.3} s, recorded {real_gap:.3} s"
            );
        }
    }
}

/// The recording up to where the firmware goes on to HTTP boot.
fn until_another_program(frames: Vec<(f64, Frame)>) -> Vec<(f64, Frame)> {
    let is_http_boot = |frame: &Frame| match &frame.payload {
        Payload::Octets(octets) if frame.destination.port() == 67 => {
            Message::parse(octets).is_ok_and(|message| message.options.u16(option::ARCHITECTURE) == Some(16))
        }
        Payload::Octets(_) | Payload::Acknowledge(_) | Payload::Data { .. } => false,
        Payload::Segment { .. } | Payload::Received { .. } => false,
    };
    frames.into_iter().take_while(|(_, frame)| !is_http_boot(frame)).collect()
}

/// A frame without what chance or the server has put into it: transaction numbers, ports.
fn described(frame: &Frame) -> String {
    match &frame.payload {
        Payload::Octets(octets) if frame.destination.port() == 67 => {
            let message = Message::parse(octets).expect("DHCP");
            let options: Vec<_> = message.options.iter().collect();
            format!("secs {} broadcast {} {options:?}", message.secs, message.broadcast)
        }
        Payload::Octets(octets) => String::from_utf8_lossy(octets).into_owned(),
        payload @ (Payload::Acknowledge(_)
        | Payload::Data { .. }
        | Payload::Segment { .. }
        | Payload::Received { .. }) => format!("{payload:?}"),
    }
}

/// What a machine does under a server that falls silent: CLIENTS.md 5, LORE.md 4.
struct Row {
    kind: Kind,
    silent: Silent,
    /// Seconds from each send to the next, or to the end.
    waits: Vec<f64>,
}

fn rows() -> Vec<Row> {
    let ipxe = [0.27, 0.55, 1.04, 2.03, 4.06, 10.35].as_slice();
    let four = [4.0; 6].as_slice();
    let second = [1.0; 5].as_slice();
    let specification = [4.0, 8.0, 16.0, 32.0].as_slice();
    let grub: Vec<f64> = (0..40).map(|n| 0.40 + 0.02 * f64::from(n)).collect();
    let pxelinux = [
        0.1, 0.1, 0.17, 0.17, 0.22, 0.28, 0.33, 0.39, 0.49, 0.55, 0.66, 0.82, 0.99, 1.15, 1.43, 1.70, 2.04,
        2.42, 2.9, 3.5, 4.2, 5.1, 6.0, 7.3, 8.7, 10.5, 12.6, 14.0, 14.0, 14.0, 14.0,
    ]
    .as_slice();
    let (asked, agreed, block) = (Silent::Asked, Silent::Agreed, |file| Silent::Block(file, 5));
    [
        (Kind::Ipxe, Silent::Discover, [1.06, 2.0, 4.06, 11.2].as_slice()),
        (Kind::Ipxe, Silent::Request, ipxe),
        (Kind::Ipxe, asked("vmlinuz"), ipxe),
        (Kind::Ipxe, agreed("vmlinuz"), ipxe),
        (Kind::Ipxe, block("vmlinuz"), ipxe),
        (Kind::Edk2, Silent::Discover, &[3.9, 8.0, 16.0, 32.1]),
        (Kind::Edk2, Silent::Request, &[4.0, 8.0, 16.0, 32.0]),
        (Kind::Edk2, asked("boot"), four),
        (Kind::Edk2, agreed("boot"), four),
        (Kind::Edk2, block("boot"), four),
        (Kind::Shim, asked("grubx64.efi"), four),
        (Kind::Shim, block("grubx64.efi"), four),
        (Kind::OddNames, asked("vmlinuz"), pxelinux),
        (Kind::OddNames, agreed("vmlinuz"), pxelinux),
        (Kind::OddNames, block("vmlinuz"), pxelinux),
        (Kind::Pxelinux, Silent::Discover, specification),
        (Kind::Pxelinux, Silent::Request, &[1.0, 2.0, 3.0, 4.0]),
        (Kind::Pxelinux, asked("boot"), four),
        (Kind::Grub, asked("vmlinuz"), &grub),
        (Kind::Grub, agreed("vmlinuz"), &[68.0]),
        (Kind::Grub, block("vmlinuz"), &[187.0]),
        (Kind::IntelBios, Silent::Discover, specification),
        (Kind::IntelBios, asked("boot"), second),
        (Kind::IntelBios, agreed("boot"), second),
        (Kind::NoLastAck, block("boot"), second),
        (Kind::RaspberryPi, Silent::Discover, &[60.0; 5]),
        (Kind::RaspberryPi, asked("bootcode.bin"), second),
        (Kind::RaspberryPi, block("vmlinuz"), second),
    ]
    .map(|(kind, silent, waits)| Row { kind, silent, waits: waits.into() })
    .into()
}

#[test]
fn a_machine_is_as_patient_as_its_row_says() {
    for Row { kind, silent, waits } in rows() {
        let name = format!("{kind:?} {silent:?}");
        let mut run = Run::new(setup(kind));
        run.silent = silent.clone();
        let run = run.go(Duration::from_secs(500));
        let sent = run.sent(|_| true);
        let moments: Vec<f64> = match silent {
            Silent::Discover | Silent::Request => {
                let wanted =
                    if silent == Silent::Discover { MessageType::Discover } else { MessageType::Request };
                sent.iter().filter(|(_, frame)| dhcp_type(frame) == Some(wanted)).map(|(at, _)| *at).collect()
            }
            Silent::Never | Silent::Always | Silent::Asked(_) | Silent::Agreed(_) | Silent::Block(..) => {
                // The last thing that it said, as often as it said it; GRUB says goodbye.
                let is_error =
                    |frame: &Frame| matches!(&frame.payload, Payload::Octets(octets) if octets[1] == 5);
                let sent: Vec<_> = sent.iter().rev().skip_while(|(_, frame)| is_error(frame)).collect();
                let last = described(&sent[0].1);
                let run = sent.iter().take_while(|(_, frame)| described(frame) == last);
                run.map(|(at, _)| *at).collect::<Vec<_>>().into_iter().rev().collect()
            }
        };
        let told = run.told();
        let Some((end, Told::Lost(_))) = told.last() else { panic!("{name}: {told:?}") };
        let ends = moments.iter().skip(1).chain([end]);
        let model: Vec<f64> = moments.iter().zip(ends).map(|(begin, end)| end - begin).collect();
        assert_eq!(model.len(), waits.len(), "{name}: {model:?}");
        for (place, (model, wait)) in model.iter().zip(&waits).enumerate() {
            let tolerance = 0.015 + 0.15 * wait;
            assert!(
                (model - wait).abs() < tolerance,
                "{name}, wait {place}: {model:.3} s, measured {wait} s"
            );
        }
    }
}

fn dhcp_type(frame: &Frame) -> Option<MessageType> {
    let Payload::Octets(octets) = &frame.payload else { return None };
    Message::parse(octets).ok()?.message_type().filter(|_| frame.destination.port() == 67)
}
