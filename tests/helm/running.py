"""Running: the binary, started the way the rendered pods start it, whatever is broken or missing around it.
"""

import pathlib
import ssl
import subprocess
import urllib.request

import charts
import pod
from charts import load
from pod import Missing, Pod
from stack import check, fetch, wait_for

BAD = "use: [oscar]\nmetrics: {bot_wrong: {type: nonsense}}\n"
# A password of the web port: `scraper` and `secret`, hashed by bcrypt at its lowest cost.
WEB = "basic_auth_users: {scraper: '$2b$04$abcdefghijklmnopqrstuuGCaxC1Q.bJ9xC1Jq4nZ0HKkxlhuC3OG'}\n"
FULL = {"oscar-metrics-sidecar": {"secretEnv": {"TEMPO_TOKEN": {"secret": "tempo", "key": "token"}}, "hashKey": {"existingSecret": "keys"},
                                  "web": {"existingSecret": "scrapers"}, "state": {"enabled": True},
                                  "configText": "use: [oscar]\nforward: [{endpoint: 'http://127.0.0.1:9', headers: {authorization: '${TEMPO_TOKEN}'}}]\n"}}


def deployment(objects):
    return next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]


def secret(name, **texts):
    return {"kind": "Secret", "metadata": {"name": name}, "stringData": texts}


