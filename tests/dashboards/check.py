#!/usr/bin/env python3
"""The committed dashboards against Grafana's types, and their queries against promtool.

    check.py [--node_modules DIR]

Types: each board becomes a TypeScript constant of the type in `types.ts`, which is made of `@grafana/schema`; `tsc` says what does
not fit. A board that is wrong on purpose must be refused, else the check is blind. Queries: all of them, Grafana's variables
replaced, as recording rules in one file for `promtool check rules`. Run by `tests/run`; the last line is `N passed, N failed`.
"""

import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent.resolve()
BOARDS = sorted((HERE.parent.parent / "dashboards").glob("*.json"))
VARIABLES = [("$__rate_interval", "5m"), ("$__interval_ms", "3600000"), ("$__interval", "1h"), ("$__range", "28d")]
RESULTS = {True: 0, False: 0}


def check(name, good, told=""):
    RESULTS[bool(good)] += 1
    print(f"{'PASS' if good else 'FAIL'} {name}" + ("" if good else f"\n{told}"), flush=True)


def panels(board):
    for panel in board["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def plain(expr):
    """Without Grafana's variables."""
    for name, value in VARIABLES:
        expr = expr.replace(name, value)
    return re.sub(r"\(\$label\)", "(job)", re.sub(r'"\$(\w+)"', '".+"', expr))


def wrong(board):
    """The board with one fault in each of many places: all must be told."""
    def fault(change):
        other = copy.deepcopy(board)
        change(other)
        return other

    def panel_of(other, kind):
        return next(panel for panel in panels(other) if panel["type"] == kind)

    def set_at(kind, *path):
        def change(other):
            at = panel_of(other, kind)
            for key in path[:-2]:
                at = at[key]
            at[path[-2]] = path[-1]
        return fault(change)

    return {
        "an unknown key of the board": fault(lambda other: other.update(bogus=1)),
        "an unknown key of a panel": set_at("stat", "bogus", 1),
        "an unknown option": set_at("stat", "options", "bogus", 1),
        "a word that no option has": set_at("stat", "options", "colorMode", "bogus"),
        "a word that no style has": set_at("timeseries", "fieldConfig", "defaults", "custom", "drawStyle", "bogus"),
        "a colour mode that there is not": set_at("bargauge", "fieldConfig", "defaults", "color", "mode", "bogus"),
        "a text in place of a number": set_at("table", "gridPos", "w", "12"),
        "an unknown key of a target": fault(lambda other: panel_of(other, "stat")["targets"][0].update(bogus=1)),
        "a kind of variable that there is not": fault(lambda other: other["templating"]["list"][0].update(type="bogus")),
    }


def types():
    with tempfile.TemporaryDirectory(dir=HERE) as folder:
        folder = pathlib.Path(folder)
        boards = {path.stem: json.loads(path.read_text()) for path in BOARDS}
        faults = wrong(boards["adoption"])
        files = {**boards, **{f"wrong_{at}": board for at, board in enumerate(faults.values())}}
        for name, board in files.items():
            text = json.dumps(board, indent=1, ensure_ascii=False)
            (folder / f"{name}.ts").write_text(f"import type {{ Board }} from '../types.ts';\nexport const board: Board = {text};\n")
        command = [HERE / "node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext",
                   "--moduleResolution", "nodenext", "--allowImportingTsExtensions", *sorted(folder.glob("*.ts"))]
        told = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
        lines = (told.stdout + told.stderr).splitlines()
        mine = [line for line in lines if re.match(r"\S*wrong_\d+\.ts", line)]
        for name in boards:
            check(f"{name}.json has Grafana's types", not any(f"{name}.ts(" in line for line in lines), "\n".join(lines[:40]))
        for at, name in enumerate(faults):
            check(f"the type check sees {name}", any(f"wrong_{at}.ts(" in line for line in mine))
        rest = [line for line in lines if line.strip() and not re.match(r"\s|\S+\.ts\(", line)]
        check("tsc ran", told.returncode in (0, 1, 2) and not rest, "\n".join(rest))


def queries():
    rules = []
    for path in BOARDS:
        for panel in panels(json.loads(path.read_text())):
            rules += [{"record": f"panel:q{len(rules)}", "expr": plain(target["expr"])} for target in panel.get("targets", [])]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "queries.yml"
        file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
        told = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True)
        check(f"promtool reads all {len(rules)} queries", told.returncode == 0 and len(rules) > 100, told.stdout + told.stderr)


if __name__ == "__main__":
    types()
    queries()
    print(f"{RESULTS[True]} passed, {RESULTS[False]} failed")
    sys.exit(1 if RESULTS[False] else 0)
