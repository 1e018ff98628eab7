"""Values: what may be said, where it is told, and what is refused.
"""

import json
import re

import charts
import pod
import readme
from charts import APPLICATION, CONSUMER, LIBRARY, ROOT, load
from stack import check

# Chart, values, and what the refusal must say to people.
REFUSED = [
    ("application", "replicaCount: three", "at '/replicaCount': got string, want integer"),
    ("application", "replicaCont: 3", "additional properties 'replicaCont' not allowed"),
    ("application", "image: {tagg: x}", "at '/image': additional properties 'tagg' not allowed"),
    ("application", "image: {pullPolicy: Sometimes}", "at '/image/pullPolicy': value must be one of"),
    ("application", "serviceMonitor: {interval: often}", "at '/serviceMonitor/interval': 'often' does not match"),
    ("application", "serviceMonitor: {scrapeProtocols: [Text]}", "at '/serviceMonitor/scrapeProtocols/0': value must be one of"),
    ("application", "service: {ports: {grpc: 70000}}", "at '/service/ports/grpc': maximum: got 70,000, want 65,535"),
    ("application", "log: {level: loud}", "at '/log/level': value must be one of"),
    ("application", "commonLabels: {a: 1}", "at '/commonLabels/a': got number, want string"),
    ("application", "secretEnv: {TOKEN: {secret: a}}", "at '/secretEnv/TOKEN': missing property 'key'"),
    ("application", "secretEnv: {my-token: {secret: a, key: b}}", "my-token"),
    ("application", "config: {metrics: {a_total: {type: conter}}}", "at '/config/metrics/a_total/type': value must be one of"),
    ("application", "config: {limits: {serie: 1}}", "at '/config/limits': additional properties 'serie' not allowed"),
    ("application", "configFiles: {folder/users.yaml: a}", "folder/users.yaml"),
    ("application", "config: [use]", "at '/config': got array, want object"),
    ("application", "livenessProbe: {httpGet: {path: /}}", "at '/livenessProbe': additional properties 'httpGet' not allowed"),
    ("application", "web: {tls: {enabled: true}}", "web.tls.enabled needs web.tls.existingSecret"),
    ("application", "web: {existingSecret: a, tls: {enabled: true, existingSecret: b}}", "leave the Secrets of web.tls out"),
    ("application", "state: {persistence: {enabled: true}}", "state.persistence.enabled needs state.enabled"),
    ("application", "replicaCount: 2\nstate: {enabled: true, persistence: {enabled: true}}", "replicaCount must be 1, not 2"),
    ("application", "serviceMonitor: {enabled: true}\npodMonitor: {enabled: true}", "would both scrape the gateway"),
    ("application", "dashboards: {grafanaOperator: {enabled: true}}", "needs dashboards.enabled"),
    ("application", 'config: {attributes: {a: {from: b, map: {"x*": y, "*": z}}}}', "config.attributes.a.map has several patterns (*, x*)"),
    ("application", 'config: {metrics: {a_total: {help: A., type: counter, from: span, parts: [{labels: {b: {from: c, map: {"/x/": y, "*": z}}}}]}}}',
     "config.metrics.a_total.parts[0].labels.b.map has several patterns (*, /x/)"),
    ("consumer", "oscar-metrics-sidecar: {nativ: true}", "additional properties 'nativ' not allowed"),
    ("consumer", 'oscar-metrics-sidecar: {native: "yes"}', "at '/native': got string, want boolean"),
    ("consumer", "oscar-metrics-sidecar: {ports: {web: 0}}", "at '/ports/web': minimum: got 0, want 1"),
    ("consumer", "oscar-metrics-sidecar: {secretEnv: {A: {secret: a, key: b, optional: false}}}", "additional properties 'optional' not allowed"),
    ("consumer", 'oscar-metrics-sidecar: {config: {attributes: {a: {from: b, map: {"/x/": y, "*": z}}}}}', "has several patterns (*, /x/)"),
]
# Said by a parent chart, and by nobody else.
GRANTED = {"global", "enabled"}


def known(schema, defaults, path=""):
    """Where schema and defaults name different keys. An open object takes what Kubernetes, or the config language, takes."""
    root = schema
    faults = []

    def compare(node, value, at):
        while "$ref" in node:
            node = root["definitions"][node["$ref"].rpartition("/")[2]]
        if node.get("additionalProperties") is not False or not isinstance(value, dict):
            return
        allowed, there = set(node["properties"]), set(value)
        # The times of a probe may be left to Kubernetes.
        missing = set() if "periodSeconds" in allowed else allowed - there - GRANTED
        faults.extend(f"{at}/{key}" for key in sorted((there - allowed) | missing))
        # The config's part is its reader's, and `generate` keeps it so.
        for key in (allowed & there) - {"config"}:
            compare(node["properties"][key], value[key], f"{at}/{key}")

    compare(schema, defaults, path)
    return faults


def documented(chart, update):
    text = (chart / "values.yaml").read_text()
    told = {path for path, _, _ in readme.rows(text)}
    defaults = list(readme.paths(load(text), told))
    check(f"{chart.name}: every value is described", [path for path in defaults if path not in told], [])
    page = (chart / "README.md").read_text()
    if update:
        (chart / "README.md").write_text(readme.with_table(page, text))
    else:
        check(f"{chart.name}: the README's table is that of values.yaml", page == readme.with_table(page, text), True)
    schema = json.loads((chart / "values.schema.json").read_text())
    check(f"{chart.name}: the schema knows the values and no others", known(schema, load(text)), [])


def versions():
    cargo = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    for chart in (APPLICATION, LIBRARY):
        head = load((chart / "Chart.yaml").read_text())
        check(f"{chart.name}: version and appVersion are the binary's", (head["version"], head["appVersion"]), (cargo, cargo))
    check("the sidecar's tag is the binary's version", load((LIBRARY / "values.yaml").read_text())["image"]["tag"], cargo)
    wanted = load((CONSUMER / "Chart.yaml").read_text())["dependencies"][0]["version"]
    check("the example asks for this version of the library", wanted, cargo)


def generated(binary):
    """The binary holds the files it fills in: after a change to one by hand, `cargo run -- generate helm --out helm`."""
    code, said = pod.run(binary, "generate", "helm", f"--out={ROOT / 'helm'}", "--check")
    check("the config's part of the schemas is the reader's", code and said, 0)


def run(folder, binary, update):
    generated(binary)
    versions()
    documented(APPLICATION, update)
    documented(LIBRARY, update)
    places = {"application": charts.application(folder), "consumer": charts.consumer(folder)}
    for chart, text, expected in REFUSED:
        said = charts.refusal(places[chart], load(text))
        check(f"refused: {' '.join(text.split())}", expected in said or said or "taken", True)
    check("a parent's global and condition are taken", charts.refusal(places["application"], {"global": {"a": 1}, "enabled": True}), "")
    switched = {"global": {"a": 1}, "oscar-metrics-sidecar": {"global": {"b": 2}, "enabled": False}}
    check("so they are in the sidecar", charts.refusal(places["consumer"], switched), "")
