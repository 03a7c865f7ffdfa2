//! The library as C sees it, and a namespace with an `/etc` of its own.

mod call;
mod memory;

use call::Call;
use libc::{AF_INET, c_char, c_int, c_ulong, c_void, hostent};
use memory::{Lent, address, empty, show};
use std::ffi::{CStr, CString};
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

/// Runs a test of this name in a mount namespace whose `/etc` is empty but for `/etc/heorot`.
pub(crate) fn in_namespace(name: &str, test: impl FnOnce()) {
    const INSIDE: &str = "HEOROT_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let script = r#"mount -t tmpfs none /etc && mkdir /etc/heorot && exec "$@""#;
    let mut command = Command::new("unshare");
    // Who is root keeps being it; everybody else is it in a namespace of his own.
    // SAFETY: it takes nothing.
    let user: &[&str] = if unsafe { libc::geteuid() } == 0 { &[] } else { &["--map-root-user"] };
    command.args(user).args(["--mount", "sh", "-c", script, "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--include-ignored", "--test-threads=1"]);
    let status = command.env(INSIDE, "1").status().expect("unshare(1) of util-linux");
    assert!(status.success(), "{name}: {status}");
}

/// Replaces the names file at once, as server and agent do.
pub(crate) fn put(text: &str) {
    std::fs::write("/etc/heorot/names.new", text).unwrap();
    std::fs::rename("/etc/heorot/names.new", "/etc/heorot/names").unwrap();
}

/// A names file whose node 0 has this address.
pub(crate) fn text(first: &str) -> String {
    format!(
        "heorot-names 1\nzone cluster\nnodes node{{}}\nnetwork 0-1023 {first}\nnetwork 0-1023 fd00:77::1:0\n\
         network 0-1023 10.99.0.0 -ib\nsubnet cluster 10.77.0.0\nsubnet cluster-ib 10.99.0.0\nmaster head 10.77.0.1\n\
         self 23\nname 7 storage\nhost switch 10.77.0.20 10.77.0.22\ngroup none -\ngroup rack1 0-2,40\n\
         ether 52:54:00:00:00:17 23\nether 52:54:00:00:00:07 7\nend\n"
    )
}

/// What came of a call, and the answer as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: c_int,
    pub(crate) errno: c_int,
    pub(crate) h_errno: c_int,
    pub(crate) answer: Option<String>,
}

impl Outcome {
    pub(crate) fn told(&self) -> (c_int, c_int, c_int) {
        (self.status, self.errno, self.h_errno)
    }
}

#[repr(C)]
struct Tuple {
    next: *mut Self,
    name: *mut c_char,
    family: c_int,
    address: [u8; 16],
    scope: u32,
}

#[repr(C)]
struct Netent {
    name: *mut c_char,
    aliases: *mut *mut c_char,
    family: c_int,
    network: u32,
}

#[repr(C)]
struct Etherent {
    name: *const c_char,
    address: [u8; 6],
}

/// `struct __netgrent`, whole.
#[repr(C)]
struct Netgrent {
    kind: c_int,
    triple: [*const c_char; 3],
    data: *mut c_char,
    data_octets: usize,
    position: c_ulong,
    first: c_int,
    rest: [*mut c_void; 3],
}

/// The opened library.
#[derive(Clone, Copy)]
pub(crate) struct Library {
    handle: *mut c_void,
    shift: usize,
}

// SAFETY: a handle of dlopen(3) is good for all threads.
unsafe impl Sync for Library {}
// SAFETY: as above.
unsafe impl Send for Library {}

type Name2 = unsafe extern "C" fn(
    *const c_char,
    c_int,
    *mut hostent,
    *mut c_char,
    usize,
    *mut c_int,
    *mut c_int,
) -> c_int;

impl Library {
    pub(crate) fn path() -> PathBuf {
        std::env::current_exe().unwrap().with_file_name("libnss_heorot.so")
    }

