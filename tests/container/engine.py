"""Podman with a store of its own, so that whoever runs the tests keeps theirs as it is."""

import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = "localhost/oscar-metrics:test"
# What a pod of the charts gives: nobody, a root that can't be written, no capability, no way to get one. Limits as they are, because
# not every machine lets them be raised.
LOCKED = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges", "--memory=256m", "--network=host",
          "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]


def stages():
    """The instructions of the Containerfile by stage, lines that go on put together."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.M)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    found = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest.strip()))
    return found


class Podman:
    def __init__(self, folder):
        self.folder = folder
        store = [f"--root={folder / 'store'}", f"--runroot={folder / 'run'}", f"--tmpdir={folder / 'tmp'}"]
        self.words = ["podman", *store, "--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--runtime=runc", "--log-level=error"]

    def __call__(self, *words, timeout=120):
        done = subprocess.run([*self.words, *map(str, words)], capture_output=True, text=True, timeout=timeout)
        return done.returncode, done.stdout.strip(), done.stderr.strip()

    def must(self, *words):
        code, out, errors = self(*words)
        if code:
            raise RuntimeError(f"podman {' '.join(map(str, words))}: {code}: {errors[-2000:]}")
        return out

    def inspect(self, kind, name):
        return json.loads(self.must(kind, "inspect", name))[0]

    def build(self, contents):
        """The last stage, with a folder in the place of the stage before."""
        return self.must("build", "--isolation=chroot", "--format=docker", "--pull-never", f"--build-context=build={contents}",
                         f"--tag={NAME}", "--ignorefile", ROOT / ".containerignore", "--file", ROOT / "Containerfile", self.folder / "empty")

    def program(self, container):
        """A program that is the container: it takes the words of ours, passes signals on and ends as it ends."""
        path = self.folder / f"{container}.sh"
        words = [*self.words, "run", "--rm", "--no-healthcheck", f"--name={container}", *LOCKED, NAME]
        path.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in words) + ' "$@"\n')
        path.chmod(0o755)
        return str(path)

    def once(self, *words, options=()):
        """A container for one command: its exit code and what it said."""
        code, out, errors = self("run", "--rm", "--no-healthcheck", *LOCKED, *options, NAME, *words)
        return code, out + errors
