"""The charts as a user gets them, rendered by the real Helm engine."""

import contextlib
import os
import pathlib
import shutil
import sys

import helm_python as helm
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
APPLICATION, LIBRARY = ROOT / "helm" / "oscar-metrics", ROOT / "helm" / "oscar-metrics-sidecar"
CONSUMER = LIBRARY / "examples" / "bot"
RELEASE = {"name": "demo", "namespace": "bots"}


class Strict(yaml.SafeLoader):
    """YAML as the API server's strict decoding has it: a key said twice is an error."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(keys)) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, f"a key is there twice: {keys}", node.start_mark)
        return super().construct_mapping(node, deep)


def load(text):
    return yaml.load(text, Strict)


def documents(manifests):
    """All objects of a release; NOTES.txt is none."""
    texts = [text for path, text in sorted(manifests.items()) if not path.endswith("NOTES.txt")]
    return [one for text in texts for one in yaml.load_all(text, Strict) if one is not None]


@contextlib.contextmanager
def quiet():
    """The engine logs every symbolic link to standard error by itself."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def application(folder):
    """The application chart with the fixtures for files, so that what is generated anew changes nothing here."""
    chart = folder / "oscar-metrics"
    shutil.copytree(APPLICATION, chart, ignore=shutil.ignore_patterns("files"))
    shutil.copytree(ROOT / "tests" / "helm" / "fixtures", chart / "files")
    return chart


def consumer(folder):
    """The bot's chart, with the library as `helm dependency update` packs it in."""
    library = folder / LIBRARY.name
    shutil.copytree(LIBRARY, library)
    bot = library / CONSUMER.relative_to(LIBRARY)
    with quiet():
        helm.dependency_update(str(bot))
    return bot


def render(chart, values=None):
    with quiet(), helm.Chart.load(str(chart)) as loaded:
        return loaded.render(values or {}, **RELEASE)


def refusal(chart, values):
    """What the engine says against these values; nothing when it takes them."""
    try:
        render(chart, values)
    except helm.HelmError as error:
        return str(error)
    return ""


def complaints(chart, values):
    """What the linter says, strictly; below warnings (1) are wishes."""
    with quiet():
        answer = helm.lint(str(chart), values, strict=True, with_subcharts=True, namespace=RELEASE["namespace"])
    return answer["errors"] + [one for one in answer["messages"] if one["severity"] > 1]


def package(chart, folder):
    with quiet():
        return helm.package(str(chart), destination=str(folder))


def values_files(chart):
    return sorted((chart / "ci").glob("*-values.yaml"))
