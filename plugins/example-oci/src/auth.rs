//! Who asks a registry: names and passwords from a file (containers-auth.json(5)), and the tokens that registries give
//! for them (distribution specification, "Authentication"; RFC 6750, 7617). Nothing of it is ever shown.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qchroot_plugin::{Error, ErrorKind, HostPath, Observe, Place, Reply, Result};
use serde::Deserialize;

use crate::document::json;

/// For how long a token is good that does not say: 60 seconds, by the specification.
const LIFE: u64 = 60;
/// A token that ends within this time is asked for anew, in seconds.
const MARGIN: u64 = 10;
/// Length of the answer with a token, in bytes, at most.
const ANSWER: u64 = 1 << 20;

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, question: Vec<(String, String)> },
}

/// What is said to prove who asks.
struct Proof {
    header: String,
    until: Option<Instant>,
}

/// The way into one repository.
pub(crate) struct Access {
    /// `REGISTRY/REPOSITORY`
    name: String,
    auth_file: Option<HostPath>,
    challenge: RefCell<Option<Challenge>>,
    proof: RefCell<Option<Proof>>,
}

impl Access {
    pub(crate) fn new(name: String, auth_file: Option<HostPath>) -> Self {
        Self { name, auth_file, challenge: RefCell::default(), proof: RefCell::default() }
    }

    /// What to say with a request: nothing until the registry has asked.
    pub(crate) fn headers(&self, host: &dyn Observe) -> Result<Vec<(String, String)>> {
        let is_over = |proof: &Proof| proof.until.is_some_and(|until| Instant::now() >= until);
        if self.proof.borrow().as_ref().is_some_and(is_over) {
            self.prove(host)?;
        }
        let header = |proof: &Proof| ("Authorization".to_owned(), proof.header.clone());
        Ok(self.proof.borrow().as_ref().map(header).into_iter().collect())
    }

    /// Answers what the registry at `base` has asked by refusing; whether it makes sense to try again.
    pub(crate) fn challenged(&self, reply: &Reply, base: &str, host: &dyn Observe) -> Result<bool> {
        let asked = reply.headers.iter().filter(|(name, _)| name == "www-authenticate");
        let Some(challenge) = asked.filter_map(|(_, text)| challenge(text)).next() else { return Ok(false) };
        if let Challenge::Bearer { realm, .. } = &challenge
            && base.starts_with("https:")
            && !realm.starts_with("https:")
        {
            let message = format!("the registry wants a password sent to {realm:?}, which is not encrypted");
            return Err(Error::new(ErrorKind::Permission, message));
        }
        *self.challenge.borrow_mut() = Some(challenge);
        self.prove(host)
    }

    fn prove(&self, host: &dyn Observe) -> Result<bool> {
        let basic = self.password(host)?.map(|known| format!("Basic {known}"));
        let proof = match &*self.challenge.borrow() {
            Some(Challenge::Bearer { realm, question }) => Some(token(realm, question, basic, host)?),
            _ => basic.map(|header| Proof { header, until: None }),
        };
        let is_known = proof.is_some();
        *self.proof.borrow_mut() = proof;
        Ok(is_known)
    }

    /// Name and password in base64, as they stand in the file: under the longest name that this one begins with.
    fn password(&self, host: &dyn Observe) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            auths: BTreeMap<String, Known>,
        }
        #[derive(Deserialize)]
        struct Known {
            auth: Option<String>,
        }
        let Some(path) = self.auth_file.as_deref() else { return Ok(None) };
        let text = host.read(&Place::host(path)).map_err(|e| e.while_doing(format!("cannot read {path}")))?;
        let file: File = json(text.as_bytes(), path.as_str())?;
        let fits = |key: &str| {
            self.name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_ours =
            |key: &str| fits(key) || (key == "https://index.docker.io/v1/" && fits_docker(&self.name));
        let found = file.auths.into_iter().filter(|(key, _)| is_ours(key)).max_by_key(|(key, _)| key.len());
        match found.and_then(|(_, known)| known.auth).filter(|auth| !auth.is_empty()) {
            Some(auth) => Ok(Some(auth)),
            None => Err(Error::new(ErrorKind::Permission, format!("{path} has no password for {}", self.name))
                .hint("log in with `skopeo login --authfile FILE REGISTRY`; helpers that keep passwords are not asked")),
        }
    }
}

fn fits_docker(name: &str) -> bool {
    name.starts_with(crate::image::DOCKER)
}

/// Asks for a token.
fn token(
    realm: &str,
    question: &[(String, String)],
    basic: Option<String>,
    host: &dyn Observe,
) -> Result<Proof> {
    #[derive(Deserialize)]
    struct Token {
        token: Option<String>,
        access_token: Option<String>,
        expires_in: Option<u64>,
    }
    let quoted = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query: Vec<String> = question.iter().map(|(key, value)| format!("{key}={}", quoted(value))).collect();
    let join = if realm.contains('?') { '&' } else { '?' };
    let headers: Vec<_> = basic.into_iter().map(|basic| ("Authorization".to_owned(), basic)).collect();
    let reply = host.get(&format!("{realm}{join}{}", query.join("&")), &headers, ANSWER)?;
    let refused = || {
        Error::new(ErrorKind::Permission, format!("{realm} gives no token"))
            .cause(format!("it says {}", reply.status))
            .hint("see that name and password in auth_file are right and may read this image")
    };
    if reply.status != 200 {
        return Err(refused());
    }
    let told: Token = json(&reply.body, "token")?;
    let token = told.token.or(told.access_token).ok_or_else(refused)?;
    let life = told.expires_in.unwrap_or(LIFE).max(LIFE) - MARGIN;
    Ok(Proof {
        header: format!("Bearer {token}"),
        until: Instant::now().checked_add(Duration::from_secs(life)),
    })
}

/// `Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull"` or `Basic realm="x"`.
fn challenge(text: &str) -> Option<Challenge> {
    let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text, ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    let mut all = parameters(rest);
    let realm = all.iter().position(|(key, _)| key == "realm").map(|at| all.remove(at).1);
    all.retain(|(key, _)| key == "service" || key == "scope");
    realm
        .filter(|_| scheme.eq_ignore_ascii_case("bearer"))
        .map(|realm| Challenge::Bearer { realm, question: all })
}

/// `key="value", key=value` (RFC 9110 11.2); a backslash in quotes keeps the next sign.
fn parameters(text: &str) -> Vec<(String, String)> {
    let (mut all, mut rest) = (vec![], text);
    while let Some((key, after)) = rest.split_once('=') {
        let mut value = String::new();
        let (mut quoted, mut escaped, mut end) = (false, false, after.len());
        for (at, c) in after.char_indices() {
            match c {
                _ if escaped => (escaped, value) = (false, value + &c.to_string()),
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                ',' if !quoted => {
                    end = at;
                    break;
                }
                c => value.push(c),
            }
        }
        all.push((key.trim_matches([' ', ',']).to_lowercase(), value.trim().to_owned()));
        rest = &after[end..];
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_registries_ask_for_is_understood() {
        let text =
            r#"Bearer realm="https://h/t?a=b", service=reg.example,scope="repository:a/b:pull,push",x="\"""#;
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let question = vec![pair("service", "reg.example"), pair("scope", "repository:a/b:pull,push")];
        assert_eq!(challenge(text), Some(Challenge::Bearer { realm: "https://h/t?a=b".into(), question }));
        assert_eq!(challenge("basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(challenge("Bearer service=x"), None);
        assert_eq!(challenge("Negotiate"), None);
    }
}
