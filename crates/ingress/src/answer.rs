//! What becomes of an app's response.

use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::{
    body::Incoming,
    upgrade::{self, OnUpgrade},
};

use crate::{
    body::ResponseBody, config::Limits, connection::ClientConnection, failure::Failure, headers,
    pool::Lease, telemetry::RequestInFlight, tunnel::Tunnel,
};

/// An app's response, with what has to be done with it.
pub(crate) struct Answer {
    response: Response<Incoming>,
    lease: Lease,
    /// The connection leaves HTTP.
    upgrade: Option<UpgradeRequest>,
}

impl Answer {
    pub(crate) fn new(
        response: Response<Incoming>,
        lease: Lease,
        upgrade: Option<UpgradeRequest>,
    ) -> Result<Self, Failure> {
        let is_upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if is_upgrade && upgrade.is_none() {
            return Err(Failure::UnexpectedUpgrade);
        }
        Ok(Self { response, lease, upgrade: upgrade.filter(|_| is_upgrade) })
    }

    pub(crate) fn respond(
        self,
        limits: &Limits,
        connection: &Arc<ClientConnection>,
        in_flight: RequestInFlight,
    ) -> Response<ResponseBody> {
        let Self { mut response, lease, upgrade } = self;
        let app_protocol = response.headers().get(header::UPGRADE).cloned();
        headers::prepare_response(response.headers_mut());
        *response.version_mut() = Version::HTTP_11;
        let Some(UpgradeRequest { protocol, client }) = upgrade else {
            return response.map(|body| ResponseBody::app(body, lease, in_flight));
        };
        let app = upgrade::on(&mut response);
        headers::announce_upgrade(response.headers_mut(), app_protocol.unwrap_or(protocol));
        let idle = limits.tunnel_idle;
        connection.spawn_tunnel(|closing| Tunnel { client, app, lease, in_flight, idle, closing });
        response.map(|_| ResponseBody::nothing())
    }
}

/// A request to change the protocol.
pub(crate) struct UpgradeRequest {
    pub(crate) protocol: HeaderValue,
    client: OnUpgrade,
}

impl UpgradeRequest {
    /// Takes it out of a request that asks for an upgrade.
    pub(crate) fn take(request: &mut Request<Incoming>) -> Option<Self> {
        let protocol = headers::requested_upgrade(request.headers())?;
        // Hyper puts it there for HTTP/1.1 alone.
        let client = request.extensions_mut().remove::<OnUpgrade>()?;
        Some(Self { protocol, client })
    }
}
