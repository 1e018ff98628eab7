//! The arguments of `probe`.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use http::Uri;

use super::duration;

/// The flags of `probe`.
#[derive(Args, Clone, Debug)]
pub struct ProbeArgs {
    /// What to ask, over plain HTTP
    #[arg(
        long,
        env = "OSCAR_METRICS_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:9464/-/ready"
    )]
    pub url: ProbeUrl,
    /// How long to wait for the answer
    #[arg(
        long,
        env = "OSCAR_METRICS_TIMEOUT",
        value_name = "TIME",
        default_value = "2s",
        value_parser = duration
    )]
    pub timeout: Duration,
}

/// An URL that can be asked: `http://HOST[:PORT][/PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeUrl {
    pub(crate) text: String,
    pub(crate) authority: String,
    pub(crate) path: String,
}

impl FromStr for ProbeUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write http://HOST:PORT/PATH";
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        let authority = match (uri.scheme_str(), uri.authority()) {
            (Some("https"), _) => return Err("only plain HTTP can be asked, not https"),
            (Some("http"), Some(authority)) if !authority.as_str().contains('@') => authority,
            _ => return Err(FORM),
        };
        Ok(Self {
            text: text.to_owned(),
            authority: format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_url_has_a_host_and_says_http() {
        let read = |text: &str| {
            text.parse::<ProbeUrl>().map(|url| format!("{} {}", url.authority, url.path))
        };
        assert_eq!(read("http://127.0.0.1:9464/-/ready").unwrap(), "127.0.0.1:9464 /-/ready");
        assert_eq!(read("http://[::1]:1/x?y=z").unwrap(), "[::1]:1 /x?y=z");
        assert_eq!(read("http://gateway.bots").unwrap(), "gateway.bots:80 /");
        assert!(read("https://localhost/").unwrap_err().contains("https"));
        for wrong in ["", "localhost", "localhost:1/-/ready", "/-/ready", "http://me:secret@host/"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
