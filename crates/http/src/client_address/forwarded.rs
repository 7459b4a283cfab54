//! The headers in which proxies name whom they speak for.

use std::net::{IpAddr, SocketAddr};

/// The addresses in one line of `X-Forwarded-For`; `None` for each that cannot be read.
pub(super) fn addresses(line: &str) -> Vec<Option<IpAddr>> {
    line.split(',').map(str::trim).filter(|hop| !hop.is_empty()).map(address).collect()
}

/// The addresses in one line of `Forwarded` (RFC 7239, section 4), `None` for each that is not
/// told. Nothing at all for a line that is malformed: where its elements end cannot be known.
pub(super) fn nodes(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut nodes = Vec::new();
    for element in split_unquoted(line, ',')? {
        let mut node = None;
        for pair in split_unquoted(element, ';')? {
            let (name, value) = pair.split_once('=')?;
            let value = unquoted(value)?;
            if name.eq_ignore_ascii_case("for") && node.replace(value).is_some() {
                return None;
            }
        }
        nodes.push(node.and_then(|node| address(&node)));
    }
    Some(nodes)
}

/// An address, with a port or without, IPv6 in brackets or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// The parts between separators outside of quoted strings, without those that are empty; nothing
/// where a quoted string does not end.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|c: char| {
        let is_plain = !std::mem::take(&mut is_escaped);
        match c {
            '"' if is_plain => is_quoted = !is_quoted,
            '\\' if is_plain => is_escaped = is_quoted,
            _ => {}
        }
        c == separator && !is_quoted
    });
    let parts: Vec<&str> = parts.map(str::trim).filter(|part| !part.is_empty()).collect();
    (!is_quoted).then_some(parts)
}

/// A token as it is, a quoted string without its quotation marks and escapes.
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else {
        return (!value.is_empty() && !value.contains('"')).then(|| value.to_owned());
    };
    let mut text = String::new();
    let mut rest = rest.chars();
    loop {
        match rest.next()? {
            '"' => return rest.next().is_none().then_some(text),
            '\\' => text.push(rest.next()?),
            c => text.push(c),
        }
    }
}
