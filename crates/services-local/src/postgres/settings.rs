//! How a project's PostgreSQL is set up: files that are written before each of its starts.

use std::path::Path;

/// Our own account, a superuser.
pub(crate) const ADMINISTRATOR: &str = "windlass";

/// Who may connect to what. Over TCP a role gets to the database of its own name and no other,
/// whatever that database grants, and ours gets nowhere. The socket is in a folder that only the
/// server's user can enter.
pub(crate) const ACCESS: &str = "\
local postgres windlass scram-sha-256
local all windlass reject
local all all scram-sha-256
host sameuser all 127.0.0.1/32 scram-sha-256
";

/// What its settings depend on.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) port: u16,
    pub(crate) sockets: &'a Path,
    pub(crate) access: &'a Path,
}

impl Settings<'_> {
    /// The text of `postgresql.conf`. Modest, since there is one for each project; its log says
    /// little, since apps decide how much is to be said, and never what statements contain.
    pub(crate) fn text(&self) -> String {
        let Self { port, sockets, access } = self;
        let (sockets, access) = (quoted(sockets), quoted(access));
        format!(
            "listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = {sockets}
unix_socket_permissions = 0700
hba_file = {access}
password_encryption = 'scram-sha-256'
ssl = off
max_connections = 100
superuser_reserved_connections = 5
shared_buffers = 32MB
maintenance_work_mem = 32MB
max_wal_senders = 0
wal_level = minimal
min_wal_size = 32MB
max_wal_size = 256MB
max_worker_processes = 4
jit = off
log_destination = 'stderr'
logging_collector = off
log_min_messages = fatal
log_min_error_statement = panic
log_statement = 'none'
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
"
        )
    }
}

/// A text of a configuration file. A list of folders, such as that of the sockets, would be split
/// at commas: there is one in no path of ours but the operator's.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\'', "''");
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Settings;

    #[test]
    fn a_path_stays_within_its_quotes() {
        let path = Path::new("/it's here");
        let text = Settings { port: 21_000, sockets: path, access: path }.text();
        assert!(text.contains("hba_file = '/it''s here'\n"), "{text}");
    }
}
