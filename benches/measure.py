"""What `benches/collector` and `benches/process` share: servers on a core of their own, what they cost, and what they counted.

Standard library only, Linux only (`/proc`, `taskset`). Everything is on the loopback interface and ends with the script.
"""

import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(ROOT, "target/release/oscar-metrics")
TICK = os.sysconf("SC_CLK_TCK")

# The server's core and the sender's: the second only where there is one.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, SENDER_CORE = CORES[0], CORES[-1]


class Failed(Exception):
    """A run that does not count."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path="/metrics", timeout=30):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=timeout) as answer:
        return answer.read().decode()


class Server:
    """A process on the server's core. `ports` are those that must answer before it is ready."""

    def __init__(self, command, ports, environment=None):
        self.log = open(os.devnull, "w")
        environment = {**os.environ, **(environment or {})}
        pinned = ["taskset", "-c", str(SERVER_CORE), *command]
        self.process = subprocess.Popen(pinned, stdout=self.log, stderr=self.log, env=environment)
        try:
            for port in ports:
                self._wait_for(port)
        except BaseException:
            self.stop()
            raise

    def _wait_for(self, port, patience=20):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failed(f"{self.process.args[3:]} ended with {self.process.returncode} before it was ready")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.01)
        raise Failed(f"nothing listens on port {port} after {patience} s")

    def _proc(self, name):
        with open(f"/proc/{self.process.pid}/{name}") as file:
            return file.read()

    def cpu(self):
        """CPU seconds so far, user and system, of all threads."""
        fields = self._proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self, what="VmRSS"):
        """Resident memory in MiB; `VmHWM` is the most it ever was."""
        return int(re.search(rf"^{what}:\s+(\d+) kB", self._proc("status"), re.M)[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def ours(binary, config=None):
    """Our own process and its ports: grpc, http, web."""
    ports = {name: free_port() for name in ("grpc", "http", "web")}
    command = [binary, "serve", "--log.level=error"]
    command += [f"--otlp.{name}.listen-address=127.0.0.1:{ports[name]}" for name in ("grpc", "http")]
    command += [f"--web.listen-address=127.0.0.1:{ports['web']}"]
    command += [f"--config.file={config}"] if config else []
    return Server(command, ports.values()), ports


def load(binary, protocol, port, seconds, batch, rate=0, connections=4):
    """Runs the load generator on the sender's core; spans and requests that were sent, and the seconds it took.

    Raises `Failed` unless every span was accepted."""
    command = ["taskset", "-c", str(SENDER_CORE), binary, "load", "--target", f"{protocol}://127.0.0.1:{port}"]
    command += ["--profile", "peer", "--duration", f"{round(seconds * 1000)}ms", "--batch", str(batch)]
    command += ["--rate", str(rate), "--connections", str(connections)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    found = re.search(r"sent +(\d+) spans in (\d+) requests\naccepted +(\d+)", done.stdout)
    if done.returncode or not found:
        raise Failed(f"the sender says: {done.stdout}{done.stderr}")
    elapsed = re.search(r"over ([\d.]+) s", done.stdout)
    return int(found[1]), int(found[2]), float(elapsed[1])


def total(exposition, name):
    """The sum over all series of that name."""
    values = re.findall(rf"^{name}(?:{{.*}})? (\S+)", exposition, re.M)
    return sum(map(float, values)) if values else None


def median(values):
    return statistics.median(values)


def spread(values):
    """Half the range, in percent of the median."""
    middle = median(values)
    return 100 * (max(values) - min(values)) / 2 / middle if middle else 0.0


def row(what, bar, aim, measured):
    """A line of the table of numbers to reach."""
    print(f"{what} | {bar} | {aim} | {measured}", flush=True)
