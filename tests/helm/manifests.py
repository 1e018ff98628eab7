"""Manifests: every values file rendered, linted, checked against the schemas and compared with what it made before.
"""

import tempfile
import pathlib

import yaml

import charts
import pod
import schemas
from charts import APPLICATION, LIBRARY, ROOT, load
from stack import check

GOLDEN = ROOT / "tests" / "helm" / "golden"
# Whatever a config takes from Secrets, for `check`, which wants it all.
SECRETS = {"TEMPO_TOKEN": "token"}


def text_of(rendered):
    """One text for a release. Checksums change with every word, and tell nothing that the words don't."""
    notes = [text for path, text in rendered.items() if path.endswith("NOTES.txt")]
    lines = [f"# {line}".rstrip() for text in notes for line in text.strip().splitlines()]
    for path, text in sorted(rendered.items()):
        if path.endswith("NOTES.txt") or not text.strip():
            continue
        lines += [f"--- # {path.partition('/')[2]}", *text.strip().splitlines()]
    return "\n".join(line.rstrip() for line in lines if "checksum/" not in line) + "\n"


def golden(name, text, update):
    path = GOLDEN / f"{name}.yaml"
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    else:
        check(f"{name}: as before (--update if it should not be)", path.exists() and path.read_text() == text, True)


def unique(objects):
    names = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in objects]
    return sorted(name for name in set(names) if names.count(name) > 1)


def names(objects):
    """Names and ports that Kubernetes would refuse although its schemas don't."""
    faults = [one["metadata"]["name"] for one in objects if len(one["metadata"]["name"]) > 63]
    for one in objects:
        for container in one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            faults += [port["name"] for port in container.get("ports", []) if len(port["name"]) > 15]
    return faults


def hardened(objects):
    """What the restricted profile of Pod Security asks for, and two things more: a root that can't be written, no token."""
    loose = []
    for one in objects:
        bare = one["kind"] == "Pod"
        spec = one.get("spec", {}) if bare else one.get("spec", {}).get("template", {}).get("spec", {})
        ours = [part for key in ("initContainers", "containers") for part in spec.get(key) or [] if part["name"] in ("oscar-metrics", "probe")]
        for container in ours:
            inside = container["securityContext"]
            both = {**spec.get("securityContext", {}), **inside}
            wanted = (both.get("runAsNonRoot"), both.get("seccompProfile"), inside.get("allowPrivilegeEscalation"), inside.get("capabilities"),
                      inside.get("readOnlyRootFilesystem"))
            if wanted != (True, {"type": "RuntimeDefault"}, False, {"drop": ["ALL"]}, True):
                loose.append((one["metadata"]["name"], container["name"], wanted))
        # The bot's pod has the bot's token.
        if ours and ours[0]["name"] == (spec["containers"][0]["name"]) and spec.get("automountServiceAccountToken") is not False:
            loose.append((one["metadata"]["name"], "a token"))
    return loose


def configs(name, objects, binary):
    """A rendered config is one that `check` takes, tables and all."""
    for one in objects:
        if one["kind"] != "ConfigMap" or "oscar-metrics.yaml" not in one.get("data", {}):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for key, text in one["data"].items():
                (pathlib.Path(folder) / key).write_text(text)
            code, said = pod.run(binary, "check", f"--config.file={folder}/oscar-metrics.yaml", environment=SECRETS)
        check(f"{name}: `check` takes the rendered config", code or said[-500:] if code else 0, 0)


def case(chart, values_file, binary, update):
    name = f"{values_file.parent.parent.name}/{values_file.name.removesuffix('-values.yaml')}"
    values = load(values_file.read_text())
    check(f"{name}: lint has nothing to say", charts.complaints(chart, values), [])
    rendered = charts.render(chart, values)
    objects = charts.documents(rendered)
    check(f"{name}: valid Kubernetes, no unknown field", [fault for one in objects for fault in schemas.faults(one)], [])
    check(f"{name}: no object is there twice", unique(objects), [])
    check(f"{name}: names are short enough", names(objects), [])
    check(f"{name}: its pods are locked up", hardened(objects), [])
    configs(name, objects, binary)
    golden(name, text_of(rendered), update)
    return name


def teeth():
    """Validation that can't fail would be none."""
    bad = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"portz": []}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"replicas": "x"}},
        {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": {}, "spec": {"selector": {}, "endpoints": [{"intervall": "1m"}]}},
        {"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": {}, "spec": {"selector": {}, "podMetricsEndpoints": [{"interval": "often"}]}},
        {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {}, "spec": {"groups": [{"name": "a", "rules": [{"alert": "b"}]}]}},
        {"apiVersion": "grafana.integreatly.org/v1beta1", "kind": "GrafanaDashboard", "metadata": {}, "spec": {"instanceSelector": {}, "jsonn": ""}},
        {"apiVersion": "example.com/v1", "kind": "Unknown", "metadata": {"name": "a"}},
    ]
    for one in bad:
        check(f"a wrong {one['kind']} is found", bool(schemas.faults(one)), True)
    try:
        charts.load("a: 1\na: 2\n")
        check("a key said twice is found", "taken", "refused")
    except yaml.YAMLError:
        check("a key said twice is found", "refused", "refused")


def run(folder, binary, update):
    teeth()
    cases = []
    for chart, files in ((charts.application(folder), charts.values_files(APPLICATION)), (charts.consumer(folder), charts.values_files(LIBRARY))):
        cases += [case(chart, path, binary, update) for path in files]
    check("every values file was rendered", len(cases) >= 9, True)
    there = {str(path.relative_to(GOLDEN).with_suffix("")) for path in GOLDEN.glob("*/*.yaml")}
    check("no golden file without its values", sorted(there - set(cases)), [])
