//! Recognizes the protocol of a connection by its first bytes. Clients with the wrong port or with TLS are the most common mistake
//! in OTLP setups, and a connection that only breaks gives them no reason.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use engine::limits;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// The client preface of HTTP/2 (RFC 9113, section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The protocol that a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerProtocol {
    /// HTTP/1, or anything that begins with a visible character: the HTTP/1 server rejects what is none.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
    /// The client hello of TLS (RFC 8446, section 5.1).
    Tls,
    /// None of them.
    Unknown,
}

/// The bytes that were read to recognize a protocol.
#[derive(Debug, Default)]
pub struct FirstBytes {
    bytes: [u8; PREFACE.len()],
    length: usize,
}

/// Reads as many bytes as the decision takes, 24 at most. The server of the protocol has to get them again ([`Replayed`]).
///
/// # Errors
///
/// Those of the stream, and `UnexpectedEof` when it ends before the decision.
pub async fn recognize(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<(PeerProtocol, FirstBytes)> {
    let mut first = FirstBytes::default();
    loop {
        let room = first.bytes.get_mut(first.length..).unwrap_or_default();
        match stream.read(room).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => first.length += read,
        }
        if let Some(protocol) = classify(first.filled()) {
            return Ok((protocol, first));
        }
    }
}

/// Why a TLS client is not served, and what to do.
pub const NO_TLS: &str =
    "this port does not serve TLS: use http:// instead of https://, or insecure in gRPC exporters";

/// Closes the connection of a TLS client after an answer in plain text: its error is then one that people know, such as "wrong version
/// number" or "server gave HTTP response to HTTPS client".
pub async fn reject_tls(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{NO_TLS}",
        NO_TLS.len()
    );
    let farewell = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing a socket with unread bytes sends a reset, and the peer may lose the answer.
        let mut rest = stream.take(limits::FAREWELL.1);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    let _ = timeout(limits::FAREWELL.0, farewell).await;
}

/// The protocol that begins with these bytes; none: more of them are needed.
fn classify(bytes: &[u8]) -> Option<PeerProtocol> {
    const HANDSHAKE: u8 = 22;
    const MAJOR: u8 = 3;
    match *bytes {
        [] | [HANDSHAKE] => None,
        [HANDSHAKE, MAJOR, ..] => Some(PeerProtocol::Tls),
        _ if bytes == PREFACE => Some(PeerProtocol::Http2),
        _ if PREFACE.starts_with(bytes) => None,
        // A method, or the empty line that may stand before one (RFC 9112, section 2.2).
        [b'!'..=b'~' | b'\r' | b'\n', ..] => Some(PeerProtocol::Http1),
        _ => Some(PeerProtocol::Unknown),
    }
}

impl FirstBytes {
    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// A stream that first yields the bytes that were read from it before.
pub struct Replayed<S> {
    first: FirstBytes,
    /// Bytes of `first` that were replayed.
    at: usize,
    stream: S,
}

impl<S> Replayed<S> {
    /// Yields `first`, then `stream`.
    pub fn new(first: FirstBytes, stream: S) -> Self {
        Self { first, at: 0, stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Replayed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match this.first.filled().get(this.at..) {
            None | Some([]) => Pin::new(&mut this.stream).poll_read(context, buffer),
            Some(left) => {
                let now = left.get(..buffer.remaining()).unwrap_or(left);
                buffer.put_slice(now);
                this.at += now.len();
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replayed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[test]
    fn recognizes_each_protocol_by_as_few_bytes_as_it_takes() {
        for (bytes, protocol) in [
            (&b""[..], None),
            (b"P", None),
            (b"PO", Some(PeerProtocol::Http1)),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r", None),
            (PREFACE, Some(PeerProtocol::Http2)),
            (b"PRI * HTTP/1", Some(PeerProtocol::Http1)),
            (b"get", Some(PeerProtocol::Http1)),
            (b"\r\nGET", Some(PeerProtocol::Http1)),
            (b"\x16", None),
            (b"\x16\x03", Some(PeerProtocol::Tls)),
            (b"\x16\x01", Some(PeerProtocol::Unknown)),
            (b"\0", Some(PeerProtocol::Unknown)),
            (b"\xff", Some(PeerProtocol::Unknown)),
        ] {
            assert_eq!(classify(bytes), protocol, "{}", bytes.escape_ascii());
        }
    }

    #[tokio::test]
    async fn replays_the_first_bytes_before_the_stream() {
        let (mut peer, mut ours) = duplex(64);
        let sent = [PREFACE, &b"and more"[..]].concat();
        for (index, byte) in sent.iter().enumerate() {
            peer.write_all(&[*byte]).await.unwrap();
            if index == 3 {
                tokio::task::yield_now().await;
            }
        }
        drop(peer);
        let (protocol, first) = recognize(&mut ours).await.unwrap();
        assert_eq!(protocol, PeerProtocol::Http2);
        let mut read = Vec::new();
        Replayed::new(first, ours).read_to_end(&mut read).await.unwrap();
        assert_eq!(read, sent);
    }

    #[tokio::test]
    async fn an_end_before_the_decision_is_an_error() {
        let (mut peer, mut ours) = duplex(64);
        peer.write_all(b"PRI").await.unwrap();
        drop(peer);
        let error = recognize(&mut ours).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
