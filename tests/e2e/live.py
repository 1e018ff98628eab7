"""Incidents as they happen: living bots, their sidecars, the shipped rules and routes, and what arrives at the receivers.

The bots live sixty times as fast as the clock on the wall, and so does all that is shipped: every length of time in the rules and in
the configs of Prometheus and Alertmanager is a sixtieth of itself, an hour a minute. Counts, shares and thresholds stay as they are. The
one number that is a second's worth, a rate, is taken back to a second of the bot's life. Prometheus scrapes once a second, each
minute of the bot's. Those of the incidents are here that are seen within an hour and are over in another; `alerts.py` has them all, on
a past of weeks. In place of a telemetry gap, which is one only against other weeks, a sidecar is killed.
"""

import datetime
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import yaml

import alerts
from stack import Asked, check, finish, free_ports, wait_for

SPEED = 60
# Minutes of the bot's life: when the incident begins, and how long it lasts.
AFTER, LASTS = 2, 20
# What arrives for an incident, by receiver. A page mutes what is less, so those below one are not waited for.
INCIDENTS = {
    "throttle_storm": ("oncall", "BotMessagesLost"),
    "saturation": ("oncall", "BotDeliveredAgain"),
    "injection_burst": ("team", "BotPromptInjection"),
    "oversize_tool_result": ("team", "BotToolResultTooLarge"),
}
# Other pages that are right too: a crowd that waits long, and misses what is promised.
TOO = {"saturation": {"BotBudgetSpentFast"}}
# The bot to which nothing happens, until its sidecar is killed.
WELL, GONE = "well", "OscarMetricsGone"
# Seconds for an alert to arrive: what it waits for, and a busy machine. Then for its end: windows of an hour have to run empty.
ARRIVES, ENDS = 60, 150
# Against weeks before, or of twenty votes: nothing yet.
WEEKS = re.compile(r":(?:increase1h_expected\w*|change7d)$|:bot_feedback_down:ratio7d$")

MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
LENGTH = r"\d+(?:ms|[smhdw])\b"


def sped_up(text):
    """A shipped file for whom an hour is a minute: every length of time is a sixtieth, rates are of the bot's seconds."""
    def faster(found):
        number, unit = re.fullmatch(r"(\d+)(\w+)", found[0]).groups()
        return f"{int(number) * MILLISECONDS[unit] // SPEED}ms"

    places = rf"\[{LENGTH}(?::{LENGTH})?\]|\boffset {LENGTH}|\b(?:\w*interval|for|keep_firing_for|group_wait): {LENGTH}"
    text = re.sub(places, lambda place: re.sub(LENGTH, faster, place[0]), text)
    return text.replace("rate(", f"1 / {SPEED} * rate(")


class Bots(Asked):
    """Living bots with their sidecars, and one Prometheus for all, which knows them by their job."""

    def __init__(self, binary, folder, alertmanager):
        self.binary, self.folder = binary, folder
        self.log = open(folder / "log", "ab")
        self.born = datetime.datetime.now(datetime.timezone.utc)
        names = [*INCIDENTS, WELL]
        self.ports = dict(zip(names, zip(*[iter(free_ports(3 * len(names)))] * 3)))
        self.bots = {name: self.bot(name) for name in names}
        for web, *_ in self.ports.values():
            wait_for(f"http://127.0.0.1:{web}/-/ready")
        (self.prometheus,) = free_ports(1)
        self.server = self.start("prometheus", f"--config.file={self.config(alertmanager)}", f"--storage.tsdb.path={folder / 'data'}",
                                 f"--web.listen-address=127.0.0.1:{self.prometheus}", "--query.lookback-delta=5s",
                                 "--rules.alert.resend-delay=1s", "--log.level=warn")
        wait_for(f"http://127.0.0.1:{self.prometheus}/-/ready")

    def start(self, *command):
        return subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)

    def bot(self, name):
        """A sidecar with its bot: it begins to live now."""
        web, grpc, http = self.ports[name]
        incident = [] if name == WELL else [f"--incident={name}", f"--incident-after={AFTER}m", f"--incident-for={LASTS}m"]
        return self.start(self.binary, "demo", f"--speed={SPEED}", f"--web.listen-address=127.0.0.1:{web}",
                          f"--otlp.grpc.listen-address=127.0.0.1:{grpc}", f"--otlp.http.listen-address=127.0.0.1:{http}",
                          "--log.level=warn", *incident)

    def config(self, alertmanager):
        """The shipped config, whose one target is these bots."""
        for path in alerts.RULES.glob("*.yaml"):
            (self.folder / path.name).write_text(sped_up(path.read_text()))
        config = yaml.safe_load(sped_up((alerts.EXAMPLES / "prometheus.yml").read_text()))
        config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        config["rule_files"] = [f"{self.folder}/{path.name}" for path in alerts.RULES.glob("*.yaml")]
        config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{alertmanager}"]
        (shipped,) = config["scrape_configs"][0]["static_configs"]
        config["scrape_configs"][0]["static_configs"] = [
            {"targets": [f"127.0.0.1:{ports[0]}"], "labels": shipped["labels"] | {"job": name}} for name, ports in self.ports.items()]
        path = self.folder / "prometheus.yml"
        path.write_text(json.dumps(config))
        return path

    def over(self):
        """When incidents were over; no later than that, because each bot was born a little after the first."""
        return self.born + datetime.timedelta(minutes=(AFTER + LASTS) / SPEED)

    def kill(self, name):
        self.bots[name].kill()
        self.bots[name].wait(timeout=10)

    def stop(self):
        for process in (*self.bots.values(), self.server):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (*self.bots.values(), self.server):
            process.wait(timeout=30)
        self.log.close()


