//! The address of a backend as a person types it, or pastes it from a browser.
//!
//! Only scheme, host and port count. What stands behind them is where a browser happened to be; below
//! which path the app's endpoints are is the app's own knowledge, and a session belongs to an origin
//! anyway, so two backends at one origin could not be told apart. Reading an address contacts nobody.
//!
//! Letters that are not ASCII look like others (a Cyrillic а like a Latin a), and the `url` crate maps
//! some to others (UTS 46). So what a person gets to see is the host that will be looked up, in punycode.

use std::fmt;

use url::{Host, ParseError, Url};

use crate::error::{AuthError, ErrorCode};
use crate::invisible::is_invisible;
use crate::profile::is_loopback;

/// The longest text that is read, in characters. Browsers hand out addresses of about this length.
const LONGEST: usize = 2000;
/// The longest name and the longest label of one (RFC 1035 §2.3.4), dots included.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
/// How the label of a name begins that is in punycode (RFC 5890 §2.3.2.1).
const PUNYCODE: &str = "xn--";

/// The origin of a backend: https, or http on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

/// Why a text is not the address of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressMistake {
    /// Nothing was typed.
    Empty,
    /// It is longer than an address.
    TooLong,
    /// It has a character that cannot be seen.
    Invisible,
    /// There is a space in the name.
    Space,
    /// It is neither https nor http.
    Scheme,
    /// It is plain http to another computer.
    PlainHttp,
    /// It has an `@`: a user, or an e-mail address.
    User,
    /// The name is only one word.
    OneWord,
    /// It is a number that is not written as usual, or no server's.
    Number,
    /// The port is not one.
    Port,
    /// The name has characters that no name has, or no name is there.
    Name,
}

/// Reads what a person has typed. Contacts nobody.
///
/// # Errors
/// If it is not the address of a backend. The words say what to type, and do not repeat it.
pub fn parse(typed: &str) -> Result<Address, AddressMistake> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(AddressMistake::Empty);
    }
    if typed.chars().nth(LONGEST).is_some() {
        return Err(AddressMistake::TooLong);
    }
    // The `url` crate leaves these out: the address would be another than the one that was seen.
    if typed.chars().any(is_invisible) {
        return Err(AddressMistake::Invisible);
    }
    let (scheme, rest) = scheme_of(typed)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(AddressMistake::User);
    }
    if authority.contains(char::is_whitespace) {
        return Err(AddressMistake::Space);
    }
    // Browsers take `\` for `/` and decode `%` in names.
    if authority.contains(['\\', '%']) {
        return Err(AddressMistake::Name);
    }
    let url = Url::parse(&format!("{scheme}://{authority}/")).map_err(|error| match error {
        ParseError::InvalidPort => AddressMistake::Port,
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => AddressMistake::Number,
        _ => AddressMistake::Name,
    })?;
    if url.port() == Some(0) {
        return Err(AddressMistake::Port);
    }
    let url = with_checked_host(url, authority)?;
    let is_here = url.host().is_some_and(|host| is_loopback(&host));
    if url.scheme() == "http" && !is_here {
        return Err(AddressMistake::PlainHttp);
    }
    Ok(Address(url))
}

