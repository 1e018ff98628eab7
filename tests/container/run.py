#!/usr/bin/env python3
"""What ships: the image, made and run by a real engine, and the service for machines without one.

    run.py

Podman builds the image's last stage from the Containerfile; the stage before it, whose base is on a registry, is run here by its own
words. Nothing is pulled. The container is on the host's network and listens on loopback. Each check prints one line; the last line is
`N passed, N failed`.
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

import image  # noqa: E402
import service  # noqa: E402
from stack import apart, finish  # noqa: E402


def main():
    if os.geteuid():
        sys.exit("this needs root: an engine without it shows other users, and port 53 is taken: sudo -E env PATH=\"$PATH\" tests/run container")
    for room in (image.run, service.run):
        apart(sys.modules[room.__module__].__doc__.splitlines()[0], room)
    finish()


if __name__ == "__main__":
    main()
