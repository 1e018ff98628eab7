"""The image: what is in it, as whom it runs, and that it does its work there."""

import contextlib
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time

import checks
from engine import LOCKED, NAME, ROOT, Podman, stages
from stack import Stack, check, fetch, free_ports, wait_for

BOT = ROOT / "tests" / "e2e" / "bot.py"
NOBODY = 65532
# Of the resolver that answers every name with 127.0.0.1; a loopback address, so that no other one is in the way.
RESOLVER = "127.0.0.77"


def contents(folder):
    """What the first stage makes, by the words of the Containerfile."""
    variables = dict(re.findall(r'(\w+)=("[^"]*"|\S+)', " ".join(rest for word, rest in stages()[0] if word == "ENV")))
    variables = {name: value.strip('"') for name, value in variables.items()}
    variables["IMAGE"] = str(folder / "image")
    for word, command in stages()[0]:
        if word == "RUN":
            subprocess.run(["sh", "-c", command], cwd=ROOT, env={**os.environ, **variables}, check=True, timeout=1200)
    binary = folder / "image" / "usr" / "bin" / "oscar-metrics"
    head = subprocess.run(["readelf", "--wide", "--program-headers", "--dynamic", binary], capture_output=True, text=True, check=True).stdout
    check("the binary is static", [word for word in ("INTERP", "NEEDED") if word in head], [])
    return binary


