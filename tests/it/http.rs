//! What OTLP over HTTP and the web port answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use server::clock;

use crate::support::*;

/// Method, path, headers, body, then the status and the reason that is counted, if one is.
type Row<'a> = (&'a str, &'a str, String, Vec<u8>, u16, Option<&'a str>);

#[test]
fn every_otlp_request_gets_its_status_and_its_place_in_the_books() {
    let server = serve(options());
    let traces = "/v1/traces";
    let coded = |coding: &str| format!("{PROTOBUF}Content-Encoding: {coding}\r\n");
    let typed = |media_type: &str| format!("Content-Type: {media_type}\r\n");
    let bomb = |pad| padded_span(REQUEST + pad);
    let rows: Vec<Row<'_>> = vec![
        ("POST", traces, PROTOBUF.into(), span(), 200, None),
        ("POST", "/v1/metrics", PROTOBUF.into(), vec![], 200, None),
        ("POST", "/v1/logs", JSON.into(), b"{}".to_vec(), 200, None),
        ("POST", traces, typed("APPLICATION/JSON;charset=utf-8"), b"{}".to_vec(), 200, None),
        ("POST", traces, coded(""), span(), 200, None),
        ("POST", traces, coded("identity"), span(), 200, None),
        ("POST", traces, coded("gzip"), gzip(&span()), 200, None),
        ("POST", traces, coded("zstd"), zstd(&span()), 200, None),
        ("POST", traces, coded("deflate"), zlib(&span()), 200, None),
        ("POST", traces, coded("deflate"), zlib(&span())[2..].to_vec(), 400, Some("malformed")),
        ("POST", traces, coded("zlib"), zlib(&span()), 200, None),
        ("POST", traces, coded("deflate"), raw_deflate(&span()), 200, None),
        ("POST", traces, JSON.into(), b"{".to_vec(), 400, Some("malformed")),
        ("POST", traces, PROTOBUF.into(), vec![0xff; 11], 400, Some("malformed")),
        ("POST", traces, typed("text/plain"), b"{}".to_vec(), 415, Some("media_type")),
        ("POST", traces, String::new(), b"{}".to_vec(), 415, Some("media_type")),
        ("POST", traces, coded("br"), span(), 415, Some("encoding")),
        ("POST", traces, coded("gzip"), b"this is no gzip".to_vec(), 400, Some("malformed")),
        ("POST", traces, coded("zstd"), b"this is no zstd".to_vec(), 400, Some("malformed")),
        ("POST", traces, coded("deflate"), b"this is no zlib".to_vec(), 400, Some("malformed")),
        ("POST", traces, PROTOBUF.into(), bomb(1), 413, Some("too_large")),
        ("POST", traces, coded("gzip"), gzip(&bomb(1)), 413, Some("too_large")),
        ("POST", traces, coded("zstd"), zstd(&bomb(1)), 413, Some("too_large")),
        ("POST", traces, coded("deflate"), zlib(&bomb(1)), 413, Some("too_large")),
        ("POST", traces, coded("deflate"), raw_deflate(&bomb(1)), 413, Some("too_large")),
        ("GET", traces, String::new(), vec![], 405, None),
        ("OPTIONS", traces, String::new(), vec![], 405, None),
        ("POST", "/v1/nothing", JSON.into(), b"{}".to_vec(), 404, None),
        ("POST", "/", JSON.into(), b"{}".to_vec(), 404, None),
        ("GET", "/v1/nothing", String::new(), vec![], 404, None),
    ];
    let reasons = ["malformed", "media_type", "encoding", "too_large", "overload", "timeout"];
    let counts = || reasons.map(|reason| server.refused("http", reason));
    for (method, path, headers, body, status, reason) in rows {
        let before = counts();
        let reply = exchange(server.address("otlp_http"), &request(method, path, &headers, &body));
        let what = format!("{method} {path} {headers:?} {} bytes: {reply:?}", body.len());
        assert_eq!(reply.status, status, "{what}");
        let mut expected = before;
        if let Some(at) = reasons.iter().position(|one| Some(*one) == reason) {
            expected[at] += 1.0;
        }
        assert_eq!(counts(), expected, "{what}");
        assert_eq!(reply.header("allow"), (status == 405).then_some("POST"), "{what}");
    }
    server.works();
}

