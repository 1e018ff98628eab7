//! A whole server on loopback, and a client that sends exactly the bytes it is told to.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::limits::KIB;
use engine::model::FamilySnapshot;
use engine::pipeline::Pipeline;
use engine::timestamp::Timestamp;
use opentelemetry_proto::tonic::trace::v1::Span;
use server::clock;
use server::live::{Live, LiveSettings};
use server::net::{Address, Deadlines, Drained};
use server::scrape::Reload;
use server::self_metrics::Telemetry;
use server::service::{Running, ServeOptions, start};
use testkit::protobuf;

pub use testkit::key;

/// An address where nobody listens. The port is held, so that it is no other test's meanwhile.
pub struct Nobody {
    pub address: SocketAddr,
    _held: socket2::Socket,
}

impl Nobody {
    pub fn new() -> Self {
        let held =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        held.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let address = held.local_addr().unwrap().as_socket().unwrap();
        Self { address, _held: held }
    }
}

/// The short patience of tests.
pub const SHORT: Duration = Duration::from_millis(300);

/// Bytes of the largest request in tests.
pub const REQUEST: usize = 64 * KIB;

/// Bytes the process may have: all tests share one, so none of them may mind what the others need.
pub const MEMORY: usize = usize::MAX;

/// Port 0 everywhere, small limits, and no deadline shorter than a busy machine needs.
pub fn options() -> ServeOptions {
    let here = vec![Address::asked("127.0.0.1:0")];
    ServeOptions {
        grpc: here.clone(),
        http: here.clone(),
        web: here,
        access: Arc::default(),
        telemetry_path: "/metrics".into(),
        lifecycle: false,
        connections: None,
        live: Live::new(LiveSettings {
            request: REQUEST,
            in_flight: 4 * REQUEST,
            memory: MEMORY,
            ..LiveSettings::default()
        }),
        mark_scrape: None,
        forward: Vec::new(),
        deadlines: Deadlines { drain: Duration::from_secs(5), ..Deadlines::default() },
    }
}

/// A server, stopped when it is dropped.
pub struct Server(Option<Running>);

/// Serves with these options.
pub fn serve(options: ServeOptions) -> Server {
    serve_with(options, Arc::new(|| Ok(Vec::new())))
}

/// Serves with these options and this reload.
pub fn serve_with(options: ServeOptions, reload: Reload) -> Server {
    started(options, pipeline(), reload)
}

fn started(options: ServeOptions, pipeline: Arc<Pipeline>, reload: Reload) -> Server {
    let telemetry = Telemetry::new("test", pipeline.counters().clone(), clock::now());
    Server(Some(start(options, (pipeline, Arc::new(telemetry)), reload).unwrap()))
}

/// A server that counts by a config: its text, or none for the built-in one.
pub fn serve_config(text: Option<&str>) -> Server {
    let settings = text.map_or_else(testkit::built_in, testkit::settings);
    let now = clock::now();
    let pipeline = Pipeline::new(settings.plan(&key()), Arc::default(), now);
    let live = Live::new(LiveSettings { memory: MEMORY, ..LiveSettings::of(&settings) });
    let options = ServeOptions { live, ..options() };
    started(options, Arc::new(pipeline), Arc::new(|| Ok(Vec::new())))
}

/// All families of a scrape, the exporter's own last.
pub fn families(pipeline: &Pipeline, now: Timestamp) -> Vec<FamilySnapshot> {
    let telemetry = Telemetry::new("test", pipeline.counters().clone(), now);
    let own = telemetry.gather(&pipeline.state(now));
    pipeline.gather(now, true, |_| {}).chain(own).collect()
}

/// A pipeline without rules.
pub fn pipeline() -> Arc<Pipeline> {
    Arc::new(testkit::pipeline("{}", clock::now()))
}

impl Server {
    pub fn address(&self, what: &str) -> SocketAddr {
        self.0.as_ref().unwrap().address(what).unwrap()
    }

    pub fn running(&self) -> &Running {
        self.0.as_ref().unwrap()
    }

    /// The text of a scrape.
    pub fn scrape(&self) -> String {
        let reply = get(self.address("web"), "/metrics");
        assert_eq!(reply.status, 200);
        reply.text()
    }

