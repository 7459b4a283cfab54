//! Two reads of GitHub's API: who somebody is, and which e-mail addresses are theirs.

use oauth2::{
    AccessToken,
    http::{Request, StatusCode, header},
};
use serde::{Deserialize, de::DeserializeOwned};
use windlass_auth::{ExternalIdentity, IdentityProvider, IdentityServiceError, KnownElsewhere};
use windlass_domain::{EmailAddress, Name};

use crate::{
    http::{Http, NoAnswer},
    unavailable,
};

/// The version of the API that is meant.
const VERSION: &str = "2022-11-28";

/// `GET /user`
#[derive(Deserialize)]
struct User {
    /// Stays the same when the login name changes, and is never given to anybody else.
    id: u64,
    login: String,
    name: Option<String>,
}

/// One of `GET /user/emails`
#[derive(Deserialize)]
struct Email {
    #[serde(rename = "email")]
    address: String,
    primary: bool,
    verified: bool,
}

/// Finds out whose access token it is.
pub(crate) fn look_up(
    http: &Http,
    api_url: &str,
    token: &AccessToken,
) -> Result<KnownElsewhere, IdentityServiceError> {
    let user = read::<User>(http, &format!("{api_url}/user"), token).map_err(unavailable)?;
    let emails = read::<Vec<Email>>(http, &format!("{api_url}/user/emails?per_page=100"), token);
    let emails = match emails {
        // A GitHub App that was not given the permission to read them.
        Err(NoAnswer::Status(403 | 404)) => Vec::new(),
        emails => emails.map_err(unavailable)?,
    };
    let name = name_of(&user);
    let name = name.ok_or_else(|| unavailable(Nameless))?;
    let subject = user.id.to_string();
    let identity = ExternalIdentity { provider: IdentityProvider::Github, subject };
    Ok(KnownElsewhere { identity, name, email: proven(emails) })
}

/// The first address, where it is verified and one by which somebody can be known here.
fn proven(emails: Vec<Email>) -> Option<EmailAddress> {
    let proven = emails.into_iter().find(|email| email.primary && email.verified);
    proven.and_then(|proven| proven.address.parse().ok())
}

/// How somebody calls themselves, where that is a name here, else their login name.
fn name_of(user: &User) -> Option<Name> {
    let names = [user.name.as_deref().unwrap_or_default(), &user.login];
    names.iter().find_map(|name| name.trim().parse().ok())
}

fn read<T: DeserializeOwned>(http: &Http, url: &str, token: &AccessToken) -> Result<T, NoAnswer> {
    let request = Request::get(url)
        .header(header::ACCEPT, "application/vnd.github+json")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.secret()))
        .header("x-github-api-version", VERSION)
        .body(Vec::new())?;
    let response = http.send(request)?;
    if response.status() != StatusCode::OK {
        return Err(NoAnswer::Status(response.status().as_u16()));
    }
    Ok(serde_json::from_slice(response.body())?)
}

/// Not even the login name is one.
#[derive(Debug, thiserror::Error)]
#[error("a person without a name")]
struct Nameless;

#[cfg(test)]
mod tests {
    use super::{Email, User, name_of, proven};

    #[test]
    fn only_a_first_address_that_is_verified_proves_anything() {
        let email =
            |text: &str, primary, verified| Email { address: text.to_owned(), primary, verified };
        let found = |emails| proven(emails).map(|email| email.to_string());
        let other = || email("other@example.com", false, true);
        let good = found(vec![other(), email("Ada@Example.com", true, true)]);
        assert_eq!(good.as_deref(), Some("ada@example.com"));
        assert_eq!(found(vec![other(), email("ada@example.com", true, false)]), None);
        assert_eq!(found(vec![other()]), None);
        assert_eq!(found(vec![email("ädä@example.com", true, true)]), None);
        assert_eq!(found(vec![]), None);
    }

    #[test]
    fn somebody_without_a_name_is_called_by_their_login_name() {
        let called = |name: Option<&str>| {
            let user = User { id: 1, login: "octocat".to_owned(), name: name.map(str::to_owned) };
            name_of(&user).map(|name| name.to_string())
        };
        assert_eq!(called(Some(" The Octocat ")).as_deref(), Some("The Octocat"));
        for name in [None, Some(""), Some(" "), Some("a\u{202e}b"), Some(&*"x".repeat(101))] {
            assert_eq!(called(name).as_deref(), Some("octocat"), "{name:?}");
        }
    }
}
