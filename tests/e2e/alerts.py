"""The shipped rules in a real Prometheus, the shipped routes in a real Alertmanager, and what arrives at its receivers.

The simulated bot's past is loaded into Prometheus as blocks that end now, so that windows of hours and weeks are full at once. Rules
are the shipped ones with the waiting taken out (`for`, intervals), because nobody waits for a test; a month without an incident is
asked with the waiting left in. Alertmanager's example is used as it is but for its waiting and the addresses of its receivers.
"""

import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from stack import check, fetch, finish, free_ports, wait_for

ROOT = pathlib.Path(__file__).parents[2]
RULES, EXAMPLES = ROOT / "dashboards" / "rules", ROOT / "config" / "examples"
# What arrives for an incident: alerts by the receiver they have to come to, and those that were true at some time of it.
INCIDENTS = {
    "throttle_storm": {"oncall": ["BotMessagesLost"], "team": ["BotThrottled"]},
    "saturation": {"oncall": ["BotDeliveredAgain"], "held": ["BotSlotsBusy"]},
    "bad_deploy": {"oncall": ["BotBudgetSpentFast"]},
    # The guardrail's part of it is near the threshold of ten in five minutes: whether the very last five have it is chance.
    "injection_burst": {"team": ["BotPromptInjection"], "held": ["BotGuardrailStepsIn"]},
    "oversize_tool_result": {"oncall": ["BotBudgetSpentFast"], "team": ["BotToolResultTooLarge"]},
    "cost_regression": {"team": ["BotCostAboveUsual"]},
    "telemetry_gap": {"oncall": ["OscarMetricsNothingReceived"]},
    "label_explosion": {"team": ["OscarMetricsSeriesOverflow"]},
}
# These compare with the same hour of other days.
LONG = {"cost_regression": "8d", "telemetry_gap": "8d"}
SHORT, MONTH = "14h", "28d"
# Only these read series that the rules have recorded before; for a month all of them.
RECORDED = ("throttle_storm", "saturation", "bad_deploy", "oversize_tool_result", "cost_regression")


def names():
    """The scraped series that rules read."""
    text = "".join(path.read_text() for path in RULES.glob("*.yaml"))
    return set(re.findall(r"\b(?:bot|oscar_metrics|process)_[a-z_]+\b", text))


def seconds(text):
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]


def history(binary, folder, length, step, incident=None, lasts="2h"):
    """Writes the past as blocks into folder/data; the series that no rule reads are left out."""
    pipe, wanted = folder / "pipe", names()
    os.mkfifo(pipe)
    command = [binary, "demo", f"--history={length}", f"--step={step}", f"--out={pipe}", "--log.level=warn"]
    if incident:
        command += [f"--incident={incident}", f"--incident-before-end={lasts}", f"--incident-for={lasts}"]
    writer = subprocess.Popen(command)
    small, last = open(folder / "small.om", "w"), None
    with open(pipe) as lines:
        for line in lines:
            name, brace, rest = line.partition("{")
            name = name if brace else line.partition(" ")[0]
            if name not in wanted:
                continue
            # A family is never in two files, and no file takes much of the disk.
            if name != last and small.tell() > 100_000_000:
                small = blocks(folder, small)
            last = name
            small.write(scraped(name, rest if brace else "} " + line.partition(" ")[2]))
    blocks(folder, small).close()
    if writer.wait(timeout=60) != 0:
        raise RuntimeError(f"{command} failed")
    os.unlink(pipe)


def scraped(name, rest):
    """A line as a scrape would have it: with the target's labels where the series has none of its own, without its exemplar."""
    own = rest.startswith("job=") or ",job=" in rest.partition("}")[0]
    target = 'instance="sidecar:9464",' if own else 'job="bot",instance="sidecar:9464",'
    line = name + "{" + target + rest.partition(" # {")[0].rstrip("\n")
    return line.replace(",}", "}") + "\n"


def blocks(folder, file):
    """What was written becomes blocks; the file is begun anew."""
    file.write("# EOF\n")
    file.close()
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=960h", "--quiet", file.name,
                    folder / "data"], check=True, stdout=subprocess.DEVNULL)
    return open(file.name, "w")


def rules(folder, interval):
    """The shipped rules without their waiting, in files of one kind: what is recorded, and what alerts."""
    for path in RULES.glob("*.yaml"):
        text = re.sub(r"(?m)^(\s+)(for|keep_firing_for): .*$", r"\1\2: 0s", path.read_text())
        text = re.sub(r"(?m)^(\s+)interval: .*$", rf"\1interval: {interval}", text)
        (folder / f"{interval}-{path.name}").write_text(text)
    return folder


