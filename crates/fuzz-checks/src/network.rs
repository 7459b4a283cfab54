//! Lists of networks, as they stand in JSON.

use windlass_auth::Network;

/// A network that was read is written in one way, which is read as the same. It holds its own
/// first address.
pub fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let one = text.parse().map(|network| vec![network]).unwrap_or_default();
    let list: Vec<Network> = serde_json::from_str(text).unwrap_or(one);
    for network in &list {
        let written = network.to_string();
        assert_eq!(written.parse(), Ok(*network), "{written}");
        assert!(network.covers(network));
        let first = written.split('/').next().unwrap().parse().unwrap();
        assert!(network.contains(first), "{written}");
    }
    let written = serde_json::to_string(&list).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Network>>(&written).unwrap(), list);
}
