//! What builds and apps can see of the machine.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde::{Deserialize, Serialize};

use crate::{
    layout::{HOME, WORKSPACE},
    order::Place,
};

/// A user and a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// How commands are kept apart from the machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Confinement {
    /// They see a system of their own, made by this `bwrap`.
    Bubblewrap { program: PathBuf, read_only: Vec<PathBuf> },
    /// They see what their user sees.
    Absent,
}

/// The paths under which a command knows its places.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) workspace: PathBuf,
    pub(crate) home: PathBuf,
}

/// Where the supervisor's program is found inside.
const LAUNCHER: &str = "/run/windlass/launcher";

/// What commands need of `/etc`, and nothing that is secret.
const ETC: [&str; 22] = [
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "gai.conf",
    "host.conf",
    "hosts",
    "java-17-openjdk",
    "java-21-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "terminfo",
    "timezone",
];

impl Confinement {
    /// Finds `bwrap` and tries it; the error says what is missing.
    pub(crate) fn probe(read_only: Vec<PathBuf>) -> Result<Self, String> {
        let program = ["/usr/local/bin/bwrap", "/usr/bin/bwrap", "/bin/bwrap"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| is_program(path))
            .ok_or("the program `bwrap` is not installed (Debian: apt-get install bubblewrap)")?;
        let mut command = Command::new(&program);
        command.args(namespaces()).args(system()).args(["--", "/bin/sh", "-c", "exit 0"]);
        let output = command.env_clear().output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(Self::Bubblewrap { program, read_only })
        } else {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(format!("the program `bwrap` does not work here: {said}"))
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// How a command in such a place sees it.
    pub(crate) fn view(&self, place: &Place) -> View {
        match self {
            Self::Bubblewrap { .. } => View { workspace: "/app".into(), home: "/home/app".into() },
            Self::Absent => {
                View { workspace: place.output.join(WORKSPACE), home: place.output.join(HOME) }
            }
        }
    }

    /// The program and the arguments that call the supervisor's program again, inside.
    pub(crate) fn wrap(&self, place: &Place, also_readable: Option<&Path>) -> Vec<OsString> {
        let launcher = &place.launcher;
        let (mut line, launcher_path) = match self {
            Self::Absent => (Vec::new(), launcher.program.clone().into_os_string()),
            Self::Bubblewrap { program, read_only } => {
                let mut line = vec![program.clone().into_os_string()];
                line.extend(namespaces().map(OsString::from));
                line.extend(system());
                line.extend(bind("--bind", &place.temp, Path::new("/tmp")));
                line.extend(bind("--bind", &place.output.join(WORKSPACE), Path::new("/app")));
                line.extend(bind("--bind", &place.output.join(HOME), Path::new("/home/app")));
                line.extend(bind("--ro-bind", &launcher.program, Path::new(LAUNCHER)));
                line.extend(accounts(place));
                for path in read_only.iter().map(PathBuf::as_path).chain(also_readable) {
                    line.extend(parents(path));
                    line.extend(bind("--ro-bind-try", path, path));
                }
                line.extend(["--remount-ro", "/", "--chdir", "/", "--"].map(OsString::from));
                (line, LAUNCHER.into())
            }
        };
        line.push(launcher_path);
        line.extend(launcher.arguments.iter().cloned());
        line.push("enter".into());
        line
    }
}

/// Files that name the user: some programs do not work for one without a name.
fn accounts(place: &Place) -> Vec<OsString> {
    let mut arguments = Vec::new();
    for name in ["passwd", "group"] {
        let file = place.output.join(name);
        if file.exists() {
            arguments.extend(bind("--ro-bind", &file, &Path::new("/etc").join(name)));
        }
    }
    arguments
}

/// Writes the files that name the user in its confinement.
pub(crate) fn write_accounts(output: &Path, identity: Identity) -> std::io::Result<()> {
    let Identity { uid, gid } = identity;
    let user =
        if uid == 0 { String::new() } else { format!("app:x:{uid}:{gid}::/home/app:/bin/sh\n") };
    let group = if gid == 0 { String::new() } else { format!("app:x:{gid}:\n") };
    let nobody = "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n";
    fs::write(output.join("passwd"), format!("root:x:0:0::/root:/bin/sh\n{user}{nobody}"))?;
    fs::write(output.join("group"), format!("root:x:0:\n{group}nogroup:x:65534:\n"))?;
    for name in ["passwd", "group"] {
        fs::set_permissions(output.join(name), fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

fn namespaces() -> impl Iterator<Item = &'static str> {
    let always = [
        "--die-with-parent",
        "--new-session",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ];
    // Root needs to become somebody else inside; others can't and needn't.
    let as_root = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"];
    always.into_iter().chain(as_root.into_iter().filter(|_| is_root()))
}

/// Makes the folders above a path open to everyone; by themselves they would be closed.
fn parents(path: &Path) -> Vec<OsString> {
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.pop(); // The root is there.
    above.into_iter().rev().flat_map(|folder| ["--dir".into(), folder.into()]).collect()
}

/// The system, read-only.
fn system() -> Vec<OsString> {
    let mut arguments = bind("--ro-bind", Path::new("/usr"), Path::new("/usr"));
    for folder in ["/etc", "/home", "/run", "/run/windlass", "/tmp", "/var"] {
        arguments.extend(["--dir", folder].map(OsString::from));
    }
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let path = Path::new("/").join(name);
        match fs::read_link(&path) {
            Ok(target) => {
                arguments.extend(["--symlink".into(), target.into_os_string(), path.into()]);
            }
            Err(_) => arguments.extend(bind("--ro-bind-try", &path, &path)),
        }
    }
    for path in ETC.map(|name| Path::new("/etc").join(name)) {
        arguments.extend(bind("--ro-bind-try", &path, &path));
    }
    arguments.extend(bind("--ro-bind-try", Path::new("/opt"), Path::new("/opt")));
    arguments.extend(["--proc", "/proc", "--dev", "/dev"].map(OsString::from));
    arguments.extend(["--perms", "1777", "--tmpfs", "/dev/shm"].map(OsString::from));
    arguments.extend(["--symlink", "../tmp", "/var/tmp"].map(OsString::from));
    arguments
}

fn bind(how: &str, from: &Path, to: &Path) -> Vec<OsString> {
    vec![how.into(), from.into(), to.into()]
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