def recorded(folder, days, step):
    """Recorded series alone: those that are made of what was scraped, or those that are made of these."""
    text = "groups:\n"
    for name in ("recording.yaml", "objectives.yaml"):
        for group in re.split(r"(?m)^  # .*\n|^(?=  - name: oscar-metrics-objectives$)", (RULES / name).read_text())[1:]:
            if "- alert:" not in group and group.startswith("  - name: ") and ("-days\n" in group) == days:
                text += re.sub(r"(?m)^(\s+)interval: .*$", rf"\1interval: {step}", group)
    path = folder / f"past-{days}.yml"
    path.write_text(text)
    return path


class Prometheus:
    def __init__(self, folder, alertmanager=None, interval="2s"):
        self.folder, self.port = folder, free_ports(1)[0]
        config = f"global: {{evaluation_interval: {interval}}}\n"
        if alertmanager:
            config += f"rule_files: ['{folder}/{interval}-*.yaml']\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}\n"
        (folder / "prometheus.yml").write_text(config)
        self.log = open(folder / "log", "ab")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             "--storage.tsdb.retention.time=90d", f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn",
             "--rules.alert.resend-delay=1s", "--query.lookback-delta=31m"],
            stdout=self.log, stderr=subprocess.STDOUT)
        wait_for(f"http://127.0.0.1:{self.port}/-/ready")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self.log.close()

    def ask(self, path, **arguments):
        text = urllib.parse.urlencode(arguments)
        return json.loads(fetch(f"http://127.0.0.1:{self.port}/api/v1/{path}?{text}")[1])["data"]


def record(folder, begin, end, step):
    """What the rules would have recorded, for the past."""
    # Hours, days made of hours, budgets spent by days, budgets left by what was spent: each reads what is there before.
    for days in (False, True, True, True):
        server = Prometheus(folder)
        try:
            subprocess.run(["promtool", "tsdb", "create-blocks-from", "rules", f"--start={begin}", f"--end={end}",
                            f"--url=http://127.0.0.1:{server.port}", f"--output-dir={folder / 'data'}", f"--eval-interval={step}",
                            "--max-block-duration=960h",
                            recorded(folder, days, step)], check=True, stdout=subprocess.DEVNULL, stderr=server.log)
        finally:
            server.stop()


