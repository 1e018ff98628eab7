#!/usr/bin/env python3
"""The charts by the real tools: Helm's engine, the schemas of Kubernetes and of the operators, promtool, and our own binary.

    run.py --binary target/release/oscar-metrics [--update]

`--update` writes the golden files and the tables of values anew instead of comparing them. Each check prints one line; the last line
is `N passed, N failed`. No cluster is needed and none is there: what only one can show, such as the order in which a kubelet starts
containers, is Kubernetes' own promise for what the manifests say.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import files  # noqa: E402
import manifests  # noqa: E402
import running  # noqa: E402
import values  # noqa: E402
from stack import apart, finish  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    binary = str(pathlib.Path(options.binary).resolve())
    for room in (values.run, manifests.run, files.run, running.run):
        name = sys.modules[room.__module__].__doc__.splitlines()[0]
        apart(name, lambda folder: room(folder, binary, options.update))
    finish()


if __name__ == "__main__":
    main()