#[test]
fn an_answer_is_written_like_its_request() {
    let server = serve(options());
    let otlp = server.address("otlp_http");
    let reply = post(otlp, "/v1/traces", JSON, b"{");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let status: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(status["code"], 3);
    assert!(!status["message"].as_str().unwrap().is_empty());

    let reply = post(otlp, "/v1/traces", JSON, b"{}");
    assert_eq!((reply.header("content-type"), &*reply.text()), (Some("application/json"), "{}"));
    let reply = post(otlp, "/v1/traces", PROTOBUF, &span());
    assert_eq!(reply.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(reply.body, b"");
    // Field 1, a varint: the code.
    let reply = post(otlp, "/v1/traces", PROTOBUF, &[0xff; 11]);
    assert_eq!(reply.body[..2], [0x08, 3]);
}

#[test]
fn chunks_are_a_body_too() {
    let server = serve(options());
    let otlp = server.address("otlp_http");
    let head = format!("POST /v1/traces HTTP/1.1\r\nHost: x\r\n{PROTOBUF}");
    let chunked = |chunks: &str| format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}");
    let span = span();
    let (one, two) = span.split_at(span.len() / 2);
    let mut request = chunked("").into_bytes();
    for chunk in [one, two, b""] {
        request.extend(format!("{:x}\r\n", chunk.len()).bytes());
        request.extend(chunk);
        request.extend(b"\r\n");
    }
    assert_eq!(exchange(otlp, &request).status, 200);
    assert_eq!(server.accepted(), 1.0);

    let endless = format!("{:x}\r\n{}\r\n", 8192, "x".repeat(8192)).repeat(REQUEST / 8192 + 1);
    assert_eq!(exchange(otlp, chunked(&endless).as_bytes()).status, 413);
    assert_eq!(exchange(otlp, chunked("nonsense\r\n").as_bytes()).status, 400);
    assert_eq!(server.refused("http", "malformed"), 1.0);
    server.works();
}

#[test]
fn a_process_that_is_too_large_takes_nothing_and_shows_its_numbers() {
    let options = options();
    options.live.change(|live| live.memory = 1);
    let server = serve(options);
    let end = clock::monotonic() + Duration::from_secs(10);
    let reply = loop {
        let reply = post(server.address("otlp_http"), "/v1/traces", PROTOBUF, &span());
        if reply.status != 200 || clock::monotonic() > end {
            break reply;
        }
    };
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")), "{}", reply.text());
    assert_eq!(server.refused("http", "overload"), 1.0);
    assert_eq!(get(server.address("web"), "/-/ready").status, 200);
}

#[test]
fn an_overload_is_answered_at_once_and_passes() {
    let options = options();
    options.live.change(|live| live.in_flight = REQUEST);
    let server = serve(options);
    let otlp = server.address("otlp_http");
    // Holds the budget by what it has sent.
    let mut holder = connect(otlp);
    let body = padded_span(REQUEST - 100);
    let bytes = request("POST", "/v1/traces", PROTOBUF, &body);
    let (now, later) = bytes.split_at(bytes.len() - 1);
    std::io::Write::write_all(&mut holder, now).unwrap();
    let mut replies = (0..1000).map(|_| post(otlp, "/v1/traces", PROTOBUF, &padded_span(1000)));
    let busy = replies.find(|reply| reply.status != 200).unwrap();
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("1")));
    assert_eq!(server.refused("http", "overload"), 1.0);
    std::io::Write::write_all(&mut holder, later).unwrap();
    assert_eq!(answer(&mut holder).unwrap().status, 200);
    server.works();
}