    pub(crate) fn open() -> Self {
        let path = CString::new(Self::path().as_os_str().as_bytes()).unwrap();
        // SAFETY: the library's own start reads nothing of ours.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null(), "{path:?} cannot be opened");
        Self { handle, shift: 0 }
    }

    /// The same, with memory that begins at this place in a word.
    pub(crate) fn shifted(self, shift: usize) -> Self {
        Self { shift, ..self }
    }

    /// # Safety
    /// The type has to be that of the function.
    unsafe fn function<F: Copy>(&self, name: &str) -> F {
        let name = CString::new(format!("_nss_heorot_{name}")).unwrap();
        // SAFETY: the caller says so; a function is one pointer.
        unsafe {
            let found = libc::dlsym(self.handle, name.as_ptr());
            assert!(!found.is_null(), "{name:?} is missing");
            std::mem::transmute_copy(&found)
        }
    }

    fn call(
        &self,
        octets: usize,
        call: impl FnOnce(*mut c_char, *mut c_int, *mut c_int) -> c_int,
        show: impl FnOnce(&mut Lent) -> String,
    ) -> Outcome {
        let mut lent = Lent::new(octets, self.shift);
        let (mut errno, mut h_errno) = (0, 99);
        let status = call(lent.start(), &raw mut errno, &raw mut h_errno);
        lent.check();
        let answer = (status == 1).then(|| show(&mut lent));
        Outcome { status, errno, h_errno, answer }
    }

    pub(crate) fn by_name(&self, version: u32, name: &str, family: c_int, octets: usize) -> Outcome {
        let name = CString::new(name).unwrap();
        let mut entry = empty();
        let pointer = &raw mut entry;
        let mut canonical = std::ptr::null_mut::<c_char>();
        let mut life = 77_i32;
        // SAFETY: these are the functions' types, and what they write to is there.
        let call = |buffer, errno, h_errno| unsafe {
            match version {
                1 => {
                    type F = unsafe extern "C" fn(
                        *const c_char,
                        *mut hostent,
                        *mut c_char,
                        usize,
                        *mut c_int,
                        *mut c_int,
                    ) -> c_int;
                    self.function::<F>("gethostbyname_r")(
                        name.as_ptr(),
                        pointer,
                        buffer,
                        octets,
                        errno,
                        h_errno,
                    )
                }
                2 => self.function::<Name2>("gethostbyname2_r")(
                    name.as_ptr(),
                    family,
                    pointer,
                    buffer,
                    octets,
                    errno,
                    h_errno,
                ),
                _ => {
                    type F = unsafe extern "C" fn(
                        *const c_char,
                        c_int,
                        *mut hostent,
                        *mut c_char,
                        usize,
                        *mut c_int,
                        *mut c_int,
                        *mut i32,
                        *mut *mut c_char,
                    ) -> c_int;
                    let function = self.function::<F>("gethostbyname3_r");
                    function(
                        name.as_ptr(),
                        family,
                        pointer,
                        buffer,
                        octets,
                        errno,
                        h_errno,
                        &raw mut life,
                        &raw mut canonical,
                    )
                }
            }
        };
        let found = self.call(octets, call, |lent| show(unsafe { &*pointer }, lent));
        if version == 3 && found.status == 1 {
            assert_eq!((canonical, life), (entry.h_name, 0));
        }
        found
    }

    /// A name that need not be a text.
    pub(crate) fn by_octets(&self, name: &[u8]) -> Outcome {
        let name = CStr::from_bytes_with_nul(name).unwrap();
        let mut entry = empty();
        let pointer = &raw mut entry;
        // SAFETY: as above.
        let call = |buffer, errno, h_errno| unsafe {
            self.function::<Name2>("gethostbyname2_r")(
                name.as_ptr(),
                AF_INET,
                pointer,
                buffer,
                1024,
                errno,
                h_errno,
            )
        };
        self.call(1024, call, |lent| show(unsafe { &*pointer }, lent))
    }

