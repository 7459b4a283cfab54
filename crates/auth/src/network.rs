//! Networks of addresses, of which a single address is the smallest.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An IPv4 or IPv6 network in CIDR notation, or a single address.
///
/// IPv4 that is written as IPv6 (`::ffff:192.0.2.1`) is IPv4, here and in whatever is compared
/// with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

/// The text is not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseNetworkError {
    /// It is something else altogether.
    #[error(
        "must be an address such as 203.0.113.7, or a network such as 203.0.113.0/24 or 2001:db8::/32"
    )]
    Syntax,
    /// It names one address within the network: probably not what was meant.
    #[error("has bits beyond the length of its prefix: the network is {network}")]
    HostBits {
        /// The network that it lies in.
        network: Network,
    },
}

/// How many of the bits of an IPv6 address come before the IPv4 address in it.
const MAPPED: u8 = 96;

/// How many of the bits of an IPv6 address name the network that a site or a machine is given.
const SITE: u8 = 64;

impl Network {
    /// What whoever comes from an address can come from just as well: that address alone for IPv4,
    /// 2⁶⁴ of them for IPv6.
    #[must_use]
    pub fn around(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let net = match address {
            IpAddr::V4(_) => address.into(),
            IpAddr::V6(_) => IpNet::new(address, SITE).map_or(address.into(), |net| net.trunc()),
        };
        Self(net)
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether every address of another network lies in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| ParseNetworkError::Syntax)?;
        let Some(length) = length else {
            return Ok(Self(written.to_canonical().into()));
        };
        let length = length_of(length).ok_or(ParseNetworkError::Syntax)?;
        let (address, length) = match (written, written.to_canonical()) {
            (IpAddr::V6(_), canonical @ IpAddr::V4(_)) if MAPPED <= length => {
                (canonical, length - MAPPED)
            }
            _ => (written, length),
        };
        let net = IpNet::new(address, length).map_err(|_| ParseNetworkError::Syntax)?;
        let network = Self(net.trunc());
        if network.0 == net { Ok(network) } else { Err(ParseNetworkError::HostBits { network }) }
    }
}

/// Digits alone: neither a sign nor zeros in front.
fn length_of(text: &str) -> Option<u8> {
    let is_plain = text == "0" || !text.starts_with('0');
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain && is_number)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
