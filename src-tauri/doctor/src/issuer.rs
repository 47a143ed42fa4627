//! An address that turns out to be an issuer: how it is told, and the profile by which the app signs in
//! there.

use serde_json::Value;
use url::Url;
use vestibule_core::profile::{Layer, Profile, load};
use vestibule_core::reading;
use vestibule_core::transport::{
    HeaderMap, HeaderValue, HttpRequest, Method, RequestBody, Transport as _, TransportError,
};

use crate::checks::provider::{CONFIGURATION, is_same_issuer};
use crate::client::Client;
use crate::plan::Plan;
use crate::shown::Shown;
use crate::stop::Stopped;
use crate::suggest::Suggestion;

/// Stands for the client where nobody has named one.
const PLACEHOLDER: &str = "NAME-OF-THIS-APP-THERE";
/// The largest discovery that is read.
const LARGEST: usize = 256 * 1024;
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// A profile for a sign-in by the browser alone.
pub(crate) struct IssuerProfile {
    toml: String,
    pub(crate) profile: Profile,
    /// Whether the app's name at the issuer is known.
    pub(crate) client_is_named: bool,
}

/// The profile for the issuer that the plan names, or that answers at the backend's address.
pub(crate) async fn find(client: &Client, plan: &Plan) -> Result<Option<IssuerProfile>, Stopped> {
    let section = plan.profile.browser.get();
    if let Some(section) = section {
        let issuer = section.issuer.as_ref();
        return Ok(issuer.and_then(|it| of(plan, it.url().as_str(), Some(&section.client_id))));
    }
    let said = ask(client, &plan.profile.backend).await?;
    Ok(said.and_then(|issuer| of(plan, &issuer, plan.client_id.as_deref())))
}

fn of(plan: &Plan, issuer: &str, client_id: Option<&str>) -> Option<IssuerProfile> {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut toml = String::from(
        "# Written by `vestibule doctor` from what the issuer says of itself.\nschema = 1\n\
         extends = \"oidc\"\n",
    );
    let backend = plan.profile.backend.as_str().trim_end_matches('/');
    toml += &format!(
        "backend = {}\n\n[browser]\nkind = \"oidc\"\n",
        quoted(backend)
    );
    toml += &format!("issuer = {}\n", quoted(issuer));
    if client_id.is_none() {
        toml += "# Fill in the name under which the app is registered there, as a native (public) client.\n";
    }
    toml += &format!("client_id = {}\n", quoted(client_id.unwrap_or(PLACEHOLDER)));
    let layer = Layer::text("profile.toml", &toml).ok()?;
    let mut profile = load(&[layer]).ok()?;
    profile.headers.clone_from(&plan.profile.headers);
    Some(IssuerProfile {
        toml,
        profile,
        client_is_named: client_id.is_some(),
    })
}

impl IssuerProfile {
    pub(crate) fn suggestion(&self) -> Suggestion {
        let how = match self.client_is_named {
            true => {
                "The address is an issuer of OpenID Connect, and nothing there takes a password."
            }
            false => {
                "The address is an issuer of OpenID Connect, and nothing there takes a password. Fill in \
                 the client's name."
            }
        };
        Suggestion::Written {
            toml: Shown::lines(&self.toml),
            how: Shown::line(how),
        }
    }
}

/// The issuer as it calls itself, if one answers at this address.
async fn ask(client: &Client, base: &Url) -> Result<Option<String>, Stopped> {
    let mut url = base.clone();
    let path = format!("{}{CONFIGURATION}", base.path().trim_end_matches('/'));
    url.set_path(&path);
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("application/json"));
    headers.insert("accept-encoding", HeaderValue::from_static("identity"));
    // Not recorded: an address that is no issuer may answer whatever it likes.
    let request = HttpRequest {
        method: Method::GET,
        url,
        headers,
        body: RequestBody::Empty,
        new_connection: false,
    };
    let work = async {
        let mut response = client.transport().send(request).await?;
        let mut body = Vec::new();
        while let Some(piece) = response.body.chunk().await? {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST {
                return Err(TransportError::Broken);
            }
        }
        Ok((response.status.is_success(), body))
    };
    let answer = client
        .stop
        .race(tokio::time::timeout(TIMEOUT, work))
        .await?;
    let Ok(Ok((true, body))) = answer else {
        return Ok(None);
    };
    let said: Value = reading::json(&body).unwrap_or_default();
    let issuer = said.get("issuer").and_then(Value::as_str);
    let has_page = said
        .get("authorization_endpoint")
        .is_some_and(Value::is_string);
    let issuer = issuer.filter(|issuer| has_page && is_same_issuer(issuer, base));
    Ok(issuer.map(str::to_owned))
}