    pub(crate) fn by_name_4(&self, name: &str, octets: usize) -> Outcome {
        type F = unsafe extern "C" fn(
            *const c_char,
            *mut *mut Tuple,
            *mut c_char,
            usize,
            *mut c_int,
            *mut c_int,
            *mut i32,
        ) -> c_int;
        let name = CString::new(name).unwrap();
        let ask = |first: *mut *mut Tuple| {
            // SAFETY: this is the function's type, and what it writes to is there.
            let call = |buffer, errno, h_errno| unsafe {
                let function = self.function::<F>("gethostbyname4_r");
                function(name.as_ptr(), first, buffer, octets, errno, h_errno, std::ptr::null_mut())
            };
            self.call(octets, call, |lent| {
                let mut next: *const Tuple = unsafe { *first };
                let called = lent.text(unsafe { (*next).name });
                let mut answer = format!("{called} |");
                let mut is_first = true;
                while !next.is_null() {
                    // The first tuple may be the caller's own.
                    let tuple = unsafe { &*(if is_first { next } else { lent.holds(next) }) };
                    let length = if tuple.family == AF_INET { 4 } else { 16 };
                    answer += &format!(" {}", address(&tuple.address[..length]));
                    assert_eq!((lent.text(tuple.name), tuple.scope), (called.clone(), 0));
                    (next, is_first) = (tuple.next, false);
                }
                answer
            })
        };
        let mut of_the_module = std::ptr::null_mut();
        let found = ask(&raw mut of_the_module);
        let mut own = Tuple {
            next: std::ptr::null_mut(),
            name: std::ptr::null_mut(),
            family: 0,
            address: [0; 16],
            scope: 9,
        };
        let mut of_the_caller = &raw mut own;
        assert_eq!(ask(&raw mut of_the_caller), found, "with a first tuple of the caller's");
        assert_eq!(of_the_caller, &raw mut own);
        found
    }

    pub(crate) fn by_address(&self, version: u32, address: &[u8], family: c_int, octets: usize) -> Outcome {
        let mut entry = empty();
        let pointer = &raw mut entry;
        let length = u32::try_from(address.len()).unwrap();
        // An address may lie anywhere.
        let unaligned = [&[0], address].concat();
        let start = unaligned[1..].as_ptr().cast::<c_void>();
        // SAFETY: these are the functions' types, and what they write to is there.
        let call = |buffer, errno, h_errno| unsafe {
            if version == 1 {
                type F = unsafe extern "C" fn(
                    *const c_void,
                    u32,
                    c_int,
                    *mut hostent,
                    *mut c_char,
                    usize,
                    *mut c_int,
                    *mut c_int,
                ) -> c_int;
                self.function::<F>("gethostbyaddr_r")(
                    start, length, family, pointer, buffer, octets, errno, h_errno,
                )
            } else {
                type F = unsafe extern "C" fn(
                    *const c_void,
                    u32,
                    c_int,
                    *mut hostent,
                    *mut c_char,
                    usize,
                    *mut c_int,
                    *mut c_int,
                    *mut i32,
                ) -> c_int;
                let function = self.function::<F>("gethostbyaddr2_r");
                function(start, length, family, pointer, buffer, octets, errno, h_errno, std::ptr::null_mut())
            }
        };
        self.call(octets, call, |lent| show(unsafe { &*pointer }, lent))
    }

    fn netent(
        &self,
        octets: usize,
        call: impl FnOnce(*mut Netent, *mut c_char, *mut c_int, *mut c_int) -> c_int,
    ) -> Outcome {
        let mut entry =
            Netent { name: std::ptr::null_mut(), aliases: std::ptr::null_mut(), family: 0, network: 0 };
        let pointer = &raw mut entry;
        self.call(
            octets,
            |buffer, errno, h_errno| call(pointer, buffer, errno, h_errno),
            |lent| {
                let entry = unsafe { &*pointer };
                assert!(lent.list(entry.aliases).is_empty() && entry.family == AF_INET);
                format!("{} {}", lent.text(entry.name), Ipv4Addr::from(entry.network))
            },
        )
    }

