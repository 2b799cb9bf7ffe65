//! Where run-time loaders look for libraries: ld.so(8) of glibc, musl's ld.so, rtld(1) of FreeBSD. It reads their
//! configuration; it does not know which libraries are wanted.

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Observe, Place, Platform, Result};

use crate::elf::Machine;
use crate::{ld_so_conf, libmap};

/// FreeBSD's loader for programs of 32 bits on a kernel of 64.
const LOADER_32: &str = "/libexec/ld-elf32.so.1";

/// A run-time loader as one program has it.
#[derive(Debug, Clone)]
pub(crate) struct Loader {
    kind: Kind,
    machine: Machine,
    /// Directories that its configuration names.
    configured: Vec<Utf8PathBuf>,
    /// The file by which the loader itself knows these.
    pub(crate) configuration: Option<Utf8PathBuf>,
    /// Directories that it knows without being told.
    defaults: Vec<Utf8PathBuf>,
    /// The loader that the kernel takes for the one that the program names.
    pub(crate) instead_of_named: Option<Utf8PathBuf>,
    /// Libraries that stand in for others.
    pub(crate) mapped: libmap::Mapping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Glibc,
    Musl,
    Freebsd,
}

/// A directory to look in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) dir: Utf8PathBuf,
    /// The loader finds it only through its configuration.
    pub(crate) by_configuration: bool,
}

impl Loader {
    /// The loader of a program for `machine` that names `interpreter`; a library alone gets the system's own.
    pub(crate) fn of(interpreter: Option<&str>, machine: Machine, host: &dyn Observe) -> Result<Self> {
        let name = interpreter.and_then(|path| Utf8Path::new(path).file_name()).unwrap_or_default();
        let mut loader = if let Some(arch) = name.strip_prefix("ld-musl-") {
            let arch = arch.strip_suffix(".so.1").unwrap_or(arch);
            Self::new(Kind::Musl, machine, &format!("/etc/ld-musl-{arch}.path"))
        } else if name.starts_with("ld-elf") || (name.is_empty() && host.platform()? == Platform::Freebsd) {
            Self::freebsd(machine, host)?
        } else {
            Self::new(Kind::Glibc, machine, "/etc/ld.so.cache")
        };
        loader.configure(host)?;
        Ok(loader)
    }

    fn new(kind: Kind, machine: Machine, configuration: &str) -> Self {
        let defaults = match kind {
            Kind::Glibc => glibc_defaults(machine),
            Kind::Musl => ["/lib", "/usr/local/lib", "/usr/lib"].map(Utf8PathBuf::from).into(),
            Kind::Freebsd => ["/lib/casper", "/lib", "/usr/lib"].map(Utf8PathBuf::from).into(),
        };
        Self {
            kind,
            machine,
            configured: vec![],
            configuration: Some(configuration.into()),
            defaults,
            instead_of_named: None,
            mapped: libmap::Mapping::default(),
        }
    }

    /// rtld(1). On a kernel of 64 bits a program of 32 bits gets another loader than the one that it names, with other
    /// hints and directories: `sys/compat/ia32/ia32_sysvec.c`, `libexec/rtld-elf/rtld_paths.h`.
    fn freebsd(machine: Machine, host: &dyn Observe) -> Result<Self> {
        let mapped = libmap::Mapping::read(host)?;
        let is_foreign = !machine.wide && host.stat(&Place::host(LOADER_32))?.is_some();
        if !is_foreign {
            return Ok(Self { mapped, ..Self::new(Kind::Freebsd, machine, "/var/run/ld-elf.so.hints") });
        }
        let loader = Self::new(Kind::Freebsd, machine, "/var/run/ld-elf32.so.hints");
        let defaults = ["/lib32", "/usr/lib32"].map(Utf8PathBuf::from).into();
        Ok(Self { defaults, mapped, instead_of_named: Some(LOADER_32.into()), ..loader })
    }

    fn configure(&mut self, host: &dyn Observe) -> Result<()> {
        let Some(path) = self.configuration.clone() else { return Ok(()) };
        if host.stat(&Place::host(&path))?.is_none() {
            self.configuration = None;
            return Ok(());
        }
        self.configured = match self.kind {
            Kind::Glibc => ld_so_conf::directories(host)?,
            Kind::Musl => {
                self.defaults.clear(); // the file stands in their place
                let text = host.read(&Place::host(&path))?;
                absolute(text.split([':', '\n']))
            }
            Kind::Freebsd => absolute(hints(&host.bytes(&Place::host(&path), 0, 1 << 20)?).split(':')),
        };
        Ok(())
    }

    /// Whether the loader is that library itself: musl's is most of the C library.
    pub(crate) fn is_itself(&self, library: &str) -> bool {
        const OWN: &[&str] = &["libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."];
        self.kind == Kind::Musl && OWN.iter().any(|name| library.starts_with(name))
    }

    /// Whether a DT_RUNPATH also counts for what its libraries need.
    pub(crate) fn inherits_runpath(&self) -> bool {
        self.kind == Kind::Musl
    }

    /// The loader's own directories in their order.
    pub(crate) fn own(&self, no_defaults: bool) -> Vec<Candidate> {
        let is_default = |dir: &Utf8PathBuf| self.defaults.contains(dir);
        let configured = self.configured.iter().filter(|dir| !no_defaults || !is_default(dir));
        let configured = configured.map(|dir| (dir, !is_default(dir)));
        let defaults = self.defaults.iter().filter(|_| !no_defaults).map(|dir| (dir, false));
        configured
            .chain(defaults)
            .map(|(dir, by_configuration)| Candidate { dir: dir.clone(), by_configuration })
            .collect()
    }

