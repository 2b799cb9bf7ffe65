//! Which proxy leads to an address. It knows the customary variables of the environment, no network.

use crate::{Address, Scheme};

/// Proxies for each scheme, and hosts that are reached without one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<String>,
    https: Option<String>,
    ftp: Option<String>,
    without: Vec<String>,
}

impl Proxies {
    /// From the environment: `http_proxy`, `https_proxy`, `ftp_proxy`, `all_proxy`, `no_proxy`, or the same in
    /// capitals.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// From variables that are looked up by `get`, as [`Proxies::from_environment`].
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| get(name).or_else(|| get(&name.to_uppercase()));
        let proxy = |name: &str| {
            let text = either(name).or_else(|| either("all_proxy"))?;
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let without = either("no_proxy").unwrap_or_default();
        let without = without.split([',', ' ']).map(|host| host.trim().to_lowercase());
        Self {
            http: proxy("http_proxy"),
            https: proxy("https_proxy"),
            // SOCKS is no way for FTP here; an HTTP proxy is, if it was meant for that.
            ftp: either("ftp_proxy").filter(|text| !text.is_empty()),
            without: without.filter(|host| !host.is_empty()).collect(),
        }
    }

    /// The address of the proxy for `address`, with its scheme.
    pub(crate) fn of(&self, address: &Address) -> Option<String> {
        let proxy = match address.scheme() {
            Scheme::Http => self.http.as_ref(),
            Scheme::Https => self.https.as_ref(),
            Scheme::Ftp => self.ftp.as_ref(),
            Scheme::File => None,
        }?;
        if self.leaves_out(&address.host().to_lowercase()) {
            return None;
        }
        Some(if proxy.contains("://") { proxy.clone() } else { format!("http://{proxy}") })
    }

    /// An entry names a host, or a domain with all its hosts, with or without a dot or `*.` in front.
    fn leaves_out(&self, host: &str) -> bool {
        self.without.iter().any(|entry| {
            let name = entry.trim_start_matches('*').trim_start_matches('.');
            entry == "*" || host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Proxies::from_variables(find)
    }

    #[track_caller]
    fn leads(proxies: &Proxies, address: &str, proxy: Option<&str>) {
        assert_eq!(proxies.of(&address.parse().unwrap()).as_deref(), proxy, "{address}");
    }

    #[test]
    fn each_scheme_has_its_own_variable() {
        let all =
            proxies(&[("http_proxy", "p:3128"), ("HTTPS_PROXY", "http://q"), ("ftp_proxy", "http://r")]);
        leads(&all, "http://h/x", Some("http://p:3128"));
        leads(&all, "https://h/x", Some("http://q"));
        leads(&all, "ftp://h/x", Some("http://r"));
        let one = proxies(&[("all_proxy", "socks5://s")]);
        leads(&one, "http://h/x", Some("socks5://s"));
        leads(&one, "ftp://h/x", None);
        leads(&proxies(&[("http_proxy", "")]), "http://h/x", None);
    }

    #[test]
    fn some_hosts_are_reached_without() {
        let some = proxies(&[("http_proxy", "http://p"), ("no_proxy", "localhost, .example.org,b.net")]);
        for host in ["localhost", "example.org", "a.example.org", "A.Example.ORG:8080", "b.net", "x.b.net"] {
            leads(&some, &format!("http://{host}/x"), None);
        }
        for host in ["anexample.org", "net", "h"] {
            leads(&some, &format!("http://{host}/x"), Some("http://p"));
        }
        leads(&proxies(&[("http_proxy", "http://p"), ("no_proxy", "*")]), "http://h/x", None);
    }
}
