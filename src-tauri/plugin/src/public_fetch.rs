//! Public content, which `tauri-plugin-http` fetches for a page. The plugin has an HTTP client of
//! its own without the session's tokens and cookies. `capabilities/public-fetch.json` lists the
//! addresses that it may fetch; redirects must lead to listed addresses too
//! (`plugins.http.scopeRedirects`).
//!
//! The plugin accepts more from a page than public content needs: headers, bodies, any method, and
//! a proxy, through which a page could send data to any host. All of these are refused here.

use serde_json::Value;
use tauri::ipc::{Invoke, InvokeBody};
use tauri::plugin::Plugin;
use tauri::{AppHandle, RunEvent, Runtime};

/// The fields that a request for public content may have. All others must be missing or empty.
const SAID: [&str; 4] = ["method", "url", "connectTimeout", "maxRedirections"];

/// Puts `http`, which is `tauri_plugin_http::init()`, behind a check of each request: a plain GET of
/// public content and nothing else, without the session.
pub fn public_fetch<R: Runtime>(http: impl Plugin<R>) -> impl Plugin<R> {
    GuardedHttpPlugin(http)
}

struct GuardedHttpPlugin<P>(P);

impl<R: Runtime, P: Plugin<R>> Plugin<R> for GuardedHttpPlugin<P> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn initialize(
        &mut self,
        app: &AppHandle<R>,
        config: Value,
    ) -> Result<(), Box<dyn std::error::Error>> {
        self.0.initialize(app, config)
    }

    fn on_event(&mut self, app: &AppHandle<R>, event: &RunEvent) {
        self.0.on_event(app, event);
    }

    fn extend_api(&mut self, invoke: Invoke<R>) -> bool {
        let is_fetch = invoke.message.command() == "fetch";
        if is_fetch && !is_public(invoke.message.payload()) {
            tracing::warn!("a page's request is not a plain GET of public content; it was refused");
            invoke
                .resolver
                .reject("only public content can be fetched this way");
            return true;
        }
        self.0.extend_api(invoke)
    }
}

fn is_public(payload: &InvokeBody) -> bool {
    let InvokeBody::Json(payload) = payload else {
        return false;
    };
    let Some(request) = payload["clientConfig"].as_object() else {
        return false;
    };
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    let says_no_more = request
        .iter()
        .all(|(key, value)| SAID.contains(&key.as_str()) || is_nothing(value));
    let url = request.get("url").and_then(Value::as_str);
    let url = url.and_then(|url| tauri::Url::parse(url).ok());
    let is_plain = url.is_some_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
    });
    says_no_more && is_plain && request.get("method").and_then(Value::as_str) == Some("GET")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passes(request: Value) -> bool {
        is_public(&InvokeBody::Json(json!({ "clientConfig": request })))
    }

    #[test]
    fn a_plain_get_passes() {
        let url = "https://example.com/news";
        assert!(passes(
            json!({ "method": "GET", "url": url, "headers": [] })
        ));
        assert!(passes(json!({
            "method": "GET", "url": url, "headers": [], "data": null,
            "maxRedirections": 3, "connectTimeout": 5000, "proxy": null, "danger": null,
        })));
    }

    #[test]
    fn what_asks_for_more_does_not() {
        let plain = json!({ "method": "GET", "url": "https://example.com/news", "headers": [] });
        for (key, value) in [
            ("proxy", json!({ "all": "http://evil.example" })),
            ("proxy", json!({})),
            ("danger", json!({ "acceptInvalidCerts": true })),
            ("headers", json!([["authorization", "Bearer x"]])),
            ("data", json!([1, 2, 3])),
            ("method", json!("POST")),
            ("method", json!("get")),
            ("method", json!(null)),
            ("url", json!("https://a:b@example.com/news")),
            ("url", json!("file:///etc/passwd")),
            ("url", json!("data:text/plain,x")),
            ("url", json!(null)),
            ("whatever", json!(true)),
        ] {
            let mut request = plain.clone();
            request[key] = value;
            assert!(!passes(request.clone()), "{request}");
        }
        assert!(!is_public(&InvokeBody::Json(json!({}))));
        assert!(!is_public(&InvokeBody::Json(json!({ "clientConfig": [] }))));
        assert!(!is_public(&InvokeBody::Raw(b"{}".to_vec())));
    }
}
