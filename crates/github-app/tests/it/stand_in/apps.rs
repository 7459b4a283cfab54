//! What GitHub says to an App: about itself, its installations, and tokens for them.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use serde_json::{Value, json};

use super::{
    APP_ID, Answer, INSTALLATION, KEY, LIFETIME, REPOSITORY, Refusal, Request, StandIn, Token,
    found,
};

impl StandIn {
    pub(super) fn answer_app(&self, request: &Request) -> Answer {
        self.check_jwt(&request.token)?;
        let world = self.world();
        let tokens = format!("/app/installations/{INSTALLATION}/access_tokens");
        let about = format!("/repos/{REPOSITORY}/installation");
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/app") => Ok(found(
                200,
                &json!({
                    "id": APP_ID, "slug": "windlass-test", "name": "Windlass (test)",
                    "html_url": "https://github.example/apps/windlass-test",
                }),
            )),
            ("GET", path) if path.eq_ignore_ascii_case(&about) && world.installed => {
                let app = json!({ "login": "octo", "id": 1, "type": "Organization" });
                Ok(found(200, &json!({ "id": INSTALLATION, "app_id": APP_ID, "account": app })))
            }
            ("POST", path) if path == tokens && world.installed => {
                drop(world);
                self.give_token(&request.body)
            }
            _ => Err(Refusal(404, "Not Found")),
        }
    }

    /// <https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app>
    fn check_jwt(&self, token: &str) -> Result<(), Refusal> {
        let undecodable = || Refusal(401, "A JSON web token could not be decoded");
        let (said, signature) = token.rsplit_once('.').ok_or_else(undecodable)?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| undecodable())?;
        let PrivateKeyDer::Pkcs1(key) = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap()
        else {
            unreachable!("it is one")
        };
        let key = RsaKeyPair::from_der(key.secret_pkcs1_der()).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key())
            .verify(said.as_bytes(), &signature)
            .map_err(|_| undecodable())?;
        let part = |part: &str| -> Value {
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let (head, claims) = said.split_once('.').ok_or_else(undecodable)?;
        let (head, claims) = (part(head), part(claims));
        if head["alg"] != "RS256" {
            return Err(undecodable());
        }
        if claims["iss"] != APP_ID {
            return Err(Refusal(404, "Integration not found"));
        }
        let now = self.now().timestamp();
        let (begins, ends) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        if now < begins {
            return Err(Refusal(401, "'Issued at' claim ('iat') must be an Integer in the past"));
        }
        if ends <= now || now + 600 < ends || begins + 600 < ends {
            return Err(Refusal(401, "'Expiration time' claim ('exp') is too far in the future"));
        }
        Ok(())
    }

    fn give_token(&self, wanted: &Value) -> Answer {
        let mut world = self.world();
        let (_, name) = REPOSITORY.split_once('/').unwrap();
        let repositories: Vec<String> = wanted["repositories"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap().to_ascii_lowercase())
            .collect();
        if repositories.iter().any(|wanted| wanted != name) {
            let message = "There is at least one repository that does not exist or is not \
                           accessible to the parent installation.";
            return Err(Refusal(422, message));
        }
        let allowed = |name: &str, level: &Value| {
            level == "read" || world.permissions.get(name) == Some(&"write".into())
        };
        let permissions = wanted["permissions"].clone();
        let has = |(name, level): (&String, &Value)| {
            world.permissions.get(name).is_some() && allowed(name, level)
        };
        if !permissions.as_object().unwrap().iter().all(has) {
            let message = "The permissions requested are not granted to this installation.";
            return Err(Refusal(422, message));
        }
        let text = format!("ghs_secret{}", world.next_id());
        let expires_at = self.now() + LIFETIME;
        let given = json!({
            "token": text, "expires_at": expires_at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "permissions": permissions, "repository_selection": "selected",
        });
        world.tokens.push(Token { text, repositories, permissions, expires_at });
        Ok(found(201, &given))
    }
}

impl super::World {
    /// Which repositories and permissions the newest token has.
    pub(crate) fn newest_token(&self) -> (&[String], &Value) {
        let token = self.tokens.last().unwrap();
        (&token.repositories, &token.permissions)
    }

    /// Ends all tokens.
    pub(crate) fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }
}
