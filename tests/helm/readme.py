"""The table of values in a chart's README, from the comments of its values.yaml.

A comment `# -- text`, up to the key it stands above, is a row: the key's path, the text, the default. Keys without one are groups.
"""

import json
import re

import yaml

BEGIN, END = "<!-- values: made from values.yaml by tests/helm/run.py --update -->", "<!-- end of values -->"


def rows(text):
    """(path, description, default) of every key that has a description, in the file's order."""
    tree, found, path, words = yaml.safe_load(text), [], [], None
    for line in text.splitlines():
        comment = re.match(r" *# ?(-- )?(.*)", line)
        key = re.match(r"( *)([A-Za-z_][\w-]*):", line)
        if comment:
            if comment[1]:
                words = [comment[2]]
            elif words is not None:
                words.append(comment[2])
        elif key:
            depth = len(key[1]) // 2
            path = [*path[:depth], key[2]]
            if words is not None:
                value = tree
                for step in path:
                    value = value[step]
                found.append((".".join(path), " ".join(words), value))
            words = None
        else:
            words = None
    return found


def table(text):
    # A bar would end the cell.
    cells = [(path, said.replace("|", "\\|"), json.dumps(value).replace("|", "\\|")) for path, said, value in rows(text)]
    lines = [f"| `{path}` | {said} | `{value}` |" for path, said, value in cells]
    return "\n".join([BEGIN, "| value | what it is | default |", "|---|---|---|", *lines, END])


def with_table(readme, values):
    head, _, rest = readme.partition(BEGIN)
    return head + table(values) + rest.partition(END)[2]


def paths(value, open_below, path=""):
    """Every leaf of the defaults; what lies below an open object is not the chart's."""
    if isinstance(value, dict) and value and path not in open_below:
        for key, inner in value.items():
            yield from paths(inner, open_below, f"{path}.{key}" if path else key)
    else:
        yield path
