//! Which form of a log a client wants (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

/// A form of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Events,
    Text,
}

impl Form {
    /// The form that the client prefers; JSON where it names none of them.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).into_iter();
        let ranges = values.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        let mut best = (Self::Json, 0);
        for (form, weight) in ranges.filter_map(read) {
            // Of two that are equally welcome, the one that is named first.
            if best.1 < weight {
                best = (form, weight);
            }
        }
        best.0
    }
}

/// A media range, if it names one of the forms, and its weight in thousandths.
fn read(range: &str) -> Option<(Form, u32)> {
    let mut parts = range.split(';').map(str::trim);
    let form = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" | "application/*" | "*/*" => Form::Json,
        "text/event-stream" => Form::Events,
        // Whoever would look at a page can look at text.
        "text/plain" | "text/html" | "text/*" => Form::Text,
        _ => return None,
    };
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, thousandths);
    Some((form, weight))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 1000 by then"
)]
fn thousandths(text: &str) -> u32 {
    let weight: f32 = text.trim().parse().unwrap_or(0.0);
    (weight.clamp(0.0, 1.0) * 1_000.0) as u32
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::Form;

    #[test]
    fn the_client_gets_the_form_that_it_prefers() {
        for (accept, form) in [
            ("*/*", Form::Json),
            ("text/event-stream", Form::Events),
            ("text/plain", Form::Text),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Form::Text),
            ("image/png", Form::Json),
            ("application/json;q=0.5, text/event-stream", Form::Events),
            ("text/event-stream;q=0, text/plain", Form::Text),
            ("text/plain;q=nonsense", Form::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(Form::wanted(&headers), form, "{accept}");
        }
        assert_eq!(Form::wanted(&HeaderMap::new()), Form::Json);
    }
}