def shape(chart):
    """What makes a native sidecar one, and what keeps it from ever holding up the bot."""
    template = deployment(charts.documents(charts.render(chart)))
    spec, (key, sidecar) = template["spec"], pod.containers(template)[0]
    check("sidecar: the first init container, and it keeps running: before the bot, and after it",
          (key, spec["initContainers"][0]["name"], sidecar.get("restartPolicy")), ("initContainers", "oscar-metrics", "Always"))
    check("sidecar: the bot is the only container a pod waits for", [one["name"] for one in spec["containers"]], ["bot"])
    check("sidecar: no probe", [probe for probe in ("startupProbe", "livenessProbe", "readinessProbe") if probe in sidecar], [])
    check("sidecar: no links to services", spec["enableServiceLinks"], False)
    check("sidecar: a wrong config is survived", "--config.fallback" in sidecar["args"], True)
    template = deployment(charts.documents(charts.render(chart, FULL)))
    (_, sidecar), volumes = pod.containers(template)[0], template["spec"]["volumes"]
    needed = [one["name"] for one in volumes if not (one.get("configMap") or one.get("secret") or {"optional": True}).get("optional")]
    needed += [one["name"] for one in sidecar["env"] if not one["valueFrom"]["secretKeyRef"].get("optional")]
    check("sidecar: nothing it refers to is needed", needed, [])
    check("sidecar: no volume that a kubelet would evict the pod for", [one for one in volumes if one.get("emptyDir", {}).get("sizeLimit")], [])
    bot = template["spec"]["containers"][0]
    check("sidecar: the bot knows where to send", {one["name"]: one["value"] for one in bot["env"]},
          {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def serves(name, binary, objects, said, metrics=200, kept=False):
    """It becomes ready, takes a span, shows its metrics (or asks for the password) and drains."""
    template = deployment(objects)
    with Pod(binary, template, pod.containers(template)[0][1], objects) as one:
        check(f"{name}: ready", one.ready(), "ready")
        check(f"{name}: takes a span", one.takes_a_span(), 200)
        try:
            status = 200 if "oscar_metrics_received_items_total" in fetch(one.url("web", "/metrics"))[1] else "other"
        except urllib.error.HTTPError as error:
            status = error.code
        check(f"{name}: shows its metrics", status, metrics)
        check(f"{name}: drains", one.ends(), 0)
        if kept:
            check(f"{name}: its state is kept", pathlib.Path(one.path("/var/lib/oscar-metrics/state.clean")).exists(), True)
        log = one.said()
        missing = [word for word in said if word not in log]
        check(f"{name}: its log says so", missing and log[-1500:], [])


def sidecars(chart, binary):
    plain = charts.documents(charts.render(chart))
    serves("sidecar", binary, plain, [])
    serves("sidecar without its ConfigMap", binary, [one for one in plain if one["kind"] != "ConfigMap"], ["config_refused"])
    broken = charts.documents(charts.render(chart, {"oscar-metrics-sidecar": {"configText": BAD}}))
    serves("sidecar with a broken config", binary, broken, ["config_refused"])
    full = charts.documents(charts.render(chart, FULL))
    serves("sidecar without any of its Secrets", binary, full, ["config_refused", "web_config_refused"], metrics=503)
    there = [secret("tempo", token="Bearer x"), secret("keys", **{"hash-key": "k" * 32}), secret("scrapers", **{"web.yaml": WEB})]
    serves("sidecar with all of its Secrets", binary, full + there, [], metrics=401, kept=True)
    serves("sidecar with a broken web config", binary, full + there[:2] + [secret("scrapers", **{"web.yaml": "nonsense: 1\n"})],
           ["web_config_refused"], metrics=503)


def probed(name, one, template, scheme="http"):
    """Every probe of the manifest gets its 200 from the process that runs."""
    ports = {port["name"]: port["containerPort"] for port in one.container["ports"]}
    check(f"{name}: ports are what it listens on", ports, {"otlp-grpc": 4317, "otlp-http": 4318, "oscar-metrics": 9464})
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = one.container[probe]["httpGet"]
        check(f"{name}: {probe} asks by {scheme}", (asked.get("scheme", "HTTP").lower(), asked["port"]), (scheme, "oscar-metrics"))
        with urllib.request.urlopen(one.url("web", asked["path"], scheme), timeout=5, context=trust) as answer:
            check(f"{name}: {probe} is answered", answer.status, 200)


def gateways(chart, binary):
    objects = charts.documents(charts.render(chart))
    template = deployment(objects)
    with Pod(binary, template, pod.containers(template)[0][1], objects) as one:
        check("gateway: ready", one.ready(), "ready")
        probed("gateway", one, template)
        check("gateway: takes a span", one.takes_a_span(), 200)
        hook = next(test for test in objects if test["kind"] == "Pod")["spec"]["containers"][0]["args"]
        url = "--url=http://demo-oscar-metrics.bots:9464"
        words = [word.replace(url, f"--url=http://127.0.0.1:{one.ports['web']}") for word in hook]
        check("gateway: `helm test` finds it ready", (words != hook, pod.run(binary, *words)), (True, (0, "")))
        check("gateway: drains", one.ends(), 0)
        check("gateway: `helm test` finds nobody then", pod.run(binary, *words)[0], 69)
    broken = charts.documents(charts.render(chart, {"configText": BAD}))
    with Pod(binary, deployment(broken), pod.containers(deployment(broken))[0][1], broken) as one:
        check("gateway: a broken config ends the new pod, so the old one stays", one.process.wait(timeout=10), 65)
    needs = charts.documents(charts.render(chart, {"hashKey": {"existingSecret": "keys"}}))
    try:
        Pod(binary, deployment(needs), pod.containers(deployment(needs))[0][1], needs)
        check("gateway: without its Secret no pod", "a pod", "none")
    except Missing as missing:
        check("gateway: without its Secret no pod", str(missing), "Secret keys")


def closed(chart, binary, folder):
    """TLS from the rendered web config and the Secret it names."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=gateway",
                    "-keyout", folder / "key", "-out", folder / "crt"], check=True, capture_output=True, timeout=60)
    pair = {"tls.crt": (folder / "crt").read_text(), "tls.key": (folder / "key").read_text()}
    objects = charts.documents(charts.render(chart, {"web": {"tls": {"enabled": True, "existingSecret": "pair"}}})) + [secret("pair", **pair)]
    template = deployment(objects)
    with Pod(binary, template, pod.containers(template)[0][1], objects) as one:
        one.listens()
        probed("gateway with TLS", one, template, "https")
        check("gateway with TLS: drains", one.ends(), 0)
    values = load("web: {tls: {enabled: true, existingSecret: pair, clientCASecret: ca}}")
    objects = charts.documents(charts.render(chart, values)) + [secret("pair", **pair), secret("ca", **{"ca.crt": pair["tls.crt"]})]
    template = deployment(objects)
    with Pod(binary, template, pod.containers(template)[0][1], objects) as one:
        one.listens()
        check("gateway with client certificates: a probe only knocks", sorted({str(one.container[probe].get("tcpSocket")) for probe in ("startupProbe", "livenessProbe", "readinessProbe")}),
              ["{'port': 'oscar-metrics'}"])
        refused = ssl.create_default_context()
        refused.check_hostname, refused.verify_mode = False, ssl.CERT_NONE
        try:
            urllib.request.urlopen(one.url("web", "/metrics", "https"), timeout=5, context=refused).read()
            answer = "shown"
        except OSError:
            answer = "refused"
        check("gateway with client certificates: without one nothing is shown", answer, "refused")


def run(folder, binary, _update):
    bot = charts.consumer(folder)
    shape(bot)
    sidecars(bot, binary)
    application = charts.application(folder)
    gateways(application, binary)
    closed(application, binary, folder)
