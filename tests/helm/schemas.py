"""Objects against the schemas of Kubernetes and of the operators. A field that no schema knows is a fault."""

import json
import pathlib

import jsonschema
import kubernetes_validate

# The oldest the charts allow, and the newest there is a schema of.
KUBERNETES = ["1.29", "1.37"]


def closed(node):
    """A CRD prunes what it does not know; here that is an error."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {key: closed(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and "additionalProperties" not in node:
        node["additionalProperties"] = bool(node.get("x-kubernetes-preserve-unknown-fields"))
    return node


def operators():
    """The schemas of the CRDs, without their descriptions, as the operators publish them (Apache-2.0)."""
    kinds = {}
    for path in (pathlib.Path(__file__).parent / "crds").glob("*.json"):
        crd = json.loads(path.read_text())
        schema = jsonschema.Draft7Validator(closed(crd["schema"]))
        kinds[f"{crd['group']}/{crd['version']}", crd["kind"]] = schema
    return kinds


OPERATORS = operators()


def faults(document):
    """What is wrong with an object, as a list of texts. A kind without a schema is wrong too."""
    kind = document.get("apiVersion"), document.get("kind")
    if kind in OPERATORS:
        errors = OPERATORS[kind].iter_errors(document)
        return [f"{kind[1]} {'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]
    found = []
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{kind[1]} at {version} {'.'.join(map(str, error.path))}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            found.append(f"no schema at {version}: {error}")
    return found
