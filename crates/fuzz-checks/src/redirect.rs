//! Where a browser is sent with a code in the address.

use http::Uri;
use windlass_auth::LoopbackRedirect;

/// Whatever is taken leads to the browser's own machine, as another reader of addresses sees it.
pub fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(redirect) = text.parse::<LoopbackRedirect>() else { return };
    assert_eq!(redirect.to_string(), text, "in one way");
    let uri: Uri = text.parse().unwrap();
    let authority = uri.authority().unwrap();
    assert_eq!((uri.scheme_str(), authority.host()), (Some("http"), "127.0.0.1"));
    assert_eq!(format!("http://{authority}"), redirect.origin());
    assert_eq!((uri.query(), authority.as_str().contains('@')), (None, false));
}