/// The scheme, which is https where none was typed, and what follows it.
fn scheme_of(typed: &str) -> Result<(&'static str, &str), AddressMistake> {
    let is_scheme = |text: &str| {
        let mut chars = text.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let typed_scheme = typed
        .split_once("://")
        .filter(|(scheme, _)| is_scheme(scheme));
    let Some((scheme, rest)) = typed_scheme else {
        return Ok(("https", typed));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(("https", rest)),
        "http" => Ok(("http", rest)),
        _ => Err(AddressMistake::Scheme),
    }
}

/// The same address with its host in the one spelling that it has here; `authority` is how host and port
/// were typed.
fn with_checked_host(mut url: Url, authority: &str) -> Result<Url, AddressMistake> {
    let host = url.host().map(|host| host.to_owned());
    match host.ok_or(AddressMistake::Name)? {
        Host::Domain(name) => {
            // A name with a dot at its end is the same name, from the root (RFC 1034 §3.1).
            let bare = name.strip_suffix('.').unwrap_or(&name);
            check_name(bare)?;
            if bare != name {
                url.set_host(Some(bare)).map_err(|_| AddressMistake::Name)?;
            }
            if !bare.contains('.') && !url.host().is_some_and(|host| is_loopback(&host)) {
                return Err(AddressMistake::OneWord);
            }
        }
        Host::Ipv4(address) => {
            // `0x7f.1`, `2130706433` and `0177.0.0.1` are 127.0.0.1 to a browser, and to nobody's eye.
            let typed = authority.split(':').next().unwrap_or_default();
            let is_usual = typed == address.to_string();
            if !is_usual
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_broadcast()
            {
                return Err(AddressMistake::Number);
            }
        }
        Host::Ipv6(address) => {
            if address.is_unspecified() || address.is_multicast() {
                return Err(AddressMistake::Number);
            }
        }
    }
    Ok(url)
}

fn check_name(name: &str) -> Result<(), AddressMistake> {
    let is_label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match name.len() <= LONGEST_NAME && name.split('.').all(is_label) {
        true => Ok(()),
        false => Err(AddressMistake::Name),
    }
}

impl Address {
    /// The origin of a backend's base address.
    pub(super) fn of(backend: &Url) -> Self {
        let mut origin = backend.clone();
        origin.set_path("/");
        Self(origin)
    }

    /// Scheme, host and port, such as `https://cloud.example`.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Host and port as they are looked up, without the usual port.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Whether the name has letters that are not ASCII, which may look like others.
    pub fn is_disguised(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        host.split('.').any(|label| label.starts_with(PUNYCODE))
    }

    /// The base address of a backend there whose endpoints are below this path.
    pub(super) fn with_path(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }
}

impl fmt::Display for AddressMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Type the address of the server, such as cloud.example.com.",
            Self::TooLong => {
                "That is too long for an address. Type only the name of the server, such as \
                 cloud.example.com."
            }
            Self::Invisible => {
                "There is a character in the address that cannot be seen. Type the address instead of \
                 pasting it."
            }
            Self::Space => "There is a space in the address. Type it without.",
            Self::Scheme => {
                "An address begins with https://, and this one with something else. Type the name of \
                 the server alone, such as cloud.example.com."
            }
            Self::PlainHttp => {
                "This app connects to other computers over https only. Type the address without \
                 http://."
            }
            Self::User => {
                "Type the address of the server alone, without what stands before the @. Your e-mail \
                 and your password are asked for later."
            }
            Self::OneWord => {
                "Type the whole name of the server, with its dots, such as cloud.example.com."
            }
            Self::Number => {
                "That number is not the address of a server. Type the server's name, or four numbers \
                 with dots, such as 192.0.2.7."
            }
            Self::Port => {
                "A number from 1 to 65535 has to follow the colon. Type the address without the colon \
                 if you were not given such a number."
            }
            Self::Name => {
                "That is not the name of a server. Type it with letters, digits, dots and hyphens, \
                 such as cloud.example.com."
            }
        })
    }
}

impl std::error::Error for AddressMistake {}