class Receivers(http.server.ThreadingHTTPServer):
    """Webhooks that remember what came: by receiver, the alert's name and its status."""

    def __init__(self):
        self.came = []
        came = self.came

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                came.extend((body["receiver"], one["labels"]["alertname"], one["status"], one) for one in body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def has(self, receiver, alert, status, since=0):
        return any(one[:3] == (receiver, alert, status) for one in self.came[since:])


def at_once(text):
    """Alertmanager's config without its waiting."""
    text = re.sub(r"group_wait: \w+", "group_wait: 0s", text)
    return re.sub(r"group_interval: \w+", "group_interval: 1s", text)


def alertmanager(folder, receivers, faster=at_once):
    """The shipped example, sped up."""
    text = faster((EXAMPLES / "alertmanager.yml").read_text())
    text = text.replace("127.0.0.1:5001", f"127.0.0.1:{receivers.server_address[1]}")
    (folder / "alertmanager.yml").write_text(text)
    port = free_ports(1)[0]
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    process = subprocess.Popen(
        [program, f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'am'}", "--cluster.listen-address=",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(f"http://127.0.0.1:{port}/-/ready")
    return process, port


def until(holds, limit):
    deadline = time.monotonic() + limit
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.2)
    return holds()


def incident(binary, name, expected, receivers, port):
    """One incident: what has to arrive arrives where it has to, and is over when it is over."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        length = LONG.get(name, SHORT)
        history(binary, folder, length, "15m" if name in LONG else "1m", name, "4h" if name in LONG else "2h")
        end = int(time.time())
        if name in RECORDED:
            record(folder, end - seconds(length), end, "15m" if name in LONG else "5m")
        since = len(receivers.came)
        server = Prometheus(rules(folder, "2s"), port)
        try:
            wanted = [(receiver, alert) for receiver, alerts in expected.items() for alert in alerts if receiver != "held"]
            # A page mutes what is less: it still fires.
            def fires(receiver, alert):
                if receivers.has(receiver, alert, "firing", since):
                    return True
                alerts = server.ask("alerts")["alerts"]
                firing = {one["labels"]["alertname"]: one for one in alerts if one["state"] == "firing"}
                paged = any(receiver == "oncall" for receiver, *_ in receivers.came[since:])
                return receiver != "oncall" and alert in firing and paged
            until(lambda: all(fires(*one) for one in wanted), 30)
            for receiver, alert in wanted:
                check(f"{name}: {alert} reaches {receiver}", fires(receiver, alert), True)
            for path in RULES.glob("*.yaml"):
                for alert, expression, wait, *_ in alerts_of(path):
                    if alert in expected.get("held", []):
                        data = server.ask("query_range", query=expression, start=end - 7200, end=end, step=60)
                        held = sum(runs_of(one["values"], wait) for one in data["result"])
                        check(f"{name}: {alert} held meanwhile", held > 0, True)
            pages = {one[1] for one in receivers.came[since:] if one[0] == "oncall" and one[2] == "firing"}
            print(f"     {name}: pages {sorted(pages)}, team {sorted({one[1] for one in receivers.came[since:] if one[0] == 'team'})}")
            if "oncall" not in expected:
                check(f"{name}: nobody is paged", pages, set())
        finally:
            server.stop()
        # What a page mutes is muted to its end.
        heard = "oncall" if pages else "team"
        came = [(one[0], one[1]) for one in receivers.came[since:] if one[0] == heard and one[2] == "firing"]
        over = lambda: all(receivers.has(*one, "resolved", since) for one in came)
        check(f"{name}: what came is told to be over", until(over, 60) and bool(came), True)


def month(binary):
    """A month without an incident: every alert's expression over it, with its waiting."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        # Windows of minutes have too few values at such distances: those alerts are shown by the incidents and promtool.
        history(binary, folder, MONTH, "10m")
        end = int(time.time()) // 600 * 600
        record(folder, end - seconds(MONTH), end, "10m")
        server = Prometheus(folder)
        told = {}
        try:
            for path in RULES.glob("*.yaml"):
                for name, expression, wait, stay, severity in alerts_of(path):
                    if name == "OscarMetricsWatchdog":
                        continue
                    data = server.ask("query_range", query=expression, start=end - seconds(MONTH) + 86400, end=end, step=600)
                    runs = sum(runs_of(one["values"], wait, stay) for one in data["result"])
                    if runs:
                        told[name] = (severity, runs)
        finally:
            server.stop()
        print(f"     a month: {told}")
        check("a month without an incident pages nobody", [name for name, (severity, _) in told.items() if severity == "critical"], [])
        check("a month without an incident sends the team at most a message a day",
              sum(runs for severity, runs in told.values() if severity == "warning") <= 28, True)


def alerts_of(path):
    """Name, expression, waiting and staying in seconds and severity of a file's alerts, read as they are written."""
    for block in re.split(r"(?m)^      - ", path.read_text())[1:]:
        name = re.match(r"alert: (\w+)", block)
        if not name:
            continue
        long = re.search(r"(?m)^        expr: \|-\n((?:          .*\n)+)", block)
        short = re.search(r"(?m)^        expr: (.*)$", block)
        expression = long.group(1) if long else short.group(1)
        if expression.startswith('"'):
            expression = json.loads(expression)
        wait = re.search(r"(?m)^        for: (\w+)$", block)
        stay = re.search(r"(?m)^        keep_firing_for: (\w+)$", block)
        severity = re.search(r"(?m)^          severity: (\w+)$", block)
        yield name.group(1), expression, *(seconds(one.group(1)) if one else 0 for one in (wait, stay)), severity.group(1)


def runs_of(values, wait, stay=0, step=600):
    """Stretches of time that last longer than the waiting; what has fired stays on for a while, and goes on if it is true again by then."""
    runs, begin, last = 0, None, None
    for moment, _ in values + [[float("inf"), None]]:
        if last is not None and moment - last > step:
            fired = last - begin >= wait
            if fired and moment - last <= stay:
                last = moment
                continue
            runs += fired
            begin = None
        begin = moment if begin is None else begin
        last = moment
    return runs


def run(binary, folder, only=()):
    """Every incident, then a month without one; or only some of them: `incidents`, `month`, or those of a name."""
    receivers = Receivers()
    process, port = alertmanager(folder, receivers)
    try:
        for name, expected in INCIDENTS.items():
            if not only or "incidents" in only or name in only:
                incident(binary, name, expected, receivers, port)
    finally:
        process.terminate()
        process.wait(timeout=30)
        receivers.shutdown()
    if not only or "month" in only:
        month(binary)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        run(sys.argv[1], pathlib.Path(home), sys.argv[2:])
    finish()
