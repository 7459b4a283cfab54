//! How an order becomes a certificate.

use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use crate::{
    error::AcmeError,
    issued::Issued,
    patience::{looks, patiently},
    problem::{Problem, Refusal},
    solver::Presented,
};

/// Orders a certificate, shows that the hosts are ours, and fetches it.
pub(crate) async fn fulfil(
    account: &Account,
    identifiers: &[Identifier],
    presented: &mut Presented,
    within: Duration,
) -> Result<Issued, AcmeError> {
    let wanted = NewOrder::new(identifiers);
    let mut order = patiently!(account.new_order(&wanted))?;
    // It is ready at once where the account has shown of late that the hosts are its own.
    if order.state().status != OrderStatus::Ready {
        answer(&mut order, presented).await?;
        let looked = patiently!(order.poll_ready(&looks(within)));
        if !matches!(looked, Ok(OrderStatus::Ready)) {
            return Err(why_not(&mut order, looked.err()).await);
        }
    }
    let (key, request) = request_for(identifiers)
        .map_err(|error| AcmeError::unavailable(format!("no key could be made for it: {error}")))?;
    patiently!(order.finalize_csr(&request))?;
    let chain = patiently!(order.poll_certificate(&looks(within)))?;
    Issued::new(chain, &key)
}

/// Presents all challenges and says so.
async fn answer(order: &mut Order, presented: &mut Presented) -> Result<(), AcmeError> {
    patiently!(look_up(order))?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        // Others than pending ones are shown already, or past help; the order knows.
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let host = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(ChallengeType::Http01) else {
            return Err(no_way(host));
        };
        let key_authorization = challenge.key_authorization();
        presented.present(&host, &challenge.token, key_authorization.as_str()).await?;
        let ready = patiently!(challenge.set_ready());
        ready.map_err(|error| about(&host, error))?;
    }
    Ok(())
}

/// Gets what is not known yet of the order's authorizations.
async fn look_up(order: &mut Order) -> Result<(), Error> {
    let mut identifiers = order.identifiers();
    while let Some(identifier) = identifiers.next().await {
        identifier?;
    }
    Ok(())
}

/// Why an order is not ready: of each host, what the authority says about its challenge.
async fn why_not(order: &mut Order, error: Option<Error>) -> AcmeError {
    let of_the_order = match error {
        None | Some(Error::Api(_)) => error,
        Some(other) => return other.into(),
    };
    let mut problems: Vec<Problem> = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let looked = patiently!(async { authorization.refresh().await.map(|_| ()) });
        if let Err(error) = looked {
            return error.into();
        }
        let host = authorization.identifier().to_string();
        let faults = authorization.challenges.iter().filter_map(|challenge| {
            challenge.error.as_ref().map(|problem| Refusal::new(Some(&host), problem).problems)
        });
        problems.extend(faults.flatten());
    }
    match of_the_order {
        _ if !problems.is_empty() => AcmeError::refused(Refusal { problems }, None),
        Some(error) => error.into(),
        None => AcmeError::unavailable("it gives the order up without a reason"),
    }
}

/// What an authority says about one host.
fn about(host: &str, error: Error) -> AcmeError {
    if let Error::Api(problem) = &error {
        AcmeError::refused(Refusal::new(Some(host), problem), None)
    } else {
        error.into()
    }
}

/// The authority takes no challenge that we could answer.
fn no_way(host: String) -> AcmeError {
    let detail = "it offers no challenge over HTTP (http-01)".to_owned();
    let problem = Problem { host: Some(host), kind: "unsupportedChallenge".to_owned(), detail };
    AcmeError::Refused(Refusal { problems: vec![problem] })
}

/// A key, and a request to sign it for the hosts. It says nothing else about whoever asks.
fn request_for(identifiers: &[Identifier]) -> Result<(KeyPair, Vec<u8>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let names: Vec<String> =
        identifiers.iter().map(|name| name.authorized(false).to_string()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key)?.der().to_vec();
    Ok((key, request))
}