    /// The directories that one element of a DT_RPATH or DT_RUNPATH stands for in an object that lies in one of
    /// `origins`; none for what is relative to a working directory.
    pub(crate) fn expand(&self, element: &str, origins: &[&Utf8Path]) -> Vec<Utf8PathBuf> {
        let mut texts = vec![element.to_owned()];
        let origins: Vec<&str> = origins.iter().map(|dir| dir.as_str()).collect();
        for (token, values) in [("ORIGIN", origins), ("LIB", self.lib()), ("PLATFORM", self.platform())] {
            for written in [format!("${{{token}}}"), format!("${token}")] {
                let each = |text: &String| -> Vec<String> {
                    if !text.contains(&written) {
                        return vec![text.clone()];
                    }
                    values.iter().map(|value| text.replace(&written, value)).collect()
                };
                texts = texts.iter().flat_map(each).collect();
            }
        }
        absolute(texts.iter().map(String::as_str))
    }

    fn lib(&self) -> Vec<&'static str> {
        let (_, multiarch) = names(self.machine);
        let plain = if self.machine.wide { "lib64" } else { "lib32" };
        [multiarch, plain, "lib"].into_iter().filter(|name| !name.is_empty()).collect()
    }

    fn platform(&self) -> Vec<&'static str> {
        let (platform, _) = names(self.machine);
        vec![platform]
    }
}

fn glibc_defaults(machine: Machine) -> Vec<Utf8PathBuf> {
    let (_, multiarch) = names(machine);
    let plain = if machine.wide { "lib64" } else { "lib32" };
    let multiarch = multiarch.strip_prefix("lib/").map(|triplet| format!("lib/{triplet}"));
    let below = multiarch.into_iter().chain([plain.to_owned(), "lib".to_owned()]);
    below.flat_map(|dir| [format!("/{dir}"), format!("/usr/{dir}")]).map(Utf8PathBuf::from).collect()
}

/// What AT_PLATFORM and the directory of libraries are called (getauxval(3); the multiarch tuples of Debian).
fn names(machine: Machine) -> (&'static str, &'static str) {
    match (machine.number, machine.wide, machine.big_endian) {
        (62, true, _) => ("x86_64", "lib/x86_64-linux-gnu"),
        (62, false, _) => ("x86_64", "lib/x86_64-linux-gnux32"),
        (3, ..) => ("i686", "lib/i386-linux-gnu"),
        (183, _, false) => ("aarch64", "lib/aarch64-linux-gnu"),
        (40, ..) => ("v7l", "lib/arm-linux-gnueabihf"),
        (243, true, _) => ("riscv64", "lib/riscv64-linux-gnu"),
        (21, _, false) => ("powerpc64le", "lib/powerpc64le-linux-gnu"),
        (22, true, _) => ("s390x", "lib/s390x-linux-gnu"),
        (258, ..) => ("loongarch64", "lib/loongarch64-linux-gnu"),
        _ => ("", ""),
    }
}

/// The list of directories in a hints file: `struct elfhints_hdr` of FreeBSD's `elf-hints.h`.
fn hints(bytes: &[u8]) -> String {
    let word = |n: usize| -> Option<usize> {
        let four = bytes.get(4 * n..4 * n + 4)?;
        usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
    };
    let list = || {
        let (magic, strings, start, length) = (word(0)?, word(2)?, word(4)?, word(5)?);
        let start = strings.checked_add(start)?;
        let list = bytes.get(start..start.checked_add(length)?)?;
        (magic == 0x746e_6845).then(|| String::from_utf8_lossy(list).into_owned())
    };
    list().unwrap_or_default()
}

fn absolute<'a>(dirs: impl Iterator<Item = &'a str>) -> Vec<Utf8PathBuf> {
    let dirs = dirs.map(str::trim).filter(|dir| dir.starts_with('/') && !dir.contains('$'));
    dirs.map(Utf8PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMD64: Machine = Machine { wide: true, big_endian: false, number: 62 };

    #[test]
    fn tokens_stand_for_directories() {
        let loader = Loader::new(Kind::Glibc, AMD64, "/etc/ld.so.cache");
        let expand = |element| loader.expand(element, &[Utf8Path::new("/opt/app/bin")]);
        assert_eq!(expand("$ORIGIN/../lib"), ["/opt/app/bin/../lib"]);
        assert_eq!(expand("${ORIGIN}"), ["/opt/app/bin"]);
        assert_eq!(expand("/opt/$LIB"), ["/opt/lib/x86_64-linux-gnu", "/opt/lib64", "/opt/lib"]);
        assert_eq!(expand("/opt/$PLATFORM/lib"), ["/opt/x86_64/lib"]);
        for relative in ["", ".", "lib", "$OSREL/lib"] {
            assert_eq!(expand(relative), Vec::<Utf8PathBuf>::new(), "{relative:?}");
        }
    }

    #[test]
    fn hints_of_rtld_name_directories() {
        let mut bytes: Vec<u8> =
            [0x746e_6845_u32, 1, 128, 24, 0, 23].iter().flat_map(|n| n.to_le_bytes()).collect();
        bytes.resize(128, 0);
        bytes.extend(b"/lib:/usr/lib:/usr/local\0");
        assert_eq!(hints(&bytes), "/lib:/usr/lib:/usr/loca");
        for broken in [&bytes[..20], &bytes[..130], b"", &[0; 200]] {
            assert_eq!(hints(broken), "");
        }
    }
}