    /// The values of a metric added up by these labels; sums of 0 are left out.
    pub fn sums(&self, metric: &str, by: &[&str]) -> BTreeMap<Vec<String>, f64> {
        let mut sums = BTreeMap::new();
        for line in self.scrape().lines().filter(|line| line.starts_with(&format!("{metric}{{"))) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let label = |name: &&str| {
                let (_, after) = series.split_once(&format!("{name}=\"")).unwrap_or(("", "\""));
                after.split('"').next().unwrap().to_owned()
            };
            *sums.entry(by.iter().map(label).collect()).or_default() +=
                value.parse::<f64>().unwrap();
        }
        sums.retain(|_, sum| *sum != 0.0);
        sums
    }

    /// What a series holds; 0 when it is not there.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let scrape = self.scrape();
        let fits = |line: &&str| {
            line.split(['{', ' ']).next() == Some(name) && labels.iter().all(|l| line.contains(l))
        };
        let line = scrape.lines().find(fits);
        line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    pub fn refused(&self, protocol: &str, reason: &str) -> f64 {
        let labels = [("protocol", protocol), ("reason", reason)];
        self.value("oscar_metrics_refused_requests_total", &labels)
    }

    /// Refused requests of all doors and reasons.
    pub fn refusals(&self) -> f64 {
        let scrape = self.scrape();
        let lines =
            scrape.lines().filter(|l| l.starts_with("oscar_metrics_refused_requests_total{"));
        let values: Vec<f64> =
            lines.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert_eq!(values.len(), 14, "each door and reason is there at 0 from boot");
        values.iter().sum()
    }

    pub fn closed(&self, reason: &str) -> f64 {
        let sums = self.sums("oscar_metrics_closed_connections_total", &["reason"]);
        sums.get(&vec![reason.to_owned()]).copied().unwrap_or_default()
    }

    pub fn received(&self) -> f64 {
        self.value("oscar_metrics_received_items_total", &[("signal", "traces")])
    }

    pub fn accepted(&self) -> f64 {
        self.value("oscar_metrics_accepted_items_total", &[("signal", "traces")])
    }

    /// A connection whose request holds so many bytes of the budget, until it is dropped.
    pub fn holds(&self, bytes: usize) -> TcpStream {
        let mut stream = connect(self.address("otlp_http"));
        let whole = request("POST", "/v1/traces", PROTOBUF, &padded_span(bytes));
        stream.write_all(whole.split_last().unwrap().1).unwrap();
        std::thread::sleep(SHORT);
        stream
    }

    /// Sends one span and expects it to be taken: the server still works.
    pub fn works(&self) {
        let before = self.accepted();
        let reply = post(self.address("otlp_http"), "/v1/traces", PROTOBUF, &span());
        assert_eq!(reply.status, 200);
        assert_eq!(self.accepted(), before + 1.0);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.0.take() {
            stop(running);
        }
    }
}

impl Server {
    /// Ends it, and says how that went.
    pub fn stop(mut self) -> Drained {
        stop(self.0.take().unwrap())
    }
}

fn stop(running: Running) -> Drained {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let drained = runtime.block_on(running.stop());
    running.join();
    drained
}

pub const PROTOBUF: &str = "Content-Type: application/x-protobuf\r\n";
pub const JSON: &str = "Content-Type: application/json\r\n";

/// A request with one span, as protobuf.
pub fn span() -> Vec<u8> {
    padded_span(0)
}

/// The same with a name of so many bytes.
pub fn padded_span(pad: usize) -> Vec<u8> {
    named_span(&format!("chat{}", "x".repeat(pad)))
}

/// The same of this name, a second long.
pub fn named_span(name: &str) -> Vec<u8> {
    let now = server::clock::now().0;
    let span = Span {
        start_time_unix_nano: now - 1_000_000_000,
        end_time_unix_nano: now,
        trace_id: vec![1; 16],
        span_id: rand::random::<[u8; 8]>().to_vec(),
        name: name.into(),
        ..Default::default()
    };
    protobuf::traces(vec![span])
}

/// An answer of HTTP/1.1.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A connection that gives up after ten seconds, so that no test hangs.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Sends bytes as they are and reads one answer.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = connect(address);
    stream.write_all(bytes).unwrap();
    answer(&mut stream).unwrap()
}

/// Reads one answer: the head, then as much as it says.
pub fn answer(stream: &mut TcpStream) -> io::Result<Reply> {
    let head = until(stream, b"\r\n\r\n")?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut reply = Reply { status, head, body: Vec::new() };
    if reply.header("transfer-encoding") == Some("chunked") {
        while let length @ 1.. = chunk(stream, &mut reply.body)? {
            assert!(length <= 4 * 1024 * 1024, "{length} bytes at once");
        }
    } else {
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        reply.body.resize(length, 0);
        stream.read_exact(&mut reply.body)?;
    }
    Ok(reply)
}

/// Reads one chunk of a chunked body (RFC 9112, section 7.1); the last has length 0.
fn chunk(stream: &mut TcpStream, body: &mut Vec<u8>) -> io::Result<usize> {
    let length = until(stream, b"\r\n")?;
    let length = usize::from_str_radix(length.trim(), 16).unwrap();
    let start = body.len();
    body.resize(start + length, 0);
    stream.read_exact(&mut body[start..])?;
    assert_eq!(until(stream, b"\r\n")?, "\r\n");
    Ok(length)
}

/// Reads up to and with these bytes.
fn until(stream: &mut TcpStream, end: &[u8]) -> io::Result<String> {
    let mut text = Vec::new();
    while !text.ends_with(end) {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "no whole answer"));
        }
        text.push(byte[0]);
    }
    Ok(String::from_utf8(text).unwrap())
}

/// A request's bytes.
pub fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub fn get(address: SocketAddr, path: &str) -> Reply {
    exchange(address, &request("GET", path, "", b""))
}

pub fn post(address: SocketAddr, path: &str, headers: &str, body: &[u8]) -> Reply {
    exchange(address, &request("POST", path, headers, body))
}

/// How long the server takes to close a connection on which nothing more comes. What it says before is read over.
#[allow(clippy::disallowed_methods)] // a test's stopwatch
pub fn closed_after(mut stream: TcpStream) -> Duration {
    let start = Instant::now();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return start.elapsed(),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return start.elapsed(),
            Err(error) => panic!("not closed: {error}"),
        }
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).unwrap()
}
