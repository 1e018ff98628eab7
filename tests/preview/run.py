#!/usr/bin/env python3
"""Draws every dashboard on weeks of a simulated bot's life, to be looked at: one picture a board.

    run.py --binary target/release/oscar-metrics --out DIR [--days 57] [--board adoption ...] [--rows 2]

Run by hand. Needs Debian's prometheus and chromium, and `npm ci --prefix tests/preview`. The bot's past comes from
`demo --history`, becomes blocks of a Prometheus, is read by the boards' own queries and drawn by `draw.js` in a browser without a
window. What is drawn is what the JSON says, but not by Grafana.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent.resolve()
ROOT = HERE.parent.parent
PORT = 19191
# What Grafana's `auto` makes of a board's time divided by 24, at least an hour.
STEPS = {"28d": ("1d", 86_400), "7d": ("6h", 21_600), "24h": ("1h", 3600), "6h": ("1h", 3600)}
SECONDS = {"d": 86_400, "h": 3600}


def ask(path, **arguments):
    url = f"http://127.0.0.1:{PORT}/api/v1/{path}"
    body = urllib.parse.urlencode(arguments).encode()
    try:
        with urllib.request.urlopen(url, data=body, timeout=300) as answer:
            return json.loads(answer.read())["data"]
    except urllib.error.HTTPError as error:
        print(f"{arguments.get('query')}: {error.read().decode()[:300]}", file=sys.stderr)
        return {"result": []}


def plain(expr, span, step):
    for name, value in [("$__rate_interval", "30m"), ("$__interval_ms", str(step[1] * 1000)), ("$__interval", step[0]),
                        ("$__range", span), ('"$metric"', '"bot_interactions_total"'), ("($label)", "(outcome)")]:
        expr = expr.replace(name, value)
    return re.sub(r'"\$(\w+)"', '".*"', expr)


class Recorded:
    """What rules record, as the queries they make it of: a past that is written has no recorded series."""

    NAME = re.compile(r"(\w+:\w+:\w+)((?:\{[^}]*\})?)((?: offset \w+)?)")

    def __init__(self):
        self.rules = {}
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/v1/rules?type=record", timeout=10) as answer:
            groups = json.loads(answer.read())["data"]["groups"]
        for group in groups:
            for rule in group["rules"]:
                self.rules.setdefault(rule["name"], []).append(rule)

    def expand(self, expr, depth=0):
        return expr if depth > 8 else self.NAME.sub(lambda found: self.one(*found.groups(), depth), expr)

    def one(self, name, matchers, offset, depth):
        wanted = re.search(r'objective="([^"]*)"', matchers)
        rules = [rule for rule in self.rules.get(name, []) if not wanted or rule.get("labels", {}).get("objective") == wanted[1]]
        if not rules:
            return name + matchers + offset
        parts = []
        for rule in rules:
            part = self.expand(f"({rule['query']})", depth + 1)
            for label, value in rule.get("labels", {}).items():
                part = f'label_replace({part}, "{label}", "{value}", "", "")'
            parts.append(part)
        whole = f"({' or '.join(parts)})"
        return f"last_over_time({whole}[1s:1s]{offset})" if offset else whole


def answers(board, end, recorded):
    span = board["time"]["from"].removeprefix("now-")
    step = STEPS[span]
    found = {}
    for panel in board["panels"]:
        found[panel["id"]] = []
        back = panel.get("timeFrom", span)
        length = int(back[:-1]) * SECONDS[back[-1]]
        for target in panel.get("targets", []):
            expr = recorded.expand(plain(target["expr"], span, step))
            if target["range"]:
                wide = step[1] if "$__interval" in target["expr"] else max(length // 200, 60)
                stop = end - end % wide
                result = ask("query_range", query=expr, start=stop - length + wide, end=stop, step=wide)["result"]
            else:
                result = ask("query", query=expr, time=end)["result"]
            found[panel["id"]].append(result)
    return {"answers": found, "step": step[1], "shown": f"last {span}, bars of {step[0]}", "end": end, "board": board}


def begin(board, rows):
    """The board with its first rows only, each with all its panels."""
    heads = [panel["gridPos"]["y"] for panel in board["panels"] if panel["type"] == "row"]
    end = heads[rows] if rows and rows < len(heads) else float("inf")
    return board | {"panels": [panel for panel in board["panels"] if panel["gridPos"]["y"] < end]}


def picture(board, end, out, recorded):
    data = answers(board, end, recorded)
    script = f"window.DATA = {json.dumps(data)};"
    echarts = (HERE / "node_modules/echarts/dist/echarts.min.js").read_text()
    parts = [(HERE / "page.html").read_text(), *(f"<script>{text}</script>" for text in (echarts, script))]
    page = "\n".join([*parts, f"<script type=module>{(HERE / 'draw.js').read_text()}</script>"])
    height = 44 + 38 * max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    name = board["uid"].removeprefix("oscar-")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "page.html"
        file.write_text(page)
        browser = shutil.which("chromium") or shutil.which("chromium-browser")
        subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                        "--disable-component-update", "--disable-sync", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
                        f"--window-size=1400,{height}", "--virtual-time-budget=8000", f"--screenshot={out / (name + '.png')}",
                        f"file://{file}"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    print(out / f"{name}.png", flush=True)


def history(options, folder):
    if options.history:
        return pathlib.Path(options.history)
    file = folder / "history.om"
    command = [options.binary, "demo", f"--history={options.days}d", "--step=300s", f"--out={file}", f"--end={options.end}"]
    subprocess.run(command, check=True)
    return file


def serve(options, folder):
    """A Prometheus on the past; `--data` names a folder with blocks that are there already."""
    data = pathlib.Path(options.data) if options.data else folder / "data"
    if not options.data:
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1440h", "--quiet",
                        history(options, folder), data], check=True)
    config = folder / "prometheus.yml"
    # Never evaluated: only read, for what they say.
    rules = sorted(str(file) for file in options.rules.glob("*.yaml"))
    config.write_text(f"global: {{evaluation_interval: 1h}}\nrule_files: {json.dumps(rules)}\n")
    server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}", "--log.level=error",
                               "--storage.tsdb.retention.time=400d", "--query.max-samples=500000000", f"--web.listen-address=127.0.0.1:{PORT}"])
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/-/ready", timeout=10):
                return server
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("Prometheus does not start")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=ROOT / "target/release/oscar-metrics")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--days", type=int, default=57)
    parser.add_argument("--history", help="what `demo --history` wrote")
    parser.add_argument("--data", help="blocks that are there already")
    parser.add_argument("--rules", type=pathlib.Path, default=ROOT / "dashboards/rules")
    parser.add_argument("--rows", type=int, help="of a board, from its top; all without it")
    parser.add_argument("--end", type=int, default=int(time.time()))
    parser.add_argument("--board", action="append")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = serve(options, pathlib.Path(folder))
        try:
            recorded = Recorded()
            for path in sorted((ROOT / "dashboards").glob("*.json")):
                if not options.board or path.stem in options.board:
                    picture(begin(json.loads(path.read_text()), options.rows), options.end, options.out, recorded)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
