//! How an environment's Redis is set up: files that are written before each of its starts.

use std::path::Path;

/// Our own account, which may do everything.
pub(super) const ADMINISTRATOR: &str = "windlass";

/// What an app may do: nothing that reaches beyond its data, such as settings, modules, files,
/// replication and other servers, but to look after its own connections. Each subcommand is named
/// that was there in 6.2, where all of them are taken away together.
const RIGHTS: &str = "+@all -@admin -migrate -restore-asking +client|caching +client|getname \
                      +client|getredir +client|id +client|info +client|kill +client|list \
                      +client|reply +client|setname +client|tracking +client|trackinginfo \
                      +client|unblock +role +lastsave";

/// Who may do what: the digests of the passwords.
pub(super) struct Access {
    pub(super) own: String,
    pub(super) administrator: String,
}

impl Access {
    /// The text of the file of users. Apps need no name: not every client can give one.
    pub(super) fn text(&self) -> String {
        let Self { own, administrator } = self;
        format!(
            "user default reset on #{own} ~* &* {RIGHTS}
user {ADMINISTRATOR} reset on #{administrator} ~* &* +@all
"
        )
    }
}

/// What its settings depend on.
pub(super) struct Settings<'a> {
    pub(super) port: u16,
    pub(super) socket: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) pid_file: &'a Path,
    pub(super) access: &'a Path,
    pub(super) memory: u64,
}

impl Settings<'_> {
    /// The text of `redis.conf`. Every change is written to a file; where memory is used up, changes
    /// are refused rather than data forgotten.
    pub(super) fn text(&self) -> String {
        let Self { port, memory, .. } = self;
        let [socket, folder, pid_file, access] =
            [self.socket, self.folder, self.pid_file, self.access].map(quoted);
        format!(
            "bind 127.0.0.1
protected-mode yes
port {port}
unixsocket {socket}
unixsocketperm 700
daemonize no
pidfile {pid_file}
logfile \"\"
loglevel warning
dir {folder}
aclfile {access}
databases 16
maxclients 1000
maxmemory {memory}
maxmemory-policy noeviction
appendonly yes
appendfsync everysec
save \"\"
sanitize-dump-payload yes
"
        )
    }
}

/// A text of a configuration file.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::quoted;

    #[test]
    fn a_path_stays_within_its_quotes() {
        assert_eq!(quoted(Path::new("/a \"b\\")), "\"/a \\\"b\\\\\"");
    }
}