#[test]
fn charges_uploads_for_what_arrived() {
    let options = options();
    options.live.change(|live| live.in_flight = 2 * REQUEST);
    let server = serve(options);
    let otlp = server.address("otlp_http");
    let body = padded_span(REQUEST - 100);
    let bytes = request("POST", "/v1/traces", PROTOBUF, &body);
    let begun: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = connect(otlp);
            std::io::Write::write_all(&mut stream, &bytes[..300]).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(SHORT);
    assert_eq!(post(otlp, "/v1/traces", PROTOBUF, &body).status, 200);
    assert_eq!(server.refusals(), 0.0);
    drop(begun);
    server.works();
}

#[test]
fn inflated_bytes_are_in_flight_too() {
    let options = options();
    options.live.change(|live| live.in_flight = 16 * 1024);
    let server = serve(options);
    let headers = format!("{PROTOBUF}Content-Encoding: gzip\r\n");
    let send = |pad| {
        let body = gzip(&padded_span(pad));
        post(server.address("otlp_http"), "/v1/traces", &headers, &body).status
    };
    assert_eq!((send(8192), send(16 * 1024)), (200, 413), "one would never fit");
    let holder = server.holds(10_000);
    assert_eq!(send(8192), 503);
    drop(holder);
    server.works();
}

/// Sends requests over one connection of HTTP/2 without TLS, and reads the statuses and bodies.
fn over_http2(
    server: &Server,
    requests: Vec<http::request::Builder>,
    body: &[u8],
) -> Vec<http::Response<Vec<u8>>> {
    let address = server.address("otlp_http");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let stream = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let client = hyper::client::conn::http2::handshake(executor, stream);
        let (mut sender, connection) = client.await.unwrap();
        tokio::spawn(connection);
        let mut replies = Vec::new();
        for request in requests {
            let body = http_body_util::Full::new(bytes::Bytes::copy_from_slice(body));
            let (head, body) =
                sender.send_request(request.body(body).unwrap()).await.unwrap().into_parts();
            let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
            replies.push(http::Response::from_parts(head, body.to_vec()));
        }
        replies
    })
}

#[test]
fn serves_http2_without_tls_like_http1() {
    let server = serve(options());
    let ask = |method: &str, path: &str, media_type: &str| {
        let uri = format!("http://{}{path}", server.address("otlp_http"));
        http::Request::builder().method(method).uri(uri).header("content-type", media_type)
    };
    let (protobuf, grpc) = ("application/x-protobuf", "application/grpc+proto");
    let export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let requests = vec![
        ask("POST", "/v1/traces", protobuf),
        ask("POST", "/v1/traces", protobuf).header("content-encoding", "br"),
        ask("POST", "/v1/traces", "text/plain"),
        ask("GET", "/v1/traces", protobuf),
        ask("POST", "/", protobuf),
        ask("POST", export, grpc),
    ];
    let replies = over_http2(&server, requests, &span());
    let statuses: Vec<_> = replies.iter().map(|reply| reply.status().as_u16()).collect();
    assert_eq!(statuses, [200, 415, 415, 405, 404, 200]);
    assert_eq!(server.accepted(), 1.0);
    let grpc = replies[5].headers();
    assert_eq!(grpc["grpc-status"], "12");
    let port = server.address("otlp_grpc").port().to_string();
    assert!(grpc["grpc-message"].to_str().unwrap().contains(&port), "{grpc:?}");
    assert_eq!(
        (server.refused("http", "encoding"), server.refused("http", "media_type")),
        (1.0, 2.0)
    );

    let large =
        over_http2(&server, vec![ask("POST", "/v1/traces", protobuf)], &vec![0; 4 * REQUEST]);
    assert_eq!(large[0].status(), 413);
    assert_eq!(server.refused("http", "too_large"), 1.0);
    server.works();
}

