"""What a scenario is, and the list of all scenarios."""

import dataclasses
from collections.abc import Callable

ALL = []


@dataclasses.dataclass
class Scenario:
    """`run` takes a started side and returns what it shows; right is what equals `truth`. `ours` is a config file of oscar-metrics,
    `collector` replaces values of `sides.DEFAULTS`, and None leaves the Collector out. `limit` is the documented limit because of which
    oscar-metrics may show something else."""

    id: str
    text: str
    truth: object
    run: Callable
    ours: str = "{}\n"
    collector: dict | None = dataclasses.field(default_factory=dict)
    limit: str = ""


def scenario(id, text, truth, **settings):
    """Adds the decorated function to the list."""
    def add(run):
        ALL.append(Scenario(id, text, truth, run, **settings))
        return run

    return add
