//! Selects the proxy for an address.

use std::env;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::{Proxy, Url};

use crate::error::Error;

/// The proxy setting of [`SessionBuilder`](super::SessionBuilder).
#[derive(Clone, Default)]
pub(super) enum Proxies {
    /// The proxies of the environment, or of the system if the environment has none.
    #[default]
    System,
    /// No proxy.
    Direct,
    /// One proxy. The text may contain a password.
    Given(String),
}

/// The route to an address.
pub(super) enum Route {
    /// Without a proxy.
    Direct,
    /// Through a proxy, named without its credentials.
    Through(String),
}

impl Proxies {
    /// Validates the setting and the variables.
    pub(super) fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Direct => Ok(()),
            Self::Given(text) => given(text).map(|_| ()),
            Self::System => variables(|name| env::var_os(name).map(|value| value.into_string().ok())),
        }
    }

    /// Returns the route to an address. A proxy is never used for an address of this machine: it would connect to its
    /// own machine, and would see the credentials.
    pub(super) fn route(&self, address: &str) -> Route {
        let intercept = match (self, Url::parse(address).as_ref().map(is_loopback)) {
            (Self::Direct, _) | (_, Ok(true) | Err(_)) => None,
            (Self::Given(text), Ok(false)) => intercept(text),
            (Self::System, Ok(false)) => {
                address.parse().ok().and_then(|address: Uri| Matcher::from_system().intercept(&address))
            }
        };
        intercept.map_or(Route::Direct, |intercept| {
            Route::Through(intercept.uri().to_string().trim_end_matches('/').to_owned())
        })
    }

    /// Configures the proxies of a client for addresses of other machines.
    pub(super) fn apply(&self, client: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Error> {
        Ok(match self {
            Self::System => client,
            Self::Direct => client.no_proxy(),
            Self::Given(text) => client.proxy(given(text)?),
        })
    }
}

/// Returns a given proxy for all addresses.
fn given(text: &str) -> Result<Proxy, Error> {
    match (intercept(text), Proxy::all(text)) {
        (Some(_), Ok(proxy)) => Ok(proxy),
        _ => Err(malformed("the proxy")),
    }
}

/// Parses a proxy.
fn intercept(text: &str) -> Option<Intercept> {
    let proxy = Matcher::builder().all(text).build().intercept(&Uri::from_static("http://proxied.invalid"));
    // The matcher would accept `:` as an address.
    proxy.filter(|proxy| {
        proxy.uri().host().is_some_and(|host| !host.is_empty()) && Url::parse(&proxy.uri().to_string()).is_ok()
    })
}

/// Reports a variable with a malformed proxy. Otherwise it would be ignored, and requests with their credentials would
/// bypass the proxy.
///
/// `value` returns a variable's value, or `None` if it is not UTF-8.
fn variables(value: impl Fn(&str) -> Option<Option<String>>) -> Result<(), Error> {
    // A CGI program gets `HTTP_PROXY` from a request header, so all variables are ignored there.
    if value("REQUEST_METHOD").is_some() {
        return Ok(());
    }
    // The first variable that is set is used, even if its value is empty.
    let first = |names: [&'static str; 2]| {
        let (name, value) = names.into_iter().find_map(|name| Some((name, value(name)?)))?;
        match value {
            Some(value) if value.is_empty() => None,
            value => Some((name, value)),
        }
    };
    let all = first(["ALL_PROXY", "all_proxy"]);
    for names in [["HTTP_PROXY", "http_proxy"], ["HTTPS_PROXY", "https_proxy"]] {
        match first(names).or_else(|| all.clone()) {
            Some((name, value)) if value.as_deref().and_then(intercept).is_none() => return Err(malformed(name)),
            _ => {}
        }
    }
    Ok(())
}

/// Returns the error without the value, which may contain a password.
fn malformed(place: &str) -> Error {
    Error::configuration(format!(
        "{place} is not the address of a proxy such as http://proxy.example:3128; its scheme may be http, https, \
         socks4, socks4a, socks5 or socks5h"
    ))
}

/// Returns whether an address belongs to this machine.
fn is_loopback(address: &Url) -> bool {
    use std::net::IpAddr;
    let host = address.host_str().unwrap_or_default();
    let name = host.trim_end_matches('.');
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    // The unspecified address reaches this machine too.
    ip.is_ok_and(|ip| ip.to_canonical().is_loopback() || ip.to_canonical().is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(proxies: &Proxies, address: &str) -> Option<String> {
        match proxies.route(address) {
            Route::Direct => None,
            Route::Through(proxy) => Some(proxy),
        }
    }

    #[test]
    fn addresses_of_this_machine_are_reached_without_a_proxy() {
        let proxies = Proxies::Given("http://user:password@proxy.invalid:3128".to_owned());
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "emulator.localhost",
            "127.0.0.1",
            "127.1.2.3",
            "127.1",
            "0x7f.1",
            "2130706433",
            "[::1]",
            "[0:0::1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "[::]",
        ] {
            for address in [format!("http://{host}"), format!("https://{host}:8080/prefix")] {
                assert_eq!(route(&proxies, &address), None, "{address}");
            }
        }
        for host in ["localhost.example", "notlocalhost", "127.0.0.1.example", "128.0.0.1", "[::2]", "10.0.0.1"] {
            let address = format!("http://{host}/");
            assert_eq!(route(&proxies, &address).as_deref(), Some("http://proxy.invalid:3128"), "{address}");
            assert_eq!(route(&Proxies::Direct, &address), None);
        }
    }

    #[test]
    fn a_malformed_proxy_is_an_error_wherever_it_is_given() {
        for text in [
            " ",
            ":",
            ":3128",
            "//",
            "http://",
            "http://:3128",
            "://proxy",
            "http://a b",
            "http://proxy.invalid:port",
            "http://proxy.invalid:99999",
            "http://user:pass-canary@",
            "ftp://proxy.invalid",
            "socks://127.0.0.1:1080",
            "http:/proxy.invalid",
            "\u{1}",
        ] {
            let error = Proxies::Given(text.to_owned()).validate().expect_err(text);
            assert_eq!(error.kind(), crate::ErrorKind::Configuration, "{text}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
            for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let value = |asked: &str| (asked == name).then(|| Some(text.to_owned()));
                let error = variables(value).expect_err(text);
                assert!(error.message().starts_with(name), "{name}: {error}");
                assert!(!format!("{error:?}").contains("canary"), "{error:?}");
                // A request header may have set it.
                variables(|asked| value(asked).or((asked == "REQUEST_METHOD").then_some(None))).unwrap();
            }
        }
        assert!(Proxies::Given(String::new()).validate().is_err());
        assert!(variables(|name| (name == "https_proxy").then_some(None)).is_err(), "not UTF-8");
    }

    #[test]
    fn a_variable_that_does_not_count_is_not_looked_at() {
        let check = |variables: &[(&str, &str)]| {
            super::variables(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| Some((*v).to_owned())))
        };
        check(&[]).unwrap();
        check(&[("HTTP_PROXY", ""), ("all_proxy", "")]).unwrap();
        check(&[("HTTP_PROXY", "http://proxy.invalid"), ("http_proxy", "://")]).unwrap();
        check(&[("HTTP_PROXY", "proxy.invalid:3128"), ("HTTPS_PROXY", "http://u:p@x"), ("all_proxy", "socks://x")])
            .unwrap();
        check(&[("ALL_PROXY", "socks5h://127.0.0.1:1080"), ("NO_PROXY", "*")]).unwrap();
        check(&[("HTTP_PROXY", "http://proxy.invalid"), ("all_proxy", "socks://x")]).unwrap_err();
    }
}
