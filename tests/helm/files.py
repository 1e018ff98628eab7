"""Files: dashboards and rules reach the cluster as they lie in `dashboards/`, by the symbolic links and by the package.
"""

import subprocess
import tarfile

import yaml

import charts
from charts import APPLICATION, LIBRARY, ROOT, load
from stack import check

SHOW = {"gateway": {"enabled": False}, "prometheusRule": {"enabled": True}, "dashboards": {"enabled": True}}
# What `kubectl apply` can still note down about an object, in bytes.
ANNOTATION = 262_144


def dashboards(folder):
    return {path.name: path.read_text() for path in sorted(folder.glob("*.json"))}


def rules(folder):
    found = {path.name: load(path.read_text()) for path in sorted(folder.glob("*.yaml"))}
    return {name: rules["groups"] for name, rules in found.items() if "groups" in rules}


def shown(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def delivered(name, objects, source):
    """Dashboards byte for byte, rules group for group, and nothing else."""
    texts, there = {}, shown(objects, "ConfigMap")
    for one in there:
        texts.update(one["data"])
    check(f"{name}: dashboards are those of dashboards/", texts == dashboards(source / "dashboards"), True)
    check(f"{name}: a ConfigMap for each", len(there), len(texts))
    large = [one["metadata"]["name"] for one in there if len(yaml.safe_dump(one).encode()) >= ANNOTATION]
    check(f"{name}: each is small enough to be applied", large, [])
    expected = {group["name"]: group for groups in rules(source / "rules").values() for group in groups}
    got = [one["spec"]["groups"] for one in shown(objects, "PrometheusRule")]
    there = {group["name"]: group for groups in got for group in groups}
    differ = sorted(name for name in {*expected, *there} if expected.get(name) != there.get(name))
    check(f"{name}: rules are those of dashboards/rules/", differ, [])
    check(f"{name}: an object for each file of rules", len(got), len(rules(source / "rules")))
    return got


def promtool(name, groups, folder):
    for number, one in enumerate(groups):
        path = folder / f"rules-{number}.yaml"
        path.write_text(yaml.safe_dump({"groups": one}))
        done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, timeout=60)
        check(f"{name}: promtool takes rules {number}", done.returncode and done.stderr[-500:], 0)


def choices(chart):
    """Groups and alerts can be left out, and every alert can be given a label."""
    chosen = {"alertLabels": {"severity": "ticket", "team": "bots"}, "disabledGroups": ["fixture-unwanted"], "disabledAlerts": ["FixtureUnwanted"]}
    objects = charts.documents(charts.render(chart, {**SHOW, "prometheusRule": {"enabled": True, **chosen}}))
    groups = shown(objects, "PrometheusRule")[0]["spec"]["groups"]
    left = [(group["name"], rule.get("alert") or rule["record"], rule.get("labels")) for group in groups for rule in group["rules"]]
    check("rules: what was left out is out, labels are on alerts alone", left, [
        ("fixture-wanted", "job:up:sum", None), ("fixture-wanted", "FixtureWanted", {"severity": "ticket", "team": "bots"})])
    nothing = {**SHOW, "prometheusRule": {"enabled": True, "disabledGroups": ["fixture-wanted", "fixture-unwanted"]}}
    check("rules: none left, no object", shown(charts.documents(charts.render(chart, nothing)), "PrometheusRule"), [])


def packaged(folder):
    """A package holds the files themselves, and nothing that is only for us."""
    archive = charts.package(APPLICATION, folder)
    with tarfile.open(archive) as package:
        links = [one.name for one in package.getmembers() if not one.isfile()]
        inside = {one.name.partition("/")[2]: package.extractfile(one).read() for one in package.getmembers() if one.isfile()}
    check("package: no link in it", links, [])
    check("package: nothing of our tests in it", [name for name in inside if name.startswith("ci/") or ".gitkeep" in name], [])
    wanted = ("files/dashboards", "json"), ("files/rules", "yaml")
    stray = [name for name in inside if name.startswith("files/") and (name.rpartition("/")[0], name.rpartition(".")[2]) not in wanted]
    check("package: nothing but dashboards and rules in files/", stray, [])
    for kind, ending, source in (("dashboards", "json", ROOT / "dashboards"), ("rules", "yaml", ROOT / "dashboards" / "rules")):
        got = {name: text for name, text in inside.items() if name.startswith(f"files/{kind}/") and name.endswith(f".{ending}") and name.count("/") == 2}
        check(f"package: {kind} are those of the repository", got, {f"files/{kind}/{path.name}": path.read_bytes() for path in sorted(source.glob(f"*.{ending}"))})
    check("package: it renders what the folder renders", charts.render(archive, SHOW) == charts.render(APPLICATION, SHOW), True)
    with tarfile.open(charts.package(LIBRARY, folder)) as library:
        names = [one.partition("/")[2] for one in library.getnames()]
    check("package: the library is templates, values and words", [name for name in names if name.startswith(("examples", "ci"))], [])


def run(folder, _binary, _update):
    staged = charts.application(folder)
    fixtures = ROOT / "tests" / "helm" / "fixtures"
    promtool("fixtures", delivered("fixtures", charts.documents(charts.render(staged, SHOW)), fixtures), folder)
    choices(staged)
    real = {"dashboards": ROOT / "dashboards", "rules": ROOT / "dashboards" / "rules"}
    for name, source in real.items():
        check(f"files/{name} is the repository's folder", (APPLICATION / "files" / name).resolve(), source)
    objects = charts.documents(charts.render(APPLICATION, SHOW))
    links = APPLICATION / "files"
    print(f"   {len(dashboards(links / 'dashboards'))} dashboards, {len(rules(links / 'rules'))} files of rules are generated so far")
    promtool("repository", delivered("repository", objects, links), folder)
    packaged(folder)
