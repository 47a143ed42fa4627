//! What a link is for. The routes are few and known; everything else is refused, because any page on the
//! web and any program can open a link of the app. None names a page or a command of the app.
//!
//! Two links are the same by RFC 3986: the letters of the scheme may be capitals (§3.1), and an authority
//! that is empty is none, because the scheme gives it no meaning (§3.2), so `app:/join` is `app:///join`.
//! `app://join` has the host `join` and no path, and `/join/` is another path than `/join`: neither is a
//! route. One host is read all the same: `app://auth/callback` is what the page of Better Auth's plugin for
//! desktop apps opens. Its `ensureElectronRedirect` (1.7) writes `:/` before a path with a slash of its own,
//! and its own client reads host and path as one. A path is compared as it is written. Percent-encoded
//! letters and dot segments would be the same after a normalisation (§6.2.2), but nobody who means well
//! writes a route that way.

use std::str::from_utf8;

use url::Url;

use super::scheme::Scheme;
use crate::browser::LONGEST_REDIRECT;
use crate::workspaces::address::{self, Address};

/// The longest link, in bytes.
pub const LONGEST: usize = LONGEST_REDIRECT;

/// Where Better Auth's plugin for desktop apps comes back to.
const BETTER_AUTH: &str = "/auth/callback";

/// A link that this app knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/callback…` and `/auth/callback#token=…`: the browser comes back to a sign-in. The address is
    /// written as the app names it to the provider: small letters and no authority.
    Redirect(Url),
    /// `/join?workspace=…`: a workspace is to be added.
    Join(Address),
}

/// Why a link is not one of this app. The log has this in place of the link, which may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is longer than [`LONGEST`].
    TooLong,
    /// It is not UTF-8.
    NotText,
    /// It has a character that no URI has: a space, a control character, one that is not ASCII.
    Character,
    /// A `%` in it begins no encoded byte.
    Encoding,
    /// It has another scheme, or none.
    Scheme,
    /// It names a host, and maybe a user.
    Host,
    /// Its path is none of the routes.
    Path,
    /// Its route has other parameters, or one with a value that it cannot have.
    Parameters,
}

/// Reads a link. Contacts nobody.
///
/// # Errors
/// If it is not one of this app.
pub fn read(link: &[u8], scheme: &Scheme) -> Result<Route, Fault> {
    if link.len() > LONGEST {
        return Err(Fault::TooLong);
    }
    let rest = scheme.strip(link);
    let text = from_utf8(link).map_err(|_| Fault::NotText)?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::Character);
    }
    // It is ASCII, as the whole link is.
    let rest = rest.and_then(|rest| from_utf8(rest).ok());
    let rest = rest.ok_or(Fault::Scheme)?;
    let decoded = decode(rest).ok_or(Fault::Encoding)?;
    if decoded.contains(&0) {
        return Err(Fault::Character);
    }
    let hierarchy = match rest.strip_prefix("//") {
        None => rest,
        Some(path) if path.starts_with('/') => path,
        Some(_) if path_of(&rest[1..]) == BETTER_AUTH => &rest[1..],
        Some(_) => return Err(Fault::Host),
    };
    let (before, fragment) = split(hierarchy, '#');
    let (path, query) = split(before, '?');
    match path {
        "/callback" | BETTER_AUTH => {
            let address = Url::parse(&format!("{}:{hierarchy}", scheme.name()));
            address.map(Route::Redirect).map_err(|_| Fault::Path)
        }
        "/join" if fragment.is_none() => {
            let workspace = the_only("workspace", query.unwrap_or_default());
            let workspace = workspace.filter(|workspace| is_of_the_web(workspace));
            let address = workspace.and_then(|workspace| address::parse(&workspace).ok());
            address.map(Route::Join).ok_or(Fault::Parameters)
        }
        "/join" => Err(Fault::Parameters),
        _ => Err(Fault::Path),
    }
}

/// What stands before a query and a fragment.
fn path_of(hierarchy: &str) -> &str {
    split(split(hierarchy, '#').0, '?').0
}