#[test]
fn pages_of_listed_origins_may_send() {
    let options = options();
    options.live.change(|live| live.cors = vec!["https://bot.example".into()]);
    let server = serve(options);
    let otlp = server.address("otlp_http");
    let ask = |origin: &str| {
        let headers = format!(
            "Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: content-type\r\n"
        );
        exchange(otlp, &request("OPTIONS", "/v1/traces", &headers, b""))
    };
    let allowed = ask("https://bot.example");
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://bot.example"));
    assert_eq!(allowed.header("access-control-allow-headers"), Some("content-type"));
    let other = ask("https://other.example");
    assert_eq!((other.status, other.header("access-control-allow-origin")), (405, None));
    let headers = format!("{JSON}Origin: https://bot.example\r\n");
    let sent = post(otlp, "/v1/traces", &headers, b"{");
    assert_eq!(sent.status, 400);
    assert_eq!(sent.header("access-control-allow-origin"), Some("https://bot.example"));
}

#[test]
fn the_web_port_has_its_pages_and_no_others() {
    let server = serve(options());
    let web = server.address("web");
    let rows = [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("POST", "/", 405),
        ("GET", "/metrics", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/metrics?x=1", 200),
        ("POST", "/metrics", 405),
        ("GET", "/-/healthy", 200),
        ("DELETE", "/-/healthy", 405),
        ("GET", "/-/ready", 200),
        ("GET", "/-/reload", 405),
        ("POST", "/-/reload", 200),
        ("GET", "/nothing", 404),
        ("POST", "/nothing", 404),
        ("GET", "/metrics/", 404),
    ];
    for (method, path, status) in rows {
        let mut stream = connect(web);
        std::io::Write::write_all(
            &mut stream,
            &request(method, path, "Connection: close\r\n", b""),
        )
        .unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {text}");
        assert_eq!(text.contains("\r\nallow: "), status == 405, "{method} {path}: {text}");
        let body = text.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(body.is_empty(), method == "HEAD");
    }
    let page = get(web, "/");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let text = page.text();
    for part in ["/metrics", "/-/healthy", env!("CARGO_PKG_VERSION"), &web.to_string()] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_scrape_says_how_it_was_chosen() {
    let mut options = options();
    options.telemetry_path = "/m".into();
    let server = serve(options);
    let web = server.address("web");
    assert_eq!(get(web, "/metrics").status, 404);
    assert!(get(web, "/").text().contains("href=\"/m\""));
    let reply = exchange(web, &request("GET", "/m", "Accept-Encoding: gzip\r\n", b""));
    assert_eq!(reply.header("vary"), Some("Accept, Accept-Encoding"));
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!(reply.body[..2], [0x1f, 0x8b]);
    let reply = exchange(web, b"GET /m HTTP/1.1\r\nHost: x\r\nAccept: \xff\xfe\r\n\r\n");
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-type").unwrap().starts_with("text/plain"));
}

#[test]
fn a_head_of_a_scrape_has_no_body_and_leaves_the_connection() {
    let server = serve(options());
    let mut stream = connect(server.address("web"));
    let mut ask = |method| {
        std::io::Write::write_all(&mut stream, &request(method, "/metrics", "", b"")).unwrap();
        answer(&mut stream).unwrap()
    };
    let (head, whole) = (ask("HEAD"), ask("GET"));
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, None, 0));
    assert_eq!(head.header("content-type"), whole.header("content-type"));
    assert!(whole.text().contains("oscar_metrics_received_items_total"));
}

