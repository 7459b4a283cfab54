//! Repositories, and the addresses by which they are known.

use windlass_domain::{GitUrl, is_unprintable};

/// Most addresses of a repository.
const MOST_ADDRESSES: usize = 16;

/// Most bytes of a repository's full name.
const MOST_BYTES: usize = 1_000;

/// A repository of a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    full_name: String,
    addresses: Vec<String>,
}

impl Repository {
    /// Nothing where the name cannot be one; addresses that cannot be fetched are left out.
    pub(crate) fn new<I>(full_name: String, addresses: I) -> Option<Self>
    where
        I: IntoIterator<Item = Option<String>>,
    {
        let is_fine = (1..=MOST_BYTES).contains(&full_name.len());
        if !is_fine || full_name.chars().any(is_unprintable) {
            return None;
        }
        let mut known: Vec<String> = Vec::new();
        for spelling in addresses.into_iter().flatten().flat_map(|address| spellings(&address)) {
            if known.len() < MOST_ADDRESSES && !known.contains(&spelling) {
                known.push(spelling);
            }
        }
        Some(Self { full_name, addresses: known })
    }

    /// Its name on the forge: `owner/name`, or `group/subgroup/name`.
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// All ways in which its address may be written, with small ASCII letters: by each protocol,
    /// with and without `.git`. At most 16, of at most 1000 bytes each.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Whether it is the one at this address. Capitals make no difference, as to the forges.
    #[must_use]
    pub fn is_at(&self, url: &GitUrl) -> bool {
        self.addresses.iter().any(|address| address.eq_ignore_ascii_case(url.as_str()))
    }
}

/// All ways to write an address; none where it is not one from which git could fetch.
fn spellings(address: &str) -> Vec<String> {
    if address.parse::<GitUrl>().is_err() {
        return Vec::new();
    }
    let address = address.to_ascii_lowercase();
    let address = address.trim_end_matches('/');
    let bare = address.strip_suffix(".git").unwrap_or(address);
    let bare = [Some(bare.to_owned()), other_form(bare)];
    let all = bare.into_iter().flatten().flat_map(|bare| [format!("{bare}.git"), bare]);
    all.filter(|spelling| spelling.parse::<GitUrl>().is_ok()).collect()
}

/// `user@host:path` for `ssh://user@host/path`, a path for a `file:` address, and back.
fn other_form(address: &str) -> Option<String> {
    if let Some(rest) = address.strip_prefix("ssh://") {
        let (host, path) = rest.split_once('/')?;
        // The short form has no place for a port.
        return (!host.contains(':')).then(|| format!("{host}:{path}"));
    }
    if let Some(path) = address.strip_prefix("file://") {
        return Some(path.to_owned());
    }
    if address.contains("://") {
        return None;
    }
    if address.starts_with('/') {
        return Some(format!("file://{address}"));
    }
    let (host, path) = address.split_once(':')?;
    Some(format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::Repository;

    fn addresses(given: &[&str]) -> Vec<String> {
        let given = given.iter().map(|address| Some((*address).to_owned()));
        let repository = Repository::new("octo/shop".to_owned(), given).unwrap();
        let mut addresses = repository.addresses().to_vec();
        addresses.sort();
        addresses
    }

    #[test]
    fn every_way_to_write_an_address_is_known() {
        let given = [
            "https://GitHub.com/Octo/Shop.git",
            "git@github.com:Octo/Shop.git",
            "git://github.com/Octo/Shop.git",
            "https://github.com/Octo/Shop",
        ];
        let wanted = [
            "git://github.com/octo/shop",
            "git://github.com/octo/shop.git",
            "git@github.com:octo/shop",
            "git@github.com:octo/shop.git",
            "https://github.com/octo/shop",
            "https://github.com/octo/shop.git",
            "ssh://git@github.com/octo/shop",
            "ssh://git@github.com/octo/shop.git",
        ];
        assert_eq!(addresses(&given), wanted);
    }

    #[test]
    fn an_address_with_a_port_has_no_short_form() {
        let wanted = ["ssh://git@example.com:2222/a/b", "ssh://git@example.com:2222/a/b.git"];
        assert_eq!(addresses(&["ssh://git@example.com:2222/a/b.git"]), wanted);
        assert_eq!(
            addresses(&["ssh://git@example.com/a/b"]),
            [
                "git@example.com:a/b",
                "git@example.com:a/b.git",
                "ssh://git@example.com/a/b",
                "ssh://git@example.com/a/b.git"
            ]
        );
    }

    #[test]
    fn a_repository_of_this_machine_has_addresses_too() {
        let wanted = ["/srv/shop", "/srv/shop.git", "file:///srv/shop", "file:///srv/shop.git"];
        assert_eq!(addresses(&["/srv/shop"]), wanted);
        assert_eq!(addresses(&["file:///srv/shop.git/"]), wanted);
    }

    #[test]
    fn what_git_cannot_fetch_is_no_address() {
        let long = format!("https://example.com/{}", "x".repeat(981));
        let bad = ["", "/", ".git", "shop", "https://me:hunter2@example.com/x", "ext::sh", &long];
        assert_eq!(addresses(&bad), [""; 0]);
    }

    #[test]
    fn there_are_only_so_many() {
        let given: Vec<_> = (0..20).map(|n| Some(format!("https://example.com/{n}"))).collect();
        let repository = Repository::new("octo/shop".to_owned(), given).unwrap();
        assert_eq!(repository.addresses().len(), 16);
    }

    #[test]
    fn a_project_is_recognised_by_its_address() {
        let address = Some("https://github.com/octo/shop.git".to_owned());
        let repository = Repository::new("octo/shop".to_owned(), [address]).unwrap();
        let is_at = |text: &str| repository.is_at(&text.parse().unwrap());
        assert!(is_at("https://github.com/Octo/Shop") && is_at("https://github.com/octo/shop.git"));
        assert!(!is_at("https://github.com/octo/shop2"));
    }

    #[test]
    fn a_name_that_would_mislead_is_none() {
        for name in ["", "octo/\u{202e}shop", &"x".repeat(1_001)] {
            assert_eq!(Repository::new(name.to_owned(), []), None, "{name:?}");
        }
    }
}
