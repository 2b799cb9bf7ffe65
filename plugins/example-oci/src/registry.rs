//! A registry (the distribution specification). It knows addresses and answers; who the user is, [`crate::auth`] knows.

use qchroot_plugin::{Download, Error, ErrorKind, Observe, Reply, Result, Work};
use serde::Deserialize;

use crate::auth::Access;
use crate::digest::Digest;
use crate::document::{ACCEPTED, Descriptor, Document};
use crate::image::{DOCKER, Image};
use crate::options::Asked;
use crate::store::{Piece, SMALL, Store};

/// One repository of a registry's.
pub(crate) struct Registry {
    /// `https://HOST/v2/REPOSITORY`
    base: String,
    image: Image,
    access: Access,
}

impl Registry {
    pub(crate) fn new(host: &str, repository: &str, asked: &Asked) -> Self {
        let scheme = if asked.insecure || is_here(host) { "http" } else { "https" };
        let server = if host == DOCKER { "registry-1.docker.io" } else { host };
        Self {
            base: format!("{scheme}://{server}/v2/{repository}"),
            image: asked.image.clone(),
            access: Access::new(format!("{host}/{repository}"), asked.auth_file.clone()),
        }
    }

    /// Asks, and once more when the registry wants to know who asks.
    fn get(&self, path: &str, host: &dyn Observe) -> Result<Vec<u8>> {
        let address = format!("{}/{path}", self.base);
        let ask = || {
            let mut headers = self.access.headers(host)?;
            headers.push(("Accept".into(), ACCEPTED.into()));
            host.get(&address, &headers, SMALL)
        };
        let mut reply = ask()?;
        if reply.status == 401 && self.access.challenged(&reply, &self.base, host)? {
            reply = ask()?;
        }
        match reply.status {
            200 => Ok(reply.body),
            _ => Err(self.refusal(&reply).cause(format!("{address}: the registry says {}", words(&reply)))),
        }
    }

    fn refusal(&self, reply: &Reply) -> Error {
        let image = &self.image;
        match reply.status {
            404 => Error::new(ErrorKind::NotFound, format!("there is no {image}"))
                .hint("`skopeo list-tags docker://NAME` shows which tags there are"),
            401 | 403 => {
                Error::new(ErrorKind::Permission, format!("{image} is not for everybody, or not there"))
                    .hint("log in by `skopeo login --authfile FILE REGISTRY` and give FILE as auth_file")
            }
            429 => Error::new(
                ErrorKind::Unavailable,
                format!("the registry gives {image} to nobody at the moment"),
            )
            .hint("wait a while; those who log in may ask more often"),
            _ => Error::new(ErrorKind::Unavailable, format!("cannot get {image}")),
        }
    }
}

impl Store for Registry {
    fn top(&self, host: &dyn Observe) -> Result<(Digest, Document)> {
        let Some(digest) = &self.image.digest else {
            let bytes =
                self.get(&format!("manifests/{}", self.image.tag.as_deref().unwrap_or("latest")), host)?;
            return Ok((Digest::of(&bytes), Document::parse(&bytes)?));
        };
        let store: &dyn Store = self;
        Ok((digest.clone(), store.document(digest, host)?))
    }

    fn manifest(&self, digest: &Digest, host: &dyn Observe) -> Result<Vec<u8>> {
        self.get(&format!("manifests/{digest}"), host)
    }

    fn blob(&self, wanted: &Descriptor, host: &dyn Observe) -> Result<Vec<u8>> {
        self.get(&format!("blobs/{}", wanted.digest), host)
    }

    fn layer(&self, wanted: &Descriptor, name: &str, work: &mut dyn Work) -> Result<Piece> {
        let download = Download {
            name: name.to_owned(),
            addresses: vec![format!("{}/blobs/{}", self.base, wanted.digest)],
            headers: self.access.headers(work.host())?,
            sha256: Some(wanted.digest.hex().to_owned()),
            size: Some(wanted.size),
        };
        Ok(Piece { path: work.fetch(&download)?, offset: 0 })
    }
}

/// Whether a registry is on this machine.
pub(crate) fn is_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What the registry gives as its reason (distribution specification, "Error Codes").
fn words(reply: &Reply) -> String {
    #[derive(Deserialize)]
    struct Body {
        errors: Vec<Reason>,
    }
    #[derive(Deserialize)]
    struct Reason {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let body: Option<Body> = serde_json::from_slice(&reply.body).ok();
    let reasons = body.map(|body| body.errors).unwrap_or_default();
    let all =
        reasons.iter().map(|reason| format!(", {}: {}", reason.code, reason.message)).collect::<String>();
    let shown: String = all.chars().filter(|c| !c.is_control()).take(300).collect();
    format!("{}{shown}", reply.status)
}
