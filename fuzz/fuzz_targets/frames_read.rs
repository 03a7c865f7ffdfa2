#![no_main]

// The server is a program and no library: what takes frames apart is built in here, with the numbers that it takes from the module above it.
#[path = "../../server/src/frame"]
#[allow(dead_code)]
mod frame {
    const ETHERNET_HEADER_OCTETS: usize = 14;
    const UDP_HEADER_OCTETS: usize = 8;
    pub(crate) const TYPE_IPV4: u16 = 0x0800;
    pub(crate) const TYPE_ARP: u16 = 0x0806;
    pub(crate) const PROTOCOL_UDP: u8 = 17;
    pub(crate) const ARP_ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
    const ARP_REQUEST: u16 = 1;
    const ARP_REPLY: u16 = 2;
    pub(crate) mod read;
}
#[path = "../src/frames.rs"]
mod frames;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frames::frames_read(bytes));