#[test]
fn readers_that_stall_are_felt_by_nobody_else() {
    let server = serve_config(Some(
        "metrics:\n  h_seconds: {help: H., type: histogram, from: span, value: duration, \
         buckets: [1s, 2s, 3s, 4s, 5s, 6s, 7s, 8s, 9s, 10s, 11s, 12s, 13s, 14s, 15s, 16s], \
         labels: {name: {from: name}}}\n",
    ));
    let send = |name: String| {
        let reply = post(server.address("otlp_http"), "/v1/traces", PROTOBUF, &named_span(&name));
        assert_eq!(reply.status, 200);
    };
    (0..1500).for_each(|at| send(format!("{at:0250}")));
    let web = server.address("web");
    // Of clients that have completed no scrape yet.
    let (one, other) = engine::limits::SCRAPES_KEPT;
    let stalled: Vec<_> = (1..engine::limits::SCRAPES - one - other)
        .map(|_| {
            let mut stream = connect(web);
            std::io::Write::write_all(&mut stream, &request("GET", "/metrics", "", b"")).unwrap();
            stream
        })
        .collect();
    // What the kernel has room for is written; then each waits in the middle of its body.
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(get(web, "/-/healthy").status, 200);
    send("one more".into());
    let reply = get(web, "/metrics");
    assert_eq!(
        reply.text().lines().filter(|line| line.starts_with("h_seconds_count{")).count(),
        1501
    );
    let mut last = connect(web);
    std::io::Write::write_all(&mut last, &request("GET", "/metrics", "", b"")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(get(web, "/metrics").status, 503, "all slots are taken");
    drop((stalled, last));
    server.works();
}

#[test]
fn a_reload_that_fails_says_why() {
    let broken = Arc::new(AtomicBool::new(false));
    let told = broken.clone();
    let reload = move || match told.load(Ordering::Relaxed) {
        true => Err("line 3: nonsense".to_owned()),
        false => Ok(Vec::new()),
    };
    let server = serve_with(options(), Arc::new(reload));
    let reload = || post(server.address("web"), "/-/reload", "", b"");
    assert_eq!(reload().status, 200);
    broken.store(true, Ordering::Relaxed);
    let reply = reload();
    assert_eq!(reply.status, 500);
    assert!(reply.text().contains("line 3: nonsense"), "{reply:?}");
    server.works();
}

#[test]
fn reloads_for_no_other_site_and_logs_and_counts_refusals() {
    let server = serve(options());
    let web = server.address("web");
    let reload = |headers: &str| post(web, "/-/reload", headers, b"").status;
    assert_eq!(reload(""), 200);
    for foreign in [
        "Origin: http://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Host: evil.example\r\n", // two of them
    ] {
        assert_eq!(reload(foreign), 403, "{foreign}");
    }
    let rebound = b"POST /-/reload HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(exchange(web, rebound).status, 403);
    let refused = [("reason", "reload")];
    assert_eq!(server.value("oscar_metrics_web_refused_requests_total", &refused), 4.0);
    server.works();
}

#[test]
fn serves_only_the_hosts_that_are_configured() {
    let options = options();
    options.live.change(|live| live.hosts = vec!["metrics.example".into()]);
    let server = serve(options);
    let web = server.address("web");
    let get = |host: &str, path: &str| {
        exchange(web, format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).status
    };
    for host in ["metrics.example", "METRICS.example:80", "localhost", "127.0.0.1:9464", "[::1]"] {
        assert_eq!(get(host, "/metrics"), 200, "{host}");
    }
    for path in ["/metrics", "/", "/api/v1/inventory"] {
        assert_eq!(get("evil.example", path), 421, "{path}");
    }
    assert_eq!(get("evil.example", "/-/healthy"), 200);
    let refused = [("reason", "host")];
    assert_eq!(server.value("oscar_metrics_web_refused_requests_total", &refused), 3.0);
}

#[test]
fn a_panic_is_a_bad_answer_and_nothing_more() {
    let server = serve_with(options(), Arc::new(|| panic!("this panic is a test's")));
    let mut stream = connect(server.address("web"));
    for _ in 0..2 {
        std::io::Write::write_all(&mut stream, &request("POST", "/-/reload", "", b"")).unwrap();
        assert_eq!(answer(&mut stream).unwrap().status, 500);
    }
    server.works();
}
