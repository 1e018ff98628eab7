//! A place where the binary serves: a folder with its config and its state, three ports, and processes that come and go there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use server::clock;
use tempfile::TempDir;
use testkit::SECOND;
use testkit::json::{self, texts};

use super::PLANTED;
use crate::support::*;

/// How often a test looks again.
pub const TICK: Duration = Duration::from_millis(10);

/// A directory, a config, and three ports that nobody else has.
pub struct Place {
    pub folder: TempDir,
    pub ports: [u16; 3],
    pub environment: Vec<(&'static str, &'static str)>,
}

/// A process that serves, killed when a test fails.
pub struct Process {
    pub child: Child,
    pub log: PathBuf,
    pub http: SocketAddr,
    pub web: SocketAddr,
}

impl Place {
    pub fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder, ports: free_ports(), environment: Vec::new() };
        fs::write(place.config(), config).unwrap();
        place
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config.yaml")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oscar-metrics"));
        let [grpc, http, web] = self.ports.map(|port| format!("127.0.0.1:{port}"));
        command.arg("serve").arg("--log.format=json").env_clear();
        command.envs(self.environment.iter().copied());
        command.arg(format!("--config.file={}", self.config().display()));
        command.arg(format!("--state.dir={}", self.state().display()));
        command.arg(format!("--otlp.grpc.listen-address={grpc}"));
        command.arg(format!("--otlp.http.listen-address={http}"));
        command.arg(format!("--web.listen-address={web}"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    pub fn start(&self) -> Process {
        self.start_with(&[])
    }

    pub fn start_with(&self, more: &[&str]) -> Process {
        let mut command = self.command();
        command.args(more);
        self.run(command)
    }

    /// Starts a command of this place and waits until it is ready.
    pub fn run(&self, mut command: Command) -> Process {
        let log = self.folder.path().join("log");
        let lines = File::create(&log).unwrap();
        let child = command.stderr(lines).spawn().unwrap();
        let [_, http, web] = self.ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let mut process = Process { child, log, http, web };
        within(|| {
            assert!(process.child.try_wait().unwrap().is_none(), "it ended: {}", process.log());
            TcpStream::connect(web).is_ok() && get(web, "/-/ready").status == 200
        });
        process
    }

    /// Every byte on the disk, by file.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.state()).unwrap().map(Result::unwrap);
        let file = |entry: fs::DirEntry| {
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap_or_default())
        };
        entries.map(file).collect()
    }

    /// Waits until the snapshot was written twice: then it has what came before.
    pub fn written(&self) {
        for _ in 0..2 {
            let path = self.state().join("state.snapshot");
            let before = fs::read(&path).unwrap_or_default();
            within(|| fs::read(&path).is_ok_and(|now| now != before));
        }
    }
}

/// How often a place writes its state that does not.
const NEVER: &str = "interval: 1h";

impl Place {
    /// From now on no snapshot is written.
    pub fn freeze(&self, process: &Process) {
        let config = fs::read_to_string(self.config()).unwrap();
        fs::write(self.config(), config.replace("interval: 50ms", NEVER)).unwrap();
        assert_eq!(post(process.web, "/-/reload", "", b"").status, 200);
        let snapshot = || fs::read(self.state().join("state.snapshot")).unwrap();
        // It was waiting for the next one, and may have begun it.
        let mut last = snapshot();
        for _ in 0..20 {
            sleep(10 * TICK);
            let now = snapshot();
            if last == now {
                return;
            }
            last = now;
        }
        panic!("it is still written");
    }
}

pub fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// A sender's own total so many seconds after it began to count, which was long ago.
pub fn total(total: u64, second: u64) -> Value {
    let began = 1_700_000_000 * SECOND;
    let point = json::point((began, began + second * SECOND), total as f64, texts(&[]));
    json::metrics(&[json::sum("sent", 2, &[point])])
}

/// Waits until it holds; ten seconds are too long.
pub fn within(mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        sleep(TICK);
    }
    panic!("it did not come to that");
}

impl Process {
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The lines of an event.
    pub fn events(&self, event: &str) -> Vec<Value> {
        let lines = self.log();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["event"] == event).collect()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn stop(mut self) -> String {
        self.signal(Signal::TERM);
        assert!(self.child.wait().unwrap().success());
        self.log()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn span(&self, name: &str, id: u64, attributes: &[(&str, &str)]) {
        let now = clock::now().0;
        let span = json::span(name, (id, id), (now - 10 * SECOND, now), texts(attributes));
        let body = json::traces(&[span]).to_string();
        assert_eq!(post(self.http, "/v1/traces", JSON, body.as_bytes()).status, 200);
    }

    /// A turn of a conversation, by somebody with a tool.
    pub fn turn(&self, id: u64, user: &str, tool: &str) {
        let said = [("user.id", user), ("talk", user), ("tool", tool), ("prompt", PLANTED[1])];
        self.span("turn", id, &[&said[..], &[("size", "7")]].concat());
    }

    /// Sends [`total`].
    pub fn total(&self, total: u64, second: u64) {
        let body = json::of_resource(self::total(total, second), texts(&[("service.name", "bot")]));
        assert_eq!(post(self.http, "/v1/metrics", JSON, body.to_string().as_bytes()).status, 200);
    }

    /// All lines of the bot's metrics with their values and start times, as a scraper gets them that has seen nothing yet.
    pub fn scrape(&self) -> BTreeMap<String, f64> {
        let accept = "Accept: application/openmetrics-text;version=1.0.0\r\n";
        let headers =
            format!("{accept}X-Prometheus-Scrape-Timeout-Seconds: 9\r\nConnection: close\r\n");
        let reply = exchange(self.web, &request("GET", "/metrics", &headers, b""));
        assert_eq!(reply.status, 200);
        let text = reply.text();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let line = |line: &str| {
            let line = line.split(" # ").next().unwrap();
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        };
        let own = |(series, _): &(String, f64)| !series.starts_with("process_");
        lines.map(line).filter(own).collect()
    }

    /// The truth of one series.
    pub fn value(&self, series: &str) -> f64 {
        let text = get(self.web, "/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(f64::NAN, |value| value.parse().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
