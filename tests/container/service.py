"""The systemd unit: systemd reads it without a complaint, and what it starts serves."""

import re
import shlex
import subprocess

from engine import ROOT
from stack import check, free_ports, wait_for

UNIT = ROOT / "config" / "examples" / "oscar-metrics.service"
# How much a service is exposed, in tenths, by systemd's own measure: 1.2 today.
EXPOSED = 20


def run(folder):
    binary = str(ROOT / "target" / "release" / "oscar-metrics")
    text = UNIT.read_text()
    unit = folder / UNIT.name
    unit.write_text(text.replace("/usr/local/bin/oscar-metrics", binary))
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60)
    check("service: systemd has nothing to say against it", (verified.returncode, verified.stdout + verified.stderr), (0, ""))
    measured = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSED}", unit], capture_output=True, text=True, timeout=60)
    check("service: it is locked up", measured.returncode, 0)

    line = re.search(r"^ExecStart=(.*)$", text, re.M)[1]
    words = [word.replace("/usr/local/bin/oscar-metrics", binary).replace("/etc/", f"{folder}/").replace("/var/lib/", f"{folder}/") for word in shlex.split(line)]
    ports = free_ports(3)
    flags = ("--web.listen-address", "--otlp.grpc.listen-address", "--otlp.http.listen-address")
    words += [f"{flag}=127.0.0.1:{port}" for flag, port in zip(flags, ports)]
    with open(folder / "service.log", "wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env={})
    try:
        check("service: what it starts serves, without a config too", wait_for(f"http://127.0.0.1:{ports[0]}/-/ready")[1], "ready\n")
    finally:
        process.terminate()
    check("service: and ends", process.wait(timeout=30), 0)