impl From<AddressMistake> for AuthError {
    fn from(mistake: AddressMistake) -> Self {
        Self::with_message(ErrorCode::InvalidInput, mistake.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin(typed: &str) -> Result<String, AddressMistake> {
        parse(typed).map(|address| address.origin())
    }

    #[test]
    fn an_address_is_understood_as_people_write_it() {
        for typed in [
            "cloud.example",
            "https://cloud.example",
            "https://cloud.example/",
            "HTTPS://Cloud.EXAMPLE",
            "  cloud.example\t\n",
            "\u{a0}cloud.example\u{3000}",
            "cloud.example:443",
            "cloud.example.",
            "https://cloud.example./login",
            "https://cloud.example/de/login?next=%2Fa%20b&x=https://other.example/#top",
            "cloud.example/login?next=https://other.example/",
            "cloud.example?x=y@z",
            "cloud.example#@other.example",
            "https://cloud.example/@ada\\x y",
            "ｃｌｏｕｄ。example",
        ] {
            assert_eq!(
                origin(typed).as_deref(),
                Ok("https://cloud.example"),
                "{typed:?}"
            );
        }
        for (typed, wanted) in [
            ("cloud.example:8443", "https://cloud.example:8443"),
            ("my_server.corp.example", "https://my_server.corp.example"),
            ("192.0.2.7", "https://192.0.2.7"),
            ("https://192.0.2.7:8443/x", "https://192.0.2.7:8443"),
            ("[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
            ("http://localhost:4580", "http://localhost:4580"),
            ("http://a.localhost:80/", "http://a.localhost"),
            ("http://127.0.0.1:4580/v1", "http://127.0.0.1:4580"),
            ("http://[::1]:4580", "http://[::1]:4580"),
            ("localhost", "https://localhost"),
        ] {
            assert_eq!(origin(typed).as_deref(), Ok(wanted), "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_in_words() {
        use AddressMistake::*;
        let long = format!("cloud.example/{}", "x".repeat(LONGEST));
        let long_label = format!("{}.example", "x".repeat(LONGEST_LABEL + 1));
        let long_name = "x.".repeat(LONGEST_NAME) + "example";
        for (typed, mistake) in [
            ("", Empty),
            (" \t", Empty),
            (&*long, TooLong),
            (&"x".repeat(1 << 20), TooLong),
            ("clo\nud.example", Invisible),
            ("cloud.example\0", Invisible),
            ("https://cloud.example/\u{7}", Invisible),
            ("clo\u{200b}ud.example", Invisible),
            ("clo\u{ad}ud.example", Invisible),
            ("\u{202e}elpmaxe.duolc", Invisible),
            ("cloud.example\u{feff}", Invisible),
            ("cloud .example", Space),
            ("my server", Space),
            ("http://cloud.example", PlainHttp),
            ("http://192.0.2.7", PlainHttp),
            ("http://127.0.0.1.nip.example", PlainHttp),
            ("http://localhost.example", PlainHttp),
            ("ftp://cloud.example", Scheme),
            ("file:///etc/passwd", Scheme),
            ("ws://cloud.example", Scheme),
            ("vestibule://join", Scheme),
            ("ada@cloud.example", User),
            ("https://ada:secret@cloud.example/", User),
            ("https://good.example@evil.example", User),
            ("https://good.example\\@evil.example", User),
            ("mailto:ada@cloud.example", User),
            ("cloud", OneWord),
            ("https://intranet/", OneWord),
            ("cloud:8443", OneWord),
            ("javascript:alert(1)", Port),
            ("https:cloud.example", Port),
            ("cloud.example:0", Port),
            ("cloud.example:65536", Port),
            ("cloud.example:x", Port),
            ("1.2.3", Number),
            ("256.1.1.1", Number),
            ("2130706433", Number),
            ("0x7f.1", Number),
            ("0177.0.0.1", Number),
            ("https://127.0.0.1./", Number),
            ("0.0.0.0", Number),
            ("224.0.0.1", Number),
            ("255.255.255.255", Number),
            ("[::]", Number),
            ("[::1", Number),
            ("[ff02::1]", Number),
            ("https://", Name),
            ("https:///cloud.example", Name),
            ("//cloud.example", Name),
            ("/login", Name),
            ("?x", Name),
            (".", Name),
            (".example", Name),
            ("cloud..example", Name),
            ("cloud.example..", Name),
            ("-cloud.example", Name),
            ("cloud-.example", Name),
            ("cl*ud.example", Name),
            ("cloud.example|x", Name),
            ("clo%75d.example", Name),
            ("good.example\\.evil.example", Name),
            ("xn--a.example", Name),
            (&*long_label, Name),
            (&*long_name, Name),
        ] {
            assert_eq!(parse(typed), Err(mistake), "{typed:?}");
        }
    }

    #[test]
    fn letters_that_look_like_others_come_out_as_they_are_looked_up() {
        for (typed, host, is_disguised) in [
            ("pаypal.com", "xn--pypal-4ve.com", true),
            ("https://PАYPAL.com/login", "xn--pypal-4ve.com", true),
            ("xn--pypal-4ve.com", "xn--pypal-4ve.com", true),
            ("XN--PYPAL-4VE.com", "xn--pypal-4ve.com", true),
            ("аррӏе.com", "xn--80ak6aa92e.com", true),
            ("münchen.example:8443", "xn--mnchen-3ya.example:8443", true),
            ("cloud.пример", "cloud.xn--e1afmkfd", true),
            ("paypal.com", "paypal.com", false),
            ("notxn--x.example", "notxn--x.example", false),
        ] {
            let address = parse(typed).unwrap_or_else(|mistake| panic!("{typed}: {mistake}"));
            assert_eq!(address.host(), host, "{typed}");
            assert_eq!(address.is_disguised(), is_disguised, "{typed}");
        }
    }

    #[test]
    fn no_mistake_repeats_what_was_typed() {
        let mistake = parse("https://ada:hunter22@cloud.example").expect_err("a user");
        let error = AuthError::from(mistake);
        assert_eq!(error.code, ErrorCode::InvalidInput);
        assert!(!error.message.contains("hunter22") && !error.message.contains("ada"));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_an_origin_that_is_read_the_same_again_or_none(typed in ".{0,80}") {
            if let Ok(address) = parse(&typed) {
                let origin = address.origin();
                prop_assert!(origin.is_ascii(), "{}", origin);
                prop_assert_eq!(parse(&origin), Ok(address.clone()));
                prop_assert_eq!(Url::parse(&origin).map(|url| url.origin()), Ok(address.0.origin()));
            }
        }

        #[test]
        fn what_stands_behind_the_host_does_not_count(behind in "[/?#][^\\p{C}]{0,40}") {
            let typed = format!("https://cloud.example{behind}");
            prop_assert_eq!(origin(typed.trim()), match typed.trim().chars().any(is_invisible) {
                true => Err(AddressMistake::Invisible),
                false => Ok("https://cloud.example".to_owned()),
            });
        }
    }
}
