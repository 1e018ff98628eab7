//! Who may look at the web port, and through what.

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::{self, Source};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConnection, StreamOwned};
use server::net::tls::{self, ClientFiles};
use server::scrape::{Access, Rules};

use crate::certificates;
use crate::support::*;

fn rules(folder: &Path, text: &str) -> Rules {
    let source = Source { name: "web.yaml".into(), text: text.into() };
    let settings = config::web(source, folder, &|_| None).unwrap_or_else(|said| panic!("{said}"));
    Rules::new(&settings).unwrap()
}

pub fn guarded(folder: &Path, text: &str) -> Server {
    serve(server::service::ServeOptions {
        access: Arc::new(Access::new(rules(folder, text))),
        ..options()
    })
}

fn basic(user: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(user))
}

pub fn users() -> String {
    format!("basic_auth_users: {{ann: {}}}\n", bcrypt::hash("secret", 4).unwrap())
}

#[test]
fn counts_missing_and_wrong_passwords() {
    let server = guarded(Path::new(""), &users());
    let web = server.address("web");
    let ask = |headers: &str| exchange(web, &request("GET", "/", headers, b"")).status;
    assert_eq!((ask(""), ask(&basic("ann:secret"))), (401, 200));
    assert_eq!((ask(&basic("ann:wrong")), ask(&basic("eve:secret"))), (401, 401));
    let right = basic("ann:secret");
    let scrape = exchange(web, &request("GET", "/metrics", &right, b"")).text();
    for (reason, count) in [("no_credentials", 1), ("wrong_credentials", 2)] {
        let line =
            format!("oscar_metrics_web_refused_requests_total{{reason=\"{reason}\"}} {count}\n");
        assert!(scrape.contains(&line), "{line}");
    }
}

#[test]
fn everything_but_health_and_readiness_needs_the_password() {
    let headers =
        "http_server_config: {headers: {X-Frame-Options: deny, Content-Security-Policy: none}}";
    let server = guarded(Path::new(""), &(users() + headers));
    let web = server.address("web");
    let ask = |method, path, headers: &str| {
        let mut stream = connect(web);
        let headers = format!("{headers}Connection: close\r\n");
        stream.write_all(&request(method, path, &headers, b"")).unwrap();
        whole(stream).unwrap()
    };
    for path in ["/-/healthy", "/-/ready"] {
        assert_eq!(ask("GET", path, "").status, 200);
        assert_eq!(ask("HEAD", path, &basic("ann:wrong")).status, 200);
    }
    let all = [
        ("GET", "/metrics"),
        ("HEAD", "/metrics"),
        ("GET", "/"),
        ("GET", "/api/v1/inventory"),
        ("HEAD", "/api/v1/inventory"),
        ("GET", "/api/v1/x"),
        ("GET", "/nothing"),
        ("POST", "/-/reload"),
        ("GET", "/-/healthy/"),
        ("GET", "//-/healthy"),
    ];
    for (method, path) in all {
        for wrong in [
            "",
            &basic("ann:wrong"),
            &basic("eve:secret"),
            &basic("ann"),
            "Authorization: Bearer secret\r\n",
        ] {
            let reply = ask(method, path, wrong);
            assert_eq!(reply.status, 401, "{method} {path} {wrong}");
            let asked = reply.header("www-authenticate");
            assert!(asked.is_some_and(|asked| asked.starts_with("Basic realm=")), "{asked:?}");
            assert_eq!(reply.header("x-frame-options"), Some("deny"));
        }
    }
    let right = basic("ann:secret");
    let wanted = [200, 200, 200, 200, 200, 404, 404, 200, 404, 404];
    for ((method, path), status) in all.into_iter().zip(wanted) {
        let reply = ask(method, path, &right);
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.header("content-security-policy"), Some("none"));
    }
    // The doors of OTLP are not the web port's.
    assert_eq!(post(server.address("otlp_http"), "/v1/traces", PROTOBUF, &span()).status, 200);
}

/// One request over TLS, as `localhost`.
fn secure(address: SocketAddr, files: &ClientFiles, headers: &str) -> std::io::Result<Reply> {
    let config = Arc::new(tls::client(Some(files)).unwrap());
    let connection = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, connect(address));
    let headers = format!("{headers}Connection: close\r\n");
    stream.write_all(&request("GET", "/metrics", &headers, b""))?;
    whole(stream)
}

/// The answer on a connection that ends after it; one to HEAD has no body, whatever it says.
fn whole(mut stream: impl Read) -> std::io::Result<Reply> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Reply { status, head: head.into(), body: body.into() })
}

fn trusting(folder: &Path) -> ClientFiles {
    ClientFiles { ca: Some(folder.join("ca.pem")), identity: None }
}

