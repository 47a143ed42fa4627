//! A call of an endpoint, with the step before it where the profile has one.

use std::collections::HashMap;

use reqwest::header::HeaderValue;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::client::{Backend, EXCHANGE_TIMEOUT};
use super::error::BackendError;
use super::request::BackendRequest;
use super::response::Response;
use crate::device::Device;
use crate::profile::{self, Endpoint, NamedValues, Variables};
use crate::secrets::Secret;
use crate::token::RefreshToken;

/// A call of an endpoint: the values that its templates may hold, and what goes along.
#[derive(Clone, Copy)]
pub(super) struct EndpointCall<'a> {
    pub endpoint: &'a Endpoint,
    pub variables: Variables<'a>,
    /// More members of its body.
    pub more: Option<&'a Map<String, Value>>,
    pub device: &'a Device,
    /// Its cookies go along, where their paths fit.
    pub token: Option<&'a RefreshToken>,
    /// How many times the same thing was asked, this time included.
    pub attempt: u32,
}

impl<'a> EndpointCall<'a> {
    pub(super) fn new(
        endpoint: &'a Endpoint,
        variables: Variables<'a>,
        device: &'a Device,
    ) -> Self {
        Self {
            endpoint,
            variables,
            more: None,
            device,
            token: None,
            attempt: 1,
        }
    }

    /// A call with a session's tokens.
    pub(super) fn of_session(
        endpoint: &'a Endpoint,
        token: &'a RefreshToken,
        access: Option<&'a Secret>,
        device: &'a Device,
    ) -> Self {
        let variables = Variables {
            refresh_token: token.body(),
            access_token: access,
            ..Variables::default()
        };
        Self {
            token: Some(token),
            ..Self::new(endpoint, variables, device)
        }
    }
}

impl Backend {
    /// Makes a call, and returns once the answer's headers are here. The step before it, where there
    /// is one, counts as a part of the call: both have one bound in time, what the step changes of
    /// the refresh cookies goes along with the call and is among the changes of its answer, and the
    /// answer to a step that fails is the answer to the call.
    pub(super) async fn call(&self, call: EndpointCall<'_>) -> Result<Response, BackendError> {
        let until = Instant::now() + EXCHANGE_TIMEOUT;
        let Some(step) = call.endpoint.before.get() else {
            return self.send_endpoint(call, None, until).await;
        };
        let before = EndpointCall {
            endpoint: step,
            more: None,
            ..call
        };
        let mut before = self.send_endpoint(before, None, until).await?;
        if !before.status().is_success() {
            return Ok(before);
        }
        let changes = before.take_refresh_changes();
        let body = before.body().await?;
        if body.is_anothers() {
            return Err(BackendError::Portal);
        }
        let kept = body.keep(self.profile(), step).map_err(|name| {
            let path = step.path.source();
            tracing::warn!(
                path,
                name,
                "the call after this step is not made: the answer does not have what the step keeps"
            );
            BackendError::BadAnswer
        })?;
        let mut token = call.token.cloned().unwrap_or_default();
        token.apply(changes.clone());
        let call = EndpointCall {
            token: Some(&token),
            ..call
        };
        let mut response = self.send_endpoint(call, Some(kept), until).await?;
        response.refresh = [changes, std::mem::take(&mut response.refresh)].concat();
        Ok(response)
    }

    /// Sends the request of one endpoint, without its step.
    async fn send_endpoint(
        &self,
        call: EndpointCall<'_>,
        kept: Option<NamedValues>,
        until: Instant,
    ) -> Result<Response, BackendError> {
        let (profile, endpoint) = (self.profile(), call.endpoint);
        let origin = profile.endpoint_url(endpoint.origin.as_ref(), "/").origin();
        let origin = origin.ascii_serialization();
        let cookies = self.cookies(endpoint.cookie_names(), call.token);
        let variables = Variables {
            device: Some(call.device),
            origin: Some(&origin),
            kept: kept.as_ref(),
            cookies: Some(&cookies),
            ..call.variables
        };
        let request = profile::request(endpoint, &variables, call.more);
        let request = request.map_err(|_| BackendError::Unsendable)?;
        let mut request = BackendRequest::from_request(request, call.device)?;
        request.origin = endpoint.origin.as_ref();
        request.token = call.token;
        request.attempt = call.attempt;
        request.until = Some(until);
        let mut response = self.send(request).await?;
        if let Some(kept) = kept {
            response.beside.set_kept(kept);
        }
        Ok(response)
    }

    /// The cookies of these names, decoded as the clients of pages decode them: those of `token`, and
    /// the ordinary ones of the jar.
    pub(super) fn cookies<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        token: Option<&RefreshToken>,
    ) -> NamedValues {
        let value = |name: &str| {
            let own = token.and_then(|token| token.cookie(name));
            own.or_else(|| self.jar().value(name))
        };
        let found: HashMap<_, _> = names
            .filter_map(|name| Some((name.to_owned(), decoded(&value(name)?))))
            .collect();
        found.into_iter().collect()
    }
}

/// A cookie's value as axios and Angular give it to a header: percent-decoded. One that does not
/// decode to a text stays as it is.
pub(super) fn decoded(value: &Secret) -> Secret {
    let text = value.secret();
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            (b'%', _) => None,
            _ => {
                bytes.push(*first);
                rest = after;
                continue;
            }
        };
        let Some((high, low)) = pair else {
            return value.clone();
        };
        bytes.push(high * 16 + low);
        rest = &after[2..];
    }
    // A text that no header can hold would keep the request from being sent.
    match std::str::from_utf8(&bytes) {
        Ok(text) if HeaderValue::from_str(text).is_ok() => Secret::new(text),
        _ => value.clone(),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_decoded_once_or_left_alone() {
        for (value, wanted) in [
            ("eyJpdiI6Ik9z%3D%3D", "eyJpdiI6Ik9z=="),
            ("a%2Bb%2fc", "a+b/c"),
            ("a+b", "a+b"),
            ("%2525", "%25"),
            ("", ""),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%41", "%zz%41"),
            ("%ff", "%ff"),
            ("a%0d%0ab", "a%0d%0ab"),
        ] {
            assert_eq!(decoded(&Secret::new(value)).secret(), wanted, "{value}");
        }
    }
}