def inside(podman, folder):
    """Every file of the image: a file that nobody meant to ship would be seen here."""
    container = podman.must("create", NAME)
    podman.must("export", f"--output={folder / 'image.tar'}", container)
    podman.must("rm", container)
    with tarfile.open(folder / "image.tar") as image:
        members = {one.name.rstrip("/"): one for one in image.getmembers()}
        bundle = image.extractfile("etc/ssl/certs/ca-certificates.crt").read().decode()
    # What an engine puts in by itself is empty.
    engine = {"dev", "proc", "sys", "run", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab", "run/.containerenv", "run/secrets"}
    files = {name: one for name, one in members.items() if not one.isdir() and name.split("/")[0] not in {"dev", "proc", "sys"} and name not in engine}
    check("image: its files are the binary and the authorities", sorted(files), ["etc/ssl/certs/ca-certificates.crt", "usr/bin/oscar-metrics"])
    check("image: no authorities are missing", bundle.count("BEGIN CERTIFICATE") > 50, True)
    check("image: nobody but root may change a file", [name for name, one in files.items() if one.uid or one.mode & 0o7022], [])
    state = members["var/lib/oscar-metrics"]
    check("image: the place for state is its user's", (state.uid, state.gid, oct(state.mode & 0o777)), (NOBODY, NOBODY, "0o700"))


def words(podman):
    image = podman.inspect("image", NAME)
    config = image["Config"]
    check("image: it runs as nobody", config["User"], f"{NOBODY}:{NOBODY}")
    check("image: what it runs", (config["Entrypoint"], config["Cmd"]), (["/usr/bin/oscar-metrics"], ["serve"]))
    check("image: its ports", sorted(config["ExposedPorts"]), ["4317/tcp", "4318/tcp", "9464/tcp"])
    check("image: its health needs no shell", image["HealthCheck" if "HealthCheck" in image else "Healthcheck"]["Test"], ["CMD", "/usr/bin/oscar-metrics", "probe"])
    check("image: its signal", config.get("StopSignal", "SIGTERM"), "SIGTERM")
    print(f"   {image['Size'] / 1e6:.1f} MB for {image['Architecture']}")


def process(podman, name):
    """What the kernel says of it."""
    pid = podman.inspect("container", name)["State"]["Pid"]
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    check("container: nobody's, in all four ways", status["Uid"].split(), [str(NOBODY)] * 4)
    check("container: no capability", {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}, {"0" * 16})
    check("container: no new privileges, and a filter on its calls", (status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
    mounts = [line.split() for line in pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
    root = next(one for one in mounts if one[4] == "/")
    check("container: its root can't be written", root[5].split(",")[0], "ro")


def health(podman):
    """The image's own check, in a container that is told everything by its environment."""
    grpc, http, web = free_ports(3)
    twins = {"OTLP_GRPC_LISTEN_ADDRESS": grpc, "OTLP_HTTP_LISTEN_ADDRESS": http, "WEB_LISTEN_ADDRESS": web}
    told = [f"--env=OSCAR_METRICS_{name}=127.0.0.1:{port}" for name, port in twins.items()]
    told += [f"--env=OSCAR_METRICS_URL=http://127.0.0.1:{web}/-/ready"]
    # A new volume is its user's as the folder of the image is.
    told += ["--env=OSCAR_METRICS_STATE_DIR=/var/lib/oscar-metrics", "--volume=state:/var/lib/oscar-metrics"]
    podman.must("run", "--detach", "--name=healthy", *LOCKED, *told, NAME)
    wait_for(f"http://127.0.0.1:{web}/-/ready")
    check("image: its check finds it healthy", podman("healthcheck", "run", "healthy")[0], 0)
    check("probe: nobody there", podman("exec", "healthy", "/usr/bin/oscar-metrics", "probe", "--url=http://127.0.0.1:1/")[0], 69)
    check("probe: names from a hosts file", podman.once("probe", f"--url=http://localhost:{web}/-/ready"), (0, ""))
    podman.must("stop", "--time=30", "healthy")
    check("image: it ends when it is stopped", podman.inspect("container", "healthy")["State"]["ExitCode"], 0)
    kept = pathlib.Path(podman.must("volume", "inspect", "--format={{.Mountpoint}}", "state")) / "state.clean"
    check("image: its state is on the volume", kept.exists() and kept.stat().st_uid, NOBODY)
    podman.must("rm", "healthy")


@contextlib.contextmanager
def resolver():
    """A name server that knows one answer (RFC 1035): whoever is asked for is at 127.0.0.1, by IPv4 alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((RESOLVER, 53))
        server.settimeout(0.2)
        ended = threading.Event()

        def answer():
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    query, peer = server.recvfrom(512)
                    end = query.index(b"\0", 12) + 5
                    found = query[end - 4:end - 2] == b"\0\1"
                    head = query[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, found, 0, 0) + query[12:end]
                    server.sendto(head + (b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + socket.inet_aton("127.0.0.1")) * found, peer)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def names(podman, folder, web):
    """A static glibc still finds names by DNS, as it must for the targets of `forward`."""
    (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\nsearch bots.svc.cluster.local\noptions ndots:5\n")
    with resolver():
        answer = podman.once("probe", f"--url=http://tempo:{web}/-/ready", options=[f"--volume={folder / 'resolv.conf'}:/etc/resolv.conf:ro"])
    check("probe: names by DNS", answer, (0, ""))


def works(podman, folder):
    """The SDK's bot sends to it, Prometheus scrapes it, and what was sent is what is queried."""
    begin = time.monotonic()
    stack = Stack(podman.program("shipped"), folder)
    try:
        print(f"   ready and scraped {time.monotonic() - begin:.1f} s after the engine was asked")
        process(podman, "shipped")
        names(podman, folder, stack.web)
        bot = subprocess.run([sys.executable, BOT, "--protocol=grpc", "--temporality=cumulative", f"--endpoint=http://127.0.0.1:{stack.grpc}"],
                             capture_output=True, text=True, timeout=60)
        check("the bot ends well", (bot.returncode, bot.stderr[-2000:]), (0, ""))
        stack.settle()
        checks.counts(stack, [json.loads(bot.stdout)])
        shown = fetch(f"http://127.0.0.1:{stack.web}/metrics")[1]
        check("container: it sees itself", "process_resident_memory_bytes" in shown and "process_start_time_seconds" in shown, True)
        begin = time.monotonic()
    finally:
        status = stack.stop()
    log = (folder / "log").read_text(errors="replace")
    check("container: SIGTERM drains it", (status, "drained" in log or log[-1000:]), (0, True))
    check("container: and in time", time.monotonic() - begin < 25, True)


def run(folder):
    podman = Podman(folder)
    (folder / "empty").mkdir()
    contents(folder)
    podman.build(folder)
    words(podman)
    inside(podman, folder)
    check("image: it says its version", podman.once("--version")[0], 0)
    for command in ("demo", "load"):
        code, said = podman.once(command)
        check(f"image: no simulator, `{command}` is unknown", (code, "unrecognized subcommand" in said), (64, True))
    health(podman)
    works(podman, folder)
