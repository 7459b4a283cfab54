//! Which server has which port.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, TcpListener},
    ops::RangeInclusive,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use crate::files::{read_json, write_json};

/// Gives every server a port of its own, which it keeps while it can.
#[derive(Debug)]
pub(crate) struct Ports {
    file: PathBuf,
    range: RangeInclusive<u16>,
    known: Mutex<BTreeMap<String, u16>>,
}

impl Ports {
    pub(crate) fn open(file: PathBuf, range: RangeInclusive<u16>) -> io::Result<Self> {
        let known = read_json(&file)?.unwrap_or_default();
        Ok(Self { file, range, known: Mutex::new(known) })
    }

    /// The port that a server had last.
    pub(crate) fn of(&self, server: &str) -> Option<u16> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(server).copied()
    }

    /// The port that a server is to listen on: the one that it had, unless somebody else has it now.
    pub(crate) fn choose(&self, server: &str) -> io::Result<u16> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(port) = known.get(server).copied().filter(|port| is_free(*port)) {
            return Ok(port);
        }
        let is_taken = |port: &u16| known.values().any(|other| other == port);
        // Not all begin with the same one: somebody may be looking for one at the same time.
        let skip = server.bytes().fold(0, |sum, byte| (31 * sum + usize::from(byte)) % 65_521);
        let all = self.range.clone();
        let mut ports = all.clone().cycle().skip(skip % all.len().max(1)).take(all.len());
        let port = ports.find(|port| !is_taken(port) && is_free(*port));
        let port = port.ok_or_else(|| {
            let (first, last) = (self.range.start(), self.range.end());
            io::Error::other(format!("no port from {first} to {last} is free"))
        })?;
        let mut next = known.clone();
        next.insert(server.to_owned(), port);
        write_json(&self.file, &next)?;
        *known = next;
        Ok(port)
    }

    /// Lets others have the ports of all servers whose names begin so.
    pub(crate) fn release(&self, prefix: &str) -> io::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = known.clone();
        next.retain(|server, _| !server.starts_with(prefix));
        if next.len() != known.len() {
            write_json(&self.file, &next)?;
            *known = next;
        }
        Ok(())
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_until_somebody_else_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ports.json");
        let ports = Ports::open(file.clone(), 20_100..=20_199).unwrap();
        let one = ports.choose("one").unwrap();
        let two = ports.choose("two").unwrap();
        assert_ne!(one, two);

        let ports = Ports::open(file, 20_100..=20_199).unwrap();
        assert_eq!(ports.choose("one").unwrap(), one);
        let _squatter = TcpListener::bind((Ipv4Addr::LOCALHOST, one)).unwrap();
        let other = ports.choose("one").unwrap();
        assert!(other != one && other != two);
        assert_eq!(ports.of("one"), Some(other));

        ports.release("two").unwrap();
        assert_eq!(ports.of("two"), None);
    }

    #[test]
    fn a_range_can_be_used_up() {
        let folder = tempfile::tempdir().unwrap();
        let ports = Ports::open(folder.path().join("ports.json"), 20_200..=20_200).unwrap();
        ports.choose("one").unwrap();
        assert!(ports.choose("two").is_err());
    }
}
