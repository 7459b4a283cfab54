//! Points in time that a query names.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::problem::Problem;

/// Reads an ISO 8601 date or date-time; one without an offset is UTC.
pub(crate) fn moment(name: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let read = DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc())
        })
        .or_else(|_| NaiveDate::parse_from_str(text, "%Y-%m-%d").map(midnight));
    // Years beyond these are nowhere a date in a database.
    let years = |at: &DateTime<Utc>| (1..=9999).contains(&chrono::Datelike::year(at));
    read.ok().filter(years).map(Some).ok_or_else(|| {
        Problem::bad_query(format!(
            "`{name}` must be a date or date-time such as `2026-01-31` or `2026-01-31T12:00:00Z`"
        ))
    })
}