    pub(crate) fn network(&self, name: &str, octets: usize) -> Outcome {
        type F = unsafe extern "C" fn(
            *const c_char,
            *mut Netent,
            *mut c_char,
            usize,
            *mut c_int,
            *mut c_int,
        ) -> c_int;
        let name = CString::new(name).unwrap();
        // SAFETY: this is the function's type.
        self.netent(octets, |entry, buffer, errno, h_errno| unsafe {
            self.function::<F>("getnetbyname_r")(name.as_ptr(), entry, buffer, octets, errno, h_errno)
        })
    }

    pub(crate) fn network_at(&self, network: u32) -> Outcome {
        type F = unsafe extern "C" fn(
            u32,
            c_int,
            *mut Netent,
            *mut c_char,
            usize,
            *mut c_int,
            *mut c_int,
        ) -> c_int;
        // SAFETY: this is the function's type.
        self.netent(1024, |entry, buffer, errno, h_errno| unsafe {
            self.function::<F>("getnetbyaddr_r")(network, AF_INET, entry, buffer, 1024, errno, h_errno)
        })
    }

    fn etherent(
        &self,
        octets: usize,
        call: impl FnOnce(*mut Etherent, *mut c_char, *mut c_int) -> c_int,
    ) -> Outcome {
        let mut entry = Etherent { name: std::ptr::null(), address: [0; 6] };
        let pointer = &raw mut entry;
        self.call(
            octets,
            |buffer, errno, _| call(pointer, buffer, errno),
            |lent| {
                let entry = unsafe { &*pointer };
                let [a, b, c, d, e, f] = entry.address;
                format!("{} {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}", lent.text(entry.name))
            },
        )
    }

    pub(crate) fn ether(&self, name: &str, octets: usize) -> Outcome {
        type F = unsafe extern "C" fn(*const c_char, *mut Etherent, *mut c_char, usize, *mut c_int) -> c_int;
        let name = CString::new(name).unwrap();
        // SAFETY: this is the function's type.
        self.etherent(octets, |entry, buffer, errno| unsafe {
            self.function::<F>("gethostton_r")(name.as_ptr(), entry, buffer, octets, errno)
        })
    }

    pub(crate) fn ether_at(&self, address: [u8; 6], octets: usize) -> Outcome {
        type F = unsafe extern "C" fn(*const [u8; 6], *mut Etherent, *mut c_char, usize, *mut c_int) -> c_int;
        // SAFETY: this is the function's type.
        self.etherent(octets, |entry, buffer, errno| unsafe {
            self.function::<F>("getntohost_r")(&raw const address, entry, buffer, octets, errno)
        })
    }

    fn all(&self, database: &str, next: impl Fn() -> Outcome) -> Vec<String> {
        // SAFETY: these are the functions' types.
        unsafe {
            assert_eq!(
                self.function::<unsafe extern "C" fn(c_int) -> c_int>(&format!("set{database}"))(0),
                1
            );
            let found = std::iter::from_fn(|| {
                let found = next();
                assert!(found.status == 1 || found.status == 0, "{found:?}");
                found.answer
            });
            let found = found.collect();
            assert_eq!(self.function::<unsafe extern "C" fn() -> c_int>(&format!("end{database}"))(), 1);
            found
        }
    }

    pub(crate) fn all_hosts(&self) -> Vec<String> {
        type F = unsafe extern "C" fn(*mut hostent, *mut c_char, usize, *mut c_int, *mut c_int) -> c_int;
        let with = |octets| {
            let mut entry = empty();
            let pointer = &raw mut entry;
            // SAFETY: this is the function's type.
            let call = |buffer, errno, h_errno| unsafe {
                self.function::<F>("gethostent_r")(pointer, buffer, octets, errno, h_errno)
            };
            self.call(octets, call, |lent| show(unsafe { &*pointer }, lent))
        };
        // First with too little: the walk has to stay where it is.
        self.all("hostent", || {
            let too_little = with(16).status;
            assert!(too_little == -2 || too_little == 0, "{too_little}");
            with(1024)
        })
    }