const PAIR: &str = "cert_file: leaf.pem, key_file: key.pem";

#[test]
fn tls_and_the_password_work_together_and_a_renewed_certificate_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    certificates::issue(folder);
    let server = guarded(folder, &format!("{}tls_server_config: {{{PAIR}}}\n", users()));
    let web = server.address("web");
    let before = trusting(folder);
    assert_eq!(secure(web, &before, "").unwrap().status, 401);
    let reply = secure(web, &before, &basic("ann:secret")).unwrap();
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("oscar_metrics_build_info"));
    // Plain text gets no answer, and harms nobody.
    let mut plain = connect(web);
    plain.write_all(&request("GET", "/metrics", "", b"")).unwrap();
    let mut told = Vec::new();
    let _ = plain.read_to_end(&mut told);
    assert!(!told.starts_with(b"HTTP"), "{told:?}");

    // A key that does not belong to the certificate changes nothing; the whole pair does.
    let renewed = tempfile::tempdir().unwrap();
    certificates::issue(renewed.path());
    let copy = |name: &str| fs::copy(renewed.path().join(name), folder.join(name)).unwrap();
    let old_ca = tempfile::tempdir().unwrap();
    fs::copy(folder.join("ca.pem"), old_ca.path().join("ca.pem")).unwrap();
    copy("key.pem");
    assert_eq!(secure(web, &trusting(old_ca.path()), "").unwrap().status, 401);
    copy("leaf.pem");
    assert!(secure(web, &trusting(old_ca.path()), "").is_err(), "the old CA made the new one");
    assert_eq!(secure(web, &trusting(renewed.path()), "").unwrap().status, 401);
}

#[test]
fn http2_is_spoken_where_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    certificates::issue(folder.path());
    let alpn = |text: &str| {
        let server = guarded(folder.path(), &format!("tls_server_config: {{{PAIR}}}\n{text}"));
        let mut config = tls::client(Some(&trusting(folder.path()))).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(server.address("web")).await.unwrap();
            let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
            let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
            if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                return None;
            }
            let io = TokioIo::new(stream);
            let executor = TokioExecutor::new();
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(executor, io).await.unwrap();
            tokio::spawn(connection);
            let request = http::Request::get("https://localhost/metrics");
            let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
            let response = sender.send_request(request).await.unwrap();
            Some((response.status(), response.collect().await.unwrap().to_bytes().len()))
        })
    };
    assert!(alpn("").is_some_and(|(status, length)| status == 200 && length > 1000));
    assert_eq!(alpn("http_server_config: {http2: false}"), None);
}

#[test]
fn clients_show_a_certificate_where_they_must() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    certificates::issue(ours.path());
    certificates::issue(theirs.path());
    fs::copy(theirs.path().join("ca.pem"), ours.path().join("clients.pem")).unwrap();
    let text = |kind| {
        format!(
            "tls_server_config: {{{PAIR}, client_ca_file: clients.pem, client_auth_type: {kind}, min_version: TLS13}}"
        )
    };
    let pair = |folder: &Path| Some((folder.join("leaf.pem"), folder.join("key.pem")));
    let known = ClientFiles { identity: pair(theirs.path()), ..trusting(ours.path()) };
    let strange = ClientFiles { identity: pair(ours.path()), ..trusting(ours.path()) };
    for (kind, without) in
        [("RequireAndVerifyClientCert", false), ("VerifyClientCertIfGiven", true)]
    {
        let server = guarded(ours.path(), &text(kind));
        let web = server.address("web");
        let works = |files| secure(web, files, "").is_ok_and(|reply| reply.status == 200);
        assert!(works(&known), "{kind}");
        assert!(!works(&strange), "{kind}");
        assert_eq!(works(&trusting(ours.path())), without, "{kind}");
    }
}

#[test]
fn without_rules_that_can_be_kept_only_health_is_shown() {
    let access = Arc::new(Access::new(Rules::closed()));
    let server = serve(server::service::ServeOptions { access: access.clone(), ..options() });
    let web = server.address("web");
    assert_eq!(post(server.address("otlp_http"), "/v1/traces", PROTOBUF, &span()).status, 200);
    assert_eq!((get(web, "/-/healthy").status, get(web, "/-/ready").status), (200, 200));
    assert_eq!([get(web, "/metrics").status, get(web, "/").status], [503, 503]);
    assert_eq!(exchange(web, &request("POST", "/-/reload", &basic("ann:secret"), b"")).status, 503);
    access.replace(rules(Path::new(""), &users()));
    assert_eq!(get(web, "/metrics").status, 401);
    access.replace(Rules::default());
    assert_eq!(server.received(), 1.0);
}
