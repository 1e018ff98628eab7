//! Peers that are slow, silent, greedy or mad: each gets its answer in time, and the next one is served as if nothing had been.

use std::io::{ErrorKind, Write};
use std::time::Duration;

use engine::limits;
use server::net::Deadlines;
use server::service::ServeOptions;

use crate::frames::{self, PREFACE};
use crate::support::*;

/// The begin of a client hello of TLS.
const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n";

/// A deadline, and how much later than it a busy machine may be.
fn in_time(took: Duration, deadline: Duration) {
    assert!(took >= deadline / 2, "closed after {took:?}, before {deadline:?}");
    assert!(took < deadline + Duration::from_secs(5), "closed after {took:?}, not {deadline:?}");
}

/// A server with all the patience there is, but for what `shorten` takes.
fn patient_but(shorten: impl Fn(&mut Deadlines)) -> Server {
    let long = Duration::from_secs(60);
    let mut deadlines = Deadlines {
        first_byte: long,
        head: long,
        body: long,
        body_pace: long,
        age: long,
        keep_alive: (long, long),
        drain: SHORT,
        ..Deadlines::default()
    };
    shorten(&mut deadlines);
    serve(ServeOptions { deadlines, ..options() })
}

/// Each of these sends so much and then nothing, and has to be closed for it.
fn closes(server: &Server, deadline: Duration, rows: &[(&str, &[u8])]) {
    std::thread::scope(|scope| {
        for (what, bytes) in rows {
            let mut stream = connect(server.address(what));
            stream.write_all(bytes).unwrap();
            scope.spawn(move || in_time(closed_after(stream), deadline));
        }
    });
    server.works();
}

#[test]
fn who_does_not_open_is_closed() {
    let server = patient_but(|deadlines| deadlines.first_byte = SHORT);
    let halfway = PREFACE.split_last().unwrap().1;
    let silent: [(&str, &[u8]); 3] = [("otlp_http", b""), ("otlp_grpc", b""), ("web", b"")];
    closes(&server, SHORT, &silent);
    assert_eq!(server.closed("first_byte"), 3.0);
    closes(&server, SHORT, &[("otlp_grpc", b"PRI"), ("otlp_grpc", halfway)]);
    assert_eq!(server.closed("first_byte"), 5.0);
}

#[test]
fn who_does_not_finish_a_head_is_closed() {
    let server = patient_but(|deadlines| deadlines.head = SHORT);
    let halfway: [(&str, &[u8]); 4] = [
        ("otlp_http", b"POST /v1/tra"),
        ("otlp_http", b"PRI"),
        ("web", b"GET /metrics HTTP/1.1\r\nHost:"),
        ("otlp_grpc", b"GET / HTTP/1.1\r\nHost:"),
    ];
    closes(&server, SHORT, &halfway);
    assert_eq!((server.closed("head"), server.closed("wrong_protocol")), (4.0, 0.0));
}

#[test]
fn who_does_not_answer_a_ping_is_closed() {
    let server = patient_but(|deadlines| deadlines.keep_alive = (SHORT, SHORT));
    closes(&server, 2 * SHORT, &[("otlp_grpc", PREFACE), ("otlp_http", PREFACE)]);
    assert_eq!(server.closed("keep_alive"), 2.0);
}

#[test]
fn a_kept_connection_is_closed_when_it_is_idle() {
    let server = patient_but(|deadlines| deadlines.head = SHORT);
    let mut stream = connect(server.address("otlp_http"));
    stream.write_all(&request("POST", "/v1/traces", PROTOBUF, &span())).unwrap();
    assert_eq!(answer(&mut stream).unwrap().status, 200);
    in_time(closed_after(stream), SHORT);
}

#[test]
fn a_slow_body_is_told_so() {
    let server = patient_but(|deadlines| deadlines.body = SHORT);
    let mut stream = connect(server.address("otlp_http"));
    let bytes = request("POST", "/v1/traces", PROTOBUF, &span());
    stream.write_all(bytes.split_last().unwrap().1).unwrap();
    let reply = answer(&mut stream).unwrap();
    assert_eq!((reply.status, reply.header("connection")), (408, Some("close")));
    assert_eq!(server.refused("http", "timeout"), 1.0);
    server.works();
}

