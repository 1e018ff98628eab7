//! `probe`: asks a running instance whether it is ready, for images that have no shell and no curl.
//!
//! Plain HTTP only. Over TLS a probe would have to trust a certificate it has no name for, or none at all; a kubelet asks such a
//! port with `scheme: HTTPS` itself.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use server::service::runtime;

use super::args::{ProbeArgs, ProbeUrl};
use super::{Exit, Failure};

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
