//! A recorded request and its answer.

use serde_json::Value;

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The heading above it in the recording.
    pub section: String,
    /// The request.
    pub wanted: Wanted,
    /// The answer.
    pub answer: Answer,
}

/// The parts of a request that identify it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The method, such as `GET`.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// The origin of the server when it was recorded.
    pub server: String,
    /// The JSON body; `None` and `{}` are equal. A form is a text, with its members in order.
    pub body: Option<Value>,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Origin`.
    pub origin: Option<String>,
    /// Headers that no client sends by itself, such as `apikey`, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// Whether it carried cookies.
    pub cookies: bool,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status line's code and reason, such as `200 OK`.
    pub status: String,
    /// The headers with lower-case names; repeated ones are repeated.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// The options of the `curl` commands that recordings hold.
const OPTIONS: [&str; 5] = [" -X ", " -H ", " -d ", " -b ", " -c "];

impl Wanted {
    pub(crate) fn parse(command: &str) -> Self {
        let rest = command.strip_prefix("curl -si").expect("a curl command");
        let mut wanted = Self {
            method: String::new(),
            path: String::new(),
            server: String::new(),
            body: None,
            authorization: None,
            origin: None,
            headers: Vec::new(),
            cookies: false,
        };
        for (option, value) in options(rest) {
            match option {
                // The address, before the first option or after the method.
                "" => wanted.address(value),
                " -X " => {
                    let (method, address) = value.split_once(' ').expect("a method");
                    method.clone_into(&mut wanted.method);
                    wanted.address(address);
                }
                " -d " => wanted.body = Some(body(value)),
                " -b " => wanted.cookies = true,
                " -H " => {
                    let (name, value) = value.split_once(": ").expect("a header");
                    match name.to_ascii_lowercase().as_str() {
                        "authorization" => wanted.authorization = Some(value.to_owned()),
                        "origin" => wanted.origin = Some(value.to_owned()),
                        "content-type" if value == "application/json" => {}
                        name => wanted.headers.push((name.to_owned(), value.to_owned())),
                    }
                }
                _ => {}
            }
        }
        if wanted.method.is_empty() {
            "GET".clone_into(&mut wanted.method);
        }
        wanted.body = wanted.body.filter(|body| *body != serde_json::json!({}));
        wanted
    }

    /// Whether the body identifies the user.
    pub(crate) fn has_password(&self) -> bool {
        match &self.body {
            Some(Value::String(form)) => {
                form.split('&').any(|field| field.starts_with("password="))
            }
            body => body
                .as_ref()
                .is_some_and(|body| body.get("password").is_some()),
        }
    }

    fn address(&mut self, address: &str) {
        let after = address.find("//").expect("an address") + 2;
        let slash = address[after..].find('/').expect("a path") + after;
        address[..slash].clone_into(&mut self.server);
        address[slash..].trim().clone_into(&mut self.path);
    }
}

/// What `-d` sends: JSON, or else a form.
fn body(text: &str) -> Value {
    if text.starts_with(['{', '[']) {
        return serde_json::from_str(text).expect("JSON");
    }
    form(text)
}

/// A form as it is compared with another: the order of its members means nothing.
pub(crate) fn form(text: &str) -> Value {
    let mut members: Vec<_> = text.split('&').collect();
    members.sort_unstable();
    Value::String(members.join("&"))
}

/// Each option with its value. The body comes last and may contain anything.
fn options(rest: &str) -> Vec<(&'static str, &str)> {
    let mut found = Vec::new();
    let (mut option, mut from) = ("", 0);
    loop {
        let options = OPTIONS.into_iter().filter(|_| option != " -d ");
        let next = options
            .filter_map(|name| Some((rest[from..].find(name)? + from, name)))
            .min();
        let end = next.map_or(rest.len(), |(at, _)| at);
        let value = rest[from..end].trim();
        if !value.is_empty() {
            found.push((option, value));
        }
        let Some((at, name)) = next else {
            return found;
        };
        option = name;
        from = at + name.len();
    }
}

impl Answer {
    /// Whether the answer is a refusal.
    pub fn is_refusal(&self) -> bool {
        self.status.starts_with('4')
    }

    pub(crate) fn parse(text: &str) -> Self {
        let (head, rest) = text.split_once("\n\n").expect("a head and a body");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').expect("a header"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let body = match length {
            Some((_, length)) => &rest[..length.parse().expect("a length")],
            // Without `content-length` the body is one line.
            None => rest.lines().next().unwrap_or_default(),
        };
        Self {
            status: status.expect("a status").to_owned(),
            headers,
            body: body.to_owned(),
        }
    }

    /// The answer as it is sent: unchanged, except that its length is in `content-length`.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        const FRAMING: [&str; 4] = [
            "connection",
            "content-length",
            "keep-alive",
            "transfer-encoding",
        ];
        let mut text = format!("HTTP/1.1 {}\r\n", self.status);
        let kept = self
            .headers
            .iter()
            .filter(|(name, _)| !FRAMING.contains(&name.as_str()));
        for (name, value) in kept {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.status.starts_with("204") {
            text.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        text.into_bytes()
    }
}