#[test]
fn a_body_that_stalls_is_refused_and_one_that_grows_is_not() {
    let server = patient_but(|deadlines| deadlines.body_pace = SHORT);
    let body = padded_span(40 * limits::KIB);
    let bytes = request("POST", "/v1/traces", PROTOBUF, &body);
    let mut stalls = connect(server.address("otlp_http"));
    stalls.write_all(&bytes[..1000]).unwrap();
    let mut grows = connect(server.address("otlp_http"));
    for piece in bytes.chunks(17 * limits::KIB) {
        grows.write_all(piece).unwrap();
        std::thread::sleep(2 * SHORT / 3);
    }
    assert_eq!(answer(&mut grows).unwrap().status, 200);
    let reply = answer(&mut stalls).unwrap();
    assert_eq!((reply.status, reply.header("connection")), (408, Some("close")));
    assert!(reply.text().contains("16384 bytes"), "{}", reply.text());
    assert_eq!(server.refused("http", "timeout"), 1.0);
    server.works();
}

/// The longest of so many requests with a span, one after the other.
#[allow(clippy::disallowed_methods)] // a test's stopwatch
fn slowest(server: &Server, requests: usize) -> Duration {
    let mut stream = connect(server.address("otlp_http"));
    let mut one = || {
        let start = std::time::Instant::now();
        stream.write_all(&request("POST", "/v1/traces", PROTOBUF, &span())).unwrap();
        assert_eq!(answer(&mut stream).unwrap().status, 200);
        start.elapsed()
    };
    (0..requests).map(|_| one()).max().unwrap_or_default()
}

#[test]
fn promised_bytes_take_no_room() {
    let options = options();
    options.live.change(|live| {
        (live.request, live.in_flight) = (16 * limits::MIB, 64 * limits::MIB);
    });
    let server = serve(options);
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: x\r\n{PROTOBUF}Content-Length: 16777216\r\n\r\nx"
    );
    let held: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = connect(server.address("otlp_http"));
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    let slowest = slowest(&server, 50);
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    let body = padded_span(15 * limits::MIB);
    assert_eq!(post(server.address("otlp_http"), "/v1/traces", PROTOBUF, &body).status, 200);
    assert_eq!(server.refusals(), 0.0);
    drop(held);
}

/// A connection with a call whose body has not ended: its headers, and these bytes of the body.
fn unfinished_call(server: &Server, timeout: &str, body: &[u8]) -> std::net::TcpStream {
    let mut stream = connect(server.address("otlp_grpc"));
    let headers = frames::call(1, &[("grpc-timeout", timeout)]);
    let sent = [frames::opening(), headers, frames::frame(0, 0, 1, body)];
    stream.write_all(&sent.concat()).unwrap();
    stream
}