fn split(text: &str, sign: char) -> (&str, Option<&str>) {
    match text.split_once(sign) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

/// The value of the only parameter of a query, which has this name. A further parameter, such as one that a
/// later version knows, could change what the link is for.
fn the_only(name: &str, query: &str) -> Option<String> {
    let value = query.strip_prefix(name)?.strip_prefix('=')?;
    let value = (!value.contains('&')).then(|| decode(value))??;
    String::from_utf8(value).ok()
}

/// Whether a text is an address of the web or a host alone. A link of an app, `app.example:/join`, could be
/// read as a host with an empty port.
fn is_of_the_web(text: &str) -> bool {
    match text.split_once(":/") {
        Some((scheme, _)) => ["http", "https"]
            .iter()
            .any(|web| scheme.eq_ignore_ascii_case(web)),
        None => true,
    }
}

/// Decodes percent-encoded bytes once (RFC 3986 §2.1). A `+` stays one. `None` where a `%` begins no byte.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        // `from_str_radix` takes a sign too.
        let is_byte = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        decoded.push(is_byte.then(|| u8::from_str_radix(digits, 16).ok())??);
        decoded.extend_from_slice(rest.as_bytes());
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn route(link: impl AsRef<[u8]>) -> Result<Route, Fault> {
        let scheme = Scheme::parse("com.example.app").expect("a scheme");
        read(link.as_ref(), &scheme)
    }

    fn join(address: &str) -> Result<Route, Fault> {
        Ok(Route::Join(address::parse(address).expect("an address")))
    }

    #[test]
    fn forms_of_the_same_link_are_the_same() {
        for link in [
            "com.example.app:/callback?code=c&state=s",
            "com.example.app:///callback?code=c&state=s",
            "COM.EXAMPLE.APP:/callback?code=c&state=s",
        ] {
            let Ok(Route::Redirect(address)) = route(link) else {
                panic!("{link}");
            };
            assert_eq!(address.as_str(), "com.example.app:/callback?code=c&state=s");
        }
        for link in [
            "com.example.app://auth/callback#token=eyJhIjoiYiJ9",
            "com.example.app:/auth/callback#token=eyJhIjoiYiJ9",
            "com.example.app:///auth/callback#token=eyJhIjoiYiJ9",
        ] {
            let Ok(Route::Redirect(address)) = route(link) else {
                panic!("{link}");
            };
            let plain = "com.example.app:/auth/callback#token=eyJhIjoiYiJ9";
            assert_eq!(address.as_str(), plain);
        }
        for link in [
            "com.example.app:/join?workspace=cloud.example",
            "com.example.app:///join?workspace=https%3A%2F%2Fcloud.example%2Flogin%3Fa%3Db",
            "Com.Example.App:/join?workspace=https://cloud.example:443/",
        ] {
            assert_eq!(route(link), join("cloud.example"), "{link}");
        }
    }

    #[test]
    fn a_redirect_keeps_all_that_the_provider_has_written() {
        for link in [
            "com.example.app:/callback",
            "com.example.app:/callback?error=access_denied&error_description=a%20b+c&state=s",
            "com.example.app:/callback?code=a/b?c&state=%2526#_=_",
            "com.example.app:/auth/callback#token=eyJhIjoiYiJ9",
        ] {
            let Ok(Route::Redirect(address)) = route(link) else {
                panic!("{link}");
            };
            assert_eq!(address.as_str(), link);
        }
    }

    #[test]
    fn what_is_no_link_of_this_app_is_refused_by_its_kind() {
        use Fault::{Character, Encoding, Host, NotText, Parameters, Path, Scheme, TooLong};
        let long = format!("com.example.app:/callback?code={}", "x".repeat(LONGEST));
        for (link, fault) in [
            (&b""[..], Scheme),
            (b"com.example.app", Scheme),
            (b"javascript:alert(1)", Scheme),
            (b"https://com.example.app/join?workspace=a.example", Scheme),
            (b"com.example.app.evil:/join?workspace=a.example", Scheme),
            (b"/join?workspace=a.example", Scheme),
            (b"com.example.app:", Path),
            (b"com.example.app:/", Path),
            (b"com.example.app:callback", Path),
            (b"com.example.app:/dashboard", Path),
            (b"com.example.app:/dashboard/?next=/admin", Path),
            (b"com.example.app:/callback/", Path),
            (b"com.example.app:/Callback", Path),
            (b"com.example.app:/callback/../dashboard", Path),
            (b"com.example.app:/x/../callback", Path),
            (b"com.example.app:/./callback", Path),
            (b"com.example.app:/%63allback", Path),
            (b"com.example.app:/callback%2F..%2Fdashboard", Path),
            (b"com.example.app:/callback;x", Path),
            (b"com.example.app:\\callback", Path),
            (b"com.example.app:////callback", Path),
            (b"com.example.app:/plugin:vestibule|logout", Path),
            (b"com.example.app:javascript:alert(1)", Path),
            (b"com.example.app:com.example.app:/callback", Path),
            (b"com.example.app:?workspace=a.example", Path),
            (b"com.example.app://callback?code=c", Host),
            (b"com.example.app://", Host),
            (b"com.example.app://auth/callback/", Host),
            (b"com.example.app://auth/join?workspace=a.example", Host),
            (b"com.example.app://auth@host/callback", Host),
            (b"com.example.app://Auth/callback", Host),
            (b"com.example.app://ada:hunter22@/callback", Host),
            (b"com.example.app://ada@host/join?workspace=a.example", Host),
            (b"com.example.app://@/callback", Host),
            (b"com.example.app:/call back", Character),
            (b"com.example.app:/callback?code=\0", Character),
            (b"com.example.app:/callback?code=%00", Character),
            (b"com.example.app:/join?workspace=a.example%00", Character),
            (b"com.example.app:/callback\n", Character),
            (b" com.example.app:/callback", Character),
            ("com.example.app:/callback?code=é".as_bytes(), Character),
            (
                "com.example.app:/join?workspace=a\u{202e}.example".as_bytes(),
                Character,
            ),
            (b"com.example.app:/callback?code=%", Encoding),
            (b"com.example.app:/callback?code=%4", Encoding),
            (b"com.example.app:/callback?code=%zz", Encoding),
            (b"com.example.app:/callback?code=%+1", Encoding),
            (b"com.example.app:/\xff", NotText),
            (b"\xff", NotText),
            (b"com.example.app:/join", Parameters),
            (b"com.example.app:/join?", Parameters),
            (b"com.example.app:/join?workspace", Parameters),
            (b"com.example.app:/join?workspace=", Parameters),
            (b"com.example.app:/join?Workspace=a.example", Parameters),
            (b"com.example.app:/join?workspac%65=a.example", Parameters),
            (
                b"com.example.app:/join?workspace=a.example&workspace=b.example",
                Parameters,
            ),
            (
                b"com.example.app:/join?workspace=a.example&code=c",
                Parameters,
            ),
            (b"com.example.app:/join?x=y&workspace=a.example", Parameters),
            (b"com.example.app:/join?workspace=a.example#x", Parameters),
            (
                b"com.example.app:/join?workspace=javascript:alert(1)",
                Parameters,
            ),
            (
                b"com.example.app:/join?workspace=file:///etc/passwd",
                Parameters,
            ),
            (
                b"com.example.app:/join?workspace=com.example.app:/join",
                Parameters,
            ),
            (
                b"com.example.app:/join?workspace=http://a.example",
                Parameters,
            ),
            (
                b"com.example.app:/join?workspace=https://ada:hunter22@a.example",
                Parameters,
            ),
            (
                b"com.example.app:/join?workspace=https%253A%252F%252Fa.example",
                Parameters,
            ),
            (
                b"com.example.app:/join?workspace=a%2Eexample%0A%0Db.example",
                Parameters,
            ),
            (b"com.example.app:/join?workspace=a%ff.example", Parameters),
            (
                b"com.example.app:/join?workspace=a%E2%80%AE.example",
                Parameters,
            ),
            (b"com.example.app:/join?workspace=a.example+b", Parameters),
            (long.as_bytes(), TooLong),
        ] {
            let shown = String::from_utf8_lossy(&link[..link.len().min(80)]);
            assert_eq!(route(link), Err(fault), "{shown:?}");
        }
    }

    #[test]
    fn the_longest_link_is_read() {
        let begin = "com.example.app:/callback?code=";
        let link = format!("{begin}{}", "x".repeat(16 * 1024 - begin.len()));
        assert!(matches!(route(&link), Ok(Route::Redirect(_))));
        assert_eq!(route(link + "x"), Err(Fault::TooLong));
    }

    /// Whatever is known is one of the routes, of this scheme, and is read the same again.
    fn is_known_or_refused(link: &[u8]) -> Result<(), TestCaseError> {
        match route(link) {
            Ok(Route::Redirect(address)) => {
                prop_assert_eq!(address.scheme(), "com.example.app");
                prop_assert!(["/callback", "/auth/callback"].contains(&address.path()));
                prop_assert!(!address.has_authority());
                prop_assert_eq!(route(address.as_str()), Ok(Route::Redirect(address)));
            }
            Ok(Route::Join(address)) => {
                let origin = address.origin();
                prop_assert_eq!(address::parse(&origin), Ok(address));
            }
            Err(_) => {}
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn any_text_is_a_route_or_refused(text in ".{0,200}") {
            is_known_or_refused(text.as_bytes())?;
        }

        #[test]
        fn any_bytes_behind_the_scheme_are_a_route_or_refused(
            behind in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            is_known_or_refused(&[b"com.example.app:", &behind[..]].concat())?;
        }

        #[test]
        fn what_nearly_is_a_route_is_one_or_refused(
            slashes in "/{0,4}",
            path in "(callback|auth/callback|join|[a-z%./@:]{0,12})",
            behind in "([?#&=%/a-z0-9:+]{0,40}|[?]workspace=.{0,40})",
        ) {
            is_known_or_refused(format!("com.example.app:{slashes}{path}{behind}").as_bytes())?;
        }

        #[test]
        fn a_host_that_is_encoded_is_the_host_that_was_meant(host in "[a-z]{1,10}\\.[a-z]{2,5}") {
            let encoded: String = host.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let link = format!("com.example.app:/join?workspace={encoded}");
            prop_assert_eq!(route(link), join(&host));
        }
    }
}
