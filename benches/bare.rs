//! The least a server can do with a request: read its body and answer. What `benches/process` holds ours against.
//!
//! `bare http ADDR` is hyper's HTTP/1.1 server, `bare grpc ADDR` its HTTP/2 server with tonic's unary call on top; neither decodes
//! the message. One thread, as ours has for OTLP. It serves until it is killed.

use std::convert::Infallible;
use std::io;

use bytes::{Buf, BufMut, Bytes};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tonic::Status;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [protocol, address] = arguments.as_slice() else {
        return Err(io::Error::other("usage: bare http|grpc ADDR"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            match protocol.as_str() {
                "http" => tokio::spawn(serve_http(stream)),
                "grpc" => tokio::spawn(serve_grpc(stream)),
                _ => return Err(io::Error::other("http or grpc")),
            };
        }
    })
}

async fn serve_http(stream: TcpStream) {
    let answer = |request: Request<Incoming>| async {
        let read = request.into_body().collect().await?;
        drop(read.to_bytes());
        let mut response = Response::new(Full::new(Bytes::new()));
        let media_type = HeaderValue::from_static("application/x-protobuf");
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        Ok::<_, hyper::Error>(response)
    };
    let connection =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    // A client that leaves is no news.
    let _ = connection.await;
}

async fn serve_grpc(stream: TcpStream) {
    let answer = |request: Request<Incoming>| async {
        Ok::<_, Infallible>(Grpc::new(Raw).unary(Empty, request.map(Body::new)).await)
    };
    let connection = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    let _ = connection.await;
}

/// Answers every message with an empty one, which is what full success is in OTLP.
struct Empty;

impl UnaryService<Bytes> for Empty {
    type Response = Bytes;
    type Future = std::future::Ready<Result<tonic::Response<Bytes>, Status>>;

    fn call(&mut self, _: tonic::Request<Bytes>) -> Self::Future {
        std::future::ready(Ok(tonic::Response::new(Bytes::new())))
    }
}

/// Messages as the bytes they are.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