/// Reads frames until the one that ends the stream of a call.
fn ends_call(stream: &mut std::net::TcpStream) {
    loop {
        let mut head = [0; 9];
        std::io::Read::read_exact(stream, &mut head).unwrap();
        let [_, high, low, kind, flags, ..] = head;
        std::io::Read::read_exact(stream, &mut vec![0; usize::from(high) * 256 + usize::from(low)])
            .unwrap();
        if kind == 1 && flags & 1 == 1 {
            return;
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods)] // a test's stopwatch
fn a_call_ends_at_its_own_timeout_and_an_impossible_length_at_once() {
    let server = patient_but(|_| {});
    let start = std::time::Instant::now();
    ends_call(&mut unfinished_call(&server, "100m", b"\0"));
    in_time(start.elapsed(), Duration::from_millis(100));
    assert_eq!(server.refused("grpc", "timeout"), 1.0);
    ends_call(&mut unfinished_call(&server, "90S", b"\0\xff\xff\xff\xffx"));
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(server.refused("grpc", "too_large"), 1.0);
    server.works();
}

#[test]
fn who_leaves_in_the_middle_is_nobodys_refusal() {
    let server = serve(options());
    let bytes = request("POST", "/v1/traces", PROTOBUF, &span());
    let mut stream = connect(server.address("otlp_http"));
    stream.write_all(bytes.split_last().unwrap().1).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    closed_after(stream);
    server.works();
    assert_eq!(server.refusals(), 0.0);
}

#[test]
fn an_old_connection_ends_after_its_request() {
    let server = patient_but(|deadlines| deadlines.age = SHORT);
    let mut stream = connect(server.address("otlp_http"));
    let bytes = request("POST", "/v1/traces", PROTOBUF, &span());
    stream.write_all(&bytes).unwrap();
    assert_eq!(answer(&mut stream).unwrap().status, 200);
    in_time(closed_after(stream), SHORT);
}

#[test]
fn a_body_over_the_limit_is_answered_while_it_still_comes() {
    let options = options();
    options.live.change(|live| live.request = 16 * limits::MIB);
    options.live.change(|live| live.in_flight = 64 * limits::MIB);
    let server = serve(options);
    let otlp = server.address("otlp_http");
    let body = vec![b'x'; 17 * limits::MIB];
    assert_eq!(post(otlp, "/v1/traces", PROTOBUF, &body).status, 413);
    // The connection is as good as before: what was refused is gone from it.
    let mut stream = connect(otlp);
    for status in [413, 200] {
        let body = if status == 413 { body.clone() } else { span() };
        stream.write_all(&request("POST", "/v1/traces", PROTOBUF, &body)).unwrap();
        assert_eq!(answer(&mut stream).unwrap().status, status);
    }
    // One that only asks is told before it sends.
    let ask = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: x\r\n{PROTOBUF}Content-Length: 99999999\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    let reply = exchange(otlp, ask.as_bytes());
    assert_eq!((reply.status, reply.header("connection")), (413, Some("close")));
    // 64 MiB of one letter in 64 kB.
    let bomb = gzip(&vec![b'x'; 64 * limits::MIB]);
    let headers = format!("{PROTOBUF}Content-Encoding: gzip\r\n");
    assert_eq!(post(otlp, "/v1/traces", &headers, &bomb).status, 413);
    assert_eq!(server.refused("http", "too_large"), 4.0);
    server.works();
}

#[test]
fn garbage_is_answered_or_closed() {
    let server = patient_but(|deadlines| deadlines.first_byte = SHORT);
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(20 * 1024));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(200));
    let rows: [(&[u8], u16); 6] = [
        (HELLO, 400),
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (long.as_bytes(), 431),
        (many.as_bytes(), 431),
    ];
    for what in ["otlp_http", "web"] {
        for (bytes, status) in rows {
            let shown = String::from_utf8_lossy(bytes.get(..40).unwrap_or(bytes)).into_owned();
            assert_eq!(exchange(server.address(what), bytes).status, status, "{what} {shown:?}");
        }
    }
    // Below our routes, and counted all the same.
    let counted = || server.closed("protocol") == 10.0;
    assert!((0..100).any(|_| counted() || {
        std::thread::sleep(Duration::from_millis(20));
        false
    }));
    assert_eq!(server.refusals(), 0.0);
    for (bytes, _) in rows.into_iter().chain([(&b"\0\xff"[..], 0)]) {
        let mut stream = connect(server.address("otlp_grpc"));
        stream.write_all(bytes).unwrap();
        closed_after(stream);
    }
    // Bytes that are no text, in the headers we read.
    let bytes = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: \xff\xfe\r\n\
                  Content-Encoding: \xff\r\nOrigin: \xff\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(exchange(server.address("otlp_http"), bytes).status, 415);
    server.works();
}

#[test]
fn answers_tls_in_plain_text_and_closes() {
    let server = serve(options());
    for (count, what) in [(1.0, "otlp_http"), (3.0, "otlp_grpc"), (5.0, "web")] {
        let reply = exchange(server.address(what), HELLO);
        assert_eq!((reply.status, reply.header("connection")), (400, Some("close")), "{what}");
        assert!(reply.text().contains("TLS"), "{what}");
        assert_eq!(server.closed("wrong_protocol"), count);
        // One that neither reads nor leaves is closed after a moment.
        let mut stream = connect(server.address(what));
        stream.write_all(HELLO).unwrap();
        assert!(closed_after(stream) < Duration::from_secs(5), "{what}");
        assert_eq!(server.closed("wrong_protocol"), count + 1.0);
    }
    assert_eq!(server.refusals(), 0.0);
    server.works();
}