    pub(crate) fn all_networks(&self) -> Vec<String> {
        type F = unsafe extern "C" fn(*mut Netent, *mut c_char, usize, *mut c_int, *mut c_int) -> c_int;
        // SAFETY: this is the function's type.
        let next = || {
            self.netent(1024, |entry, buffer, errno, h_errno| unsafe {
                self.function::<F>("getnetent_r")(entry, buffer, 1024, errno, h_errno)
            })
        };
        self.all("netent", next)
    }

    pub(crate) fn all_ethers(&self) -> Vec<String> {
        type F = unsafe extern "C" fn(*mut Etherent, *mut c_char, usize, *mut c_int) -> c_int;
        // SAFETY: this is the function's type.
        let next = || {
            self.etherent(1024, |entry, buffer, errno| unsafe {
                self.function::<F>("getetherent_r")(entry, buffer, 1024, errno)
            })
        };
        self.all("etherent", next)
    }

    /// All members of a group, or what is told instead.
    pub(crate) fn members(&self, group: &str) -> Result<Vec<String>, c_int> {
        let mut walk = self.walk(group)?;
        Ok(std::iter::from_fn(|| walk.next(1024).ok()).collect())
    }

    pub(crate) fn walk(&self, group: &str) -> Result<Walk, c_int> {
        let name = CString::new(group).unwrap();
        // SAFETY: all of it may be zero.
        let mut entry: Box<Netgrent> = unsafe { Box::new(std::mem::zeroed()) };
        // SAFETY: this is the function's type.
        let status = unsafe {
            self.function::<unsafe extern "C" fn(*const c_char, *mut Netgrent) -> c_int>("setnetgrent")(
                name.as_ptr(),
                &raw mut *entry,
            )
        };
        if status == 1 { Ok(Walk { library: *self, entry }) } else { Err(status) }
    }

    pub(crate) fn call_quickly(&self) -> Call {
        // SAFETY: these are the functions' types.
        unsafe {
            Call {
                name: self.function("gethostbyname2_r"),
                name_4: self.function("gethostbyname4_r"),
                address: self.function("gethostbyaddr_r"),
            }
        }
    }
}

/// The members of a group, one by one.
pub(crate) struct Walk {
    library: Library,
    entry: Box<Netgrent>,
}

impl Walk {
    pub(crate) fn next(&mut self, octets: usize) -> Result<String, (c_int, c_int)> {
        type F = unsafe extern "C" fn(*mut Netgrent, *mut c_char, usize, *mut c_int) -> c_int;
        let entry = &raw mut *self.entry;
        // SAFETY: this is the function's type.
        let call = |buffer, errno, _| unsafe {
            self.library.function::<F>("getnetgrent_r")(entry, buffer, octets, errno)
        };
        let found = self.library.call(octets, call, |lent| {
            let entry = unsafe { &*entry };
            let part = |part: *const c_char| match part.is_null() {
                true => String::new(),
                // SAFETY: it is a text of the library's.
                false => unsafe { CStr::from_ptr(part) }.to_str().unwrap().to_owned(),
            };
            assert_eq!(entry.kind, 0);
            format!("({},{},{})", lent.text(entry.triple[0]), part(entry.triple[1]), part(entry.triple[2]))
        });
        found.answer.ok_or((found.status, found.errno))
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        // SAFETY: this is the function's type.
        unsafe {
            self.library.function::<unsafe extern "C" fn(*mut Netgrent) -> c_int>("endnetgrent")(
                &raw mut *self.entry,
            )
        };
    }
}
