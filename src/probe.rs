//! `probe`: asks a running instance whether it is ready, for images that have no shell and no curl.
//!
//! Plain HTTP only. Over TLS a probe would have to trust a certificate it has no name for, or none at all; a kubelet asks such a
//! port with `scheme: HTTPS` itself.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use server::service::runtime;

use super::{Exit, Failure, args};

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
        value_parser = args::duration
    )]
    pub timeout: Duration,
}

/// An URL that can be asked: `http://HOST[:PORT][/PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeUrl {
    text: String,
    authority: String,
    path: String,
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

/// Asks once, and says nothing when the answer is 200.
///
/// # Errors
///
/// [`Exit::Unavailable`] when nobody answers in time, or the answer is another.
pub fn run(args: &ProbeArgs) -> Result<(), Failure> {
    let unavailable =
        |why: String| Failure::new(Exit::Unavailable, format!("{} {why}", args.url.text));
    let answer = runtime()?
        .block_on(async { tokio::time::timeout(args.timeout, ask(&args.url)).await })
        .map_err(|_| unavailable(format!("did not answer within {:?}", args.timeout)))?;
    match answer {
        Ok(StatusCode::OK) => Ok(()),
        Ok(other) => Err(unavailable(format!("answered {other}"))),
        Err(why) => Err(unavailable(format!("can't be asked: {why}"))),
    }
}

/// The status is the answer; hyper bounds the head it comes in, and the body is not read.
async fn ask(url: &ProbeUrl) -> Result<StatusCode, String> {
    let stream = TcpStream::connect(&url.authority).await.map_err(|why| why.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|why| why.to_string())?;
    tokio::spawn(connection);
    let request = Request::get(&url.path)
        .header(header::HOST, &url.authority)
        .body(Empty::<Bytes>::new())
        .map_err(|why| why.to_string())?;
    Ok(sender.send_request(request).await.map_err(|why| why.to_string())?.status())
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