/// Many connections that are of no use, by what each sends; then a new bot, which is served at once.
#[allow(clippy::disallowed_methods)] // a test's stopwatch
fn serves_a_new_bot_beside(what: &str, sent: &[u8], answered: bool) {
    let server = patient_but(|_| {});
    let address = server.address(what);
    let idle = |_| {
        let mut stream = connect(address);
        stream.write_all(sent).unwrap();
        if answered {
            assert_eq!(answer(&mut stream).unwrap().status, 200);
        }
        stream
    };
    let held: Vec<_> = (0..limits::CONNECTIONS).map(idle).collect();
    if answered {
        std::thread::sleep(limits::EVICTION_IDLE);
    }
    let start = std::time::Instant::now();
    let mut bots = Vec::new();
    for count in 1..=10 {
        let mut stream = connect(address);
        if what == "otlp_http" {
            stream.write_all(&request("POST", "/v1/traces", PROTOBUF, &span())).unwrap();
            assert_eq!(answer(&mut stream).unwrap().status, 200);
        } else {
            // The settings of the server: it is served.
            stream.write_all(&frames::opening()).unwrap();
            std::io::Read::read_exact(&mut stream, &mut [0; 9]).unwrap();
        }
        assert_eq!(server.closed("evicted"), f64::from(count));
        bots.push(stream);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let open = server.value("oscar_metrics_open_connections", &[("listener", what)]);
    assert!(open <= limits::CONNECTIONS as f64, "{open}");
    drop(held);
}

#[test]
fn idle_and_slow_connections_lock_nobody_out() {
    let slow = [&request("POST", "/v1/traces", PROTOBUF, b"")[..], b"x"].concat();
    let slow = String::from_utf8(slow).unwrap().replace("Length: 0", "Length: 1000");
    let settings = frames::opening();
    serves_a_new_bot_beside("otlp_http", b"", false);
    serves_a_new_bot_beside("otlp_http", b"POST /v1/tra", false);
    serves_a_new_bot_beside("otlp_http", slow.as_bytes(), false);
    serves_a_new_bot_beside("otlp_http", &request("POST", "/v1/traces", PROTOBUF, &span()), true);
    serves_a_new_bot_beside("otlp_grpc", &settings, false);
}

#[test]
fn a_full_listener_of_working_connections_refuses_a_new_one() {
    let server = serve(ServeOptions { connections: Some(2), ..options() });
    let otlp = server.address("otlp_http");
    let work = |mut stream| {
        std::io::Write::write_all(&mut stream, &request("POST", "/v1/traces", PROTOBUF, &span()))
            .unwrap();
        assert_eq!(answer(&mut stream).unwrap().status, 200);
        stream
    };
    let held = [work(connect(otlp)), work(connect(otlp))];
    assert!(closed_after(connect(otlp)) < Duration::from_secs(5));
    assert_eq!((server.closed("connection_limit"), server.closed("evicted")), (1.0, 0.0));
    // The other listeners have limits of their own.
    assert_eq!(get(server.address("web"), "/-/healthy").status, 200);
    let held = held.map(work);
    std::thread::sleep(limits::EVICTION_IDLE);
    server.works();
    drop(held);
}

#[test]
fn who_asks_and_does_not_read_is_given_up() {
    let server = patient_but(|deadlines| deadlines.body = SHORT);
    let mut stream = connect(server.address("web"));
    // So many questions that their answers fill all buffers between us.
    let questions = request("GET", "/", "", b"").repeat(4000);
    let mut asked = Ok(());
    for _ in 0..100 {
        asked = stream.write_all(&questions);
        if asked.is_err() {
            break;
        }
    }
    // A reset, and not our own timeout.
    let closed = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(closed.contains(&asked.unwrap_err().kind()), "the server kept every answer");
    server.works();
}