class Heard:
    """What the receivers were told, bot by bot."""

    def __init__(self, receivers):
        self.receivers = receivers

    def of(self, job):
        return [(receiver, alert, status) for receiver, alert, status, one in list(self.receivers.came) if one["labels"].get("job") == job]

    def ended(self, job, alert):
        """When an alert was over, as it was told last."""
        ends = [one["endsAt"] for _, name, status, one in list(self.receivers.came)
                if (name, status, one["labels"].get("job")) == (alert, "resolved", job)]
        return datetime.datetime.fromisoformat(ends[-1])

    def pages(self, job):
        return {alert for receiver, alert, status in self.of(job) if (receiver, status) == ("oncall", "firing")}

    def last(self, job, receiver, alert):
        """How it stands with an alert, by the last message about it; none: nobody was told."""
        told = [status for where, name, status in self.of(job) if (where, name) == (receiver, alert)]
        return told[-1] if told else None


def lost(heard, bots):
    """The sidecar of a bot to which nothing had happened is killed, and comes back."""
    check("live: nobody is paged for the bot to which nothing happens", heard.pages(WELL), set())
    bots.kill(WELL)
    alerts.until(lambda: heard.last(WELL, "oncall", GONE) == "firing", ARRIVES)
    check(f"live: {GONE} reaches oncall when the sidecar is killed", heard.last(WELL, "oncall", GONE), "firing")
    bots.bots[WELL] = bots.bot(WELL)
    alerts.until(lambda: heard.last(WELL, "oncall", GONE) == "resolved", ARRIVES)
    check(f"live: {GONE} is told to be over when it is back", heard.last(WELL, "oncall", GONE), "resolved")


def recorded(bots):
    """What a Prometheus that evaluates the rules itself has of each."""
    groups = [group for path in alerts.RULES.glob("*.yaml") for group in yaml.safe_load(path.read_text())["groups"]]
    names = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    silent = lambda: {name for name in names if not WEEKS.search(name) and not bots.query(f'{name}{{job=~"throttle_storm|"}}')}
    alerts.until(lambda: not silent(), 45)
    check(f"live: {len(names)} recorded names, none without a series but those that need weeks", silent(), set())


def incidents(heard, bots, began):
    for name, (receiver, alert) in INCIDENTS.items():
        alerts.until(lambda: heard.last(name, receiver, alert) is not None, began + ARRIVES - time.monotonic())
        check(f"live: {name}: {alert} reaches {receiver}", heard.last(name, receiver, alert) is not None, True)
    lost(heard, bots)
    for name, (receiver, alert) in INCIDENTS.items():
        alerts.until(lambda: heard.last(name, receiver, alert) == "resolved", began + ENDS - time.monotonic())
        good = heard.last(name, receiver, alert) == "resolved" and heard.ended(name, alert) > bots.over()
        check(f"live: {name}: {alert} is told to be over after it is", good, True)
        pages = heard.pages(name)
        print(f"     {name}: {time.monotonic() - began:.0f} s, pages {sorted(pages)}, all {sorted(set(heard.of(name)))}")
        check(f"live: {name}: nobody is paged for anything else",
              pages - TOO.get(name, set()), {alert} if receiver == "oncall" else set())
    recorded(bots)
    check("live: the watchdog is heard", heard.last(None, "watchdog", "OscarMetricsWatchdog"), "firing")


def run(binary, folder):
    receivers = alerts.Receivers()
    process, port = alerts.alertmanager(folder, receivers, sped_up)
    try:
        bots, began = Bots(binary, folder, port), time.monotonic()
        try:
            incidents(Heard(receivers), bots, began)
        finally:
            bots.stop()
    finally:
        process.terminate()
        process.wait(timeout=30)
        receivers.shutdown()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        run(sys.argv[1], pathlib.Path(home))
    finish()
