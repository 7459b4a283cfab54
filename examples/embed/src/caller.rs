//! From a request to who has sent it, and what they may do.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
};
use windlass_auth::{
    AuthError, Denied, Grant, OrganizationId, Permission, Principal, Target, TokenError, authorize,
    bearer_credential, looks_like_token,
};

use crate::Service;

/// Whoever has presented a good key or token.
pub(crate) struct Caller(Arc<Principal>);

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(
        request: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, StatusCode> {
        let header = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let presented = header.and_then(bearer_credential).ok_or(StatusCode::UNAUTHORIZED)?;
        let address = request.extensions.get().map(|ConnectInfo::<SocketAddr>(peer)| peer.ip());
        let verified = if looks_like_token(presented) {
            service.tokens.verify(presented, address).await.map_err(|err| match err {
                TokenError::Invalid => StatusCode::UNAUTHORIZED,
                TokenError::WrongAddress(_) => StatusCode::FORBIDDEN,
                TokenError::Undecided(_) | TokenError::Unavailable(_) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            })
        } else {
            service.keys.verify(presented, address).await.map_err(|err| match err {
                AuthError::Invalid => StatusCode::UNAUTHORIZED,
                AuthError::WrongAddress(_) => StatusCode::FORBIDDEN,
                AuthError::Busy | AuthError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            })
        };
        verified.map(Self)
    }
}

impl Caller {
    /// Asks the one function that decides.
    pub(crate) fn may(&self, permission: Permission, target: Target) -> Result<Grant, StatusCode> {
        authorize(&self.0, permission, target).map_err(|denied| match denied {
            Denied::Hidden => StatusCode::NOT_FOUND,
            Denied::Forbidden { .. } | Denied::WrongOrganization => StatusCode::FORBIDDEN,
            Denied::Undecided(_) => StatusCode::SERVICE_UNAVAILABLE,
        })
    }

    pub(crate) fn principal(&self) -> &Principal {
        &self.0
    }

    pub(crate) fn organization(&self) -> OrganizationId {
        self.0.organization_id
    }
}
