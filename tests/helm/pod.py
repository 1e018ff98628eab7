"""The binary, started as a rendered pod starts it: its arguments, its environment, its files. Only folders and ports are others."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from stack import free_ports, wait_for

LISTENERS = {"--otlp.grpc.listen-address": "grpc", "--otlp.http.listen-address": "http", "--web.listen-address": "web"}


class Missing(Exception):
    """What a kubelet would wait for, and the pod with it."""


def texts_of(objects, kind, name):
    """Of a ConfigMap or Secret; nothing when it is not there."""
    found = [one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found[0].get("stringData" if kind == "Secret" else "data", {}) if found else None


class Pod:
    """One container of a pod template and the objects around it, as a kubelet would bring them together."""

    def __init__(self, binary, template, container, objects):
        self.binary, self.spec, self.container, self.objects = binary, template["spec"], container, objects
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.root = pathlib.Path(self.home.name)
        self.ports = dict(zip(("grpc", "http", "web"), free_ports(3)))
        self.mount()
        self.environment = self.variables()

    def path(self, inside):
        return str(self.root / str(inside).lstrip("/"))

    def mount(self):
        for mount in self.container["volumeMounts"]:
            folder = pathlib.Path(self.path(mount["mountPath"]))
            folder.mkdir(parents=True, exist_ok=True)
            volume = next(one for one in self.spec["volumes"] if one["name"] == mount["name"])
            for kind, source in (("ConfigMap", volume.get("configMap")), ("Secret", volume.get("secret"))):
                if source is not None:
                    self.write(folder, kind, source)

    def write(self, folder, kind, source):
        name = source.get("name") or source.get("secretName")
        texts = texts_of(self.objects, kind, name)
        if texts is None and not source.get("optional"):
            raise Missing(f"{kind} {name}")
        for key, text in (texts or {}).items():
            # Files name each other by where a pod has them.
            (folder / key).write_text(text.replace("/etc/oscar-metrics", self.path("/etc/oscar-metrics")))

    def variables(self):
        """Nothing of our own environment: a pod has none of it."""
        variables = {}
        for one in self.container.get("env", []):
            reference = one.get("valueFrom", {}).get("secretKeyRef")
            if reference is None:
                variables[one["name"]] = one["value"]
                continue
            texts = texts_of(self.objects, "Secret", reference["name"]) or {}
            if reference["key"] in texts:
                variables[one["name"]] = texts[reference["key"]]
            elif not reference.get("optional"):
                raise Missing(f"Secret {reference['name']}")
        return variables

    def arguments(self):
        words = []
        for word in self.container["args"]:
            flag, _, value = word.partition("=")
            if flag in LISTENERS:
                host = value.rpartition(":")[0]
                value = f"{host or '127.0.0.1'}:{self.ports[LISTENERS[flag]]}"
            elif value.startswith(("/etc/", "/var/")):
                value = self.path(value)
            words.append(f"{flag}={value}" if value else flag)
        return words

    def url(self, what, path, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.ports[what]}{path}"

    def __enter__(self):
        self.log = self.root / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([self.binary, *self.arguments()], env=self.environment, cwd=self.root, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.home.cleanup()

    def said(self):
        return self.log.read_text(errors="replace")

    def ready(self):
        try:
            return wait_for(self.url("web", "/-/ready"), 10)[1].strip()
        except (OSError, urllib.error.URLError) as error:
            return f"{error}: {self.said()[-1000:]}"

    def listens(self):
        """Where a client certificate is asked for nobody says more."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.ports["web"]), timeout=1):
                return
            time.sleep(0.05)
        raise TimeoutError(self.said()[-1000:])

    def takes_a_span(self):
        span = ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"bot.interaction knowledge","traceId":"0af7651916cd43dd8448eb211c80319c",'
                f'"spanId":"b7ad6b7169203331","startTimeUnixNano":"{time.time_ns() - 10**9}","endTimeUnixNano":"{time.time_ns()}"}}]}}]}}]}}')
        request = urllib.request.Request(self.url("http", "/v1/traces"), span.encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status

    def ends(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def containers(template):
    """Those named oscar-metrics, and under which key they stand."""
    spec = template["spec"]
    return [(key, one) for key in ("initContainers", "containers") for one in spec.get(key) or [] if one["name"] == "oscar-metrics"]


def run(binary, *words, environment=None):
    """A command that ends: its exit code and what it said."""
    done = subprocess.run([binary, *words], env=environment if environment is not None else dict(os.environ), text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout
