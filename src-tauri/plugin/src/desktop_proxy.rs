//! Finds the proxy in the desktop's settings. On macOS and Windows the core's HTTP client reads the
//! system's settings itself. On Linux GIO reads them: it knows the settings of GNOME and KDE, proxy
//! scripts (PAC) included, and asks the portal where the app runs in a sandbox.

use std::sync::Arc;

use vestibule_core::transport::DesktopProxy;

/// What the core asks for a proxy; `None` where its HTTP client asks the system itself.
pub fn desktop() -> Option<Arc<dyn DesktopProxy>> {
    #[cfg(target_os = "linux")]
    return Some(Arc::new(linux::Gio));
    #[cfg(not(target_os = "linux"))]
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use gio::prelude::ProxyResolverExt as _;
    use vestibule_core::transport::{DesktopProxy, Url};

    /// GIO's default resolver (`GProxyResolver`), which reads the settings of the running desktop.
    pub struct Gio;

    impl DesktopProxy for Gio {
        fn proxy_for(&self, url: &Url) -> Option<Url> {
            let mut origin = url.clone();
            // Only the origin decides which proxy is used, and a proxy script of a stranger should
            // not see more of the address.
            origin.set_path("/");
            let found =
                gio::ProxyResolver::default().lookup(origin.as_str(), gio::Cancellable::NONE);
            let found = found.inspect_err(|error| {
                tracing::warn!(kind = ?error.kind::<gio::ResolverError>(), "the desktop's proxy settings could not be read; the app connects without a proxy");
            });
            // The best proxy comes first; `direct://` means no proxy.
            let first = found.ok()?.into_iter().next()?;
            Url::parse(&first)
                .ok()
                .filter(|proxy| proxy.scheme() != "direct")
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use vestibule_core::transport::{DesktopProxy as _, Url};

    use super::linux::Gio;

    /// Set in the child process: the address whose proxy it looks up.
    const ASKED: &str = "VESTIBULE_TEST_WAY_TO";

    /// Runs a program with GNOME settings of its own, which are kept in a file.
    fn with_settings(folder: &std::path::Path, program: &std::path::Path) -> Command {
        let mut command = Command::new(program);
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command
            .env("XDG_CONFIG_HOME", folder)
            .env("XDG_CURRENT_DESKTOP", "GNOME")
            .env("GSETTINGS_BACKEND", "keyfile")
            .env_remove("DBUS_SESSION_BUS_ADDRESS");
        command
    }

    fn set(folder: &std::path::Path, schema: &str, key: &str, value: &str) {
        let mut command = with_settings(folder, "gsettings".as_ref());
        let schema = format!("org.gnome.system.proxy{schema}");
        let done = command.args(["set", &schema, key, value]).status();
        assert!(
            done.expect("gsettings is there").success(),
            "{schema} {key}"
        );
    }

    /// The proxy that a process with these settings finds.
    fn way(folder: &std::path::Path, to: &str) -> String {
        let this = std::env::current_exe().expect("this program");
        let mut command = with_settings(folder, &this);
        let name = "desktop_proxy::tests::the_proxy_of_gnomes_settings_is_found";
        command
            .args(["--exact", name, "--nocapture"])
            .env(ASKED, to);
        let said = command.output().expect("it ran").stdout;
        let said = String::from_utf8_lossy(&said);
        let way = said.lines().find_map(|line| line.split_once("way: "));
        way.unwrap_or_else(|| panic!("{said}")).1.to_owned()
    }

    #[test]
    fn the_proxy_of_gnomes_settings_is_found() {
        if let Ok(address) = std::env::var(ASKED) {
            let url = Url::parse(&address).expect("an address");
            let proxy = Gio.proxy_for(&url);
            println!("way: {}", proxy.map_or("direct".into(), String::from));
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let backend = "https://backend.test/v1";
        assert_eq!(way(folder, backend), "direct", "nothing is set");
        set(folder, "", "mode", "manual");
        set(folder, ".https", "host", "proxy.test");
        set(folder, ".https", "port", "3128");
        assert_eq!(way(folder, backend), "http://proxy.test:3128/");
        set(folder, "", "ignore-hosts", "['backend.test']");
        assert_eq!(way(folder, backend), "direct", "it is left out");
        assert_eq!(way(folder, "https://other.test"), "http://proxy.test:3128/");
        set(folder, ".https", "host", "");
        set(folder, ".socks", "host", "socks.test");
        set(folder, ".socks", "port", "1080");
        let way = way(folder, "https://other.test");
        assert!(way.starts_with("socks"), "{way}");
    }
}
