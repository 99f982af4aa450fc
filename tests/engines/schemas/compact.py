"""Makes `argo-crds.json` of Argo's full CRDs: one JSON Schema for each kind, strict, with equal parts said once.

    python tests/engines/schemas/compact.py FOLDER

FOLDER holds `workflows.yaml`, `cronworkflows.yaml` and `workflowtemplates.yaml` from `manifests/base/crds/full` of a
release of Argo Workflows (Apache-2.0). Descriptions and rules in CEL are left out.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import yaml

KEPT = ("type", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "required")
WORTH = 120
"""Parts shorter than this are said where they stand."""


def strict(node):
    """A structural schema of a CRD as JSON Schema that knows no other field."""
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    found = {key: node[key] for key in KEPT if key in node}
    if node.get("nullable"):
        found["type"] = [found["type"], "null"]
    if "items" in node:
        found["items"] = strict(node["items"])
    open_ended = node.get("x-kubernetes-preserve-unknown-fields")
    if "properties" in node:
        found["properties"] = {name: strict(child) for name, child in node["properties"].items()}
        found["additionalProperties"] = bool(open_ended)
    elif isinstance(node.get("additionalProperties"), dict):
        found["additionalProperties"] = strict(node["additionalProperties"])
    return found


class Sharing:
    """Says equal parts once, in `definitions`."""

    def __init__(self, schemas):
        self.counts = Counter()
        self.definitions = {}
        self._names = {}
        for schema in schemas.values():
            self._count(schema)

    def _count(self, node):
        text = json.dumps(node, sort_keys=True)
        self.counts[text] += 1
        if self.counts[text] == 1:
            for child in children(node):
                self._count(child)

    def refer(self, node, *, top=False):
        """The node, or a reference to it when it occurs more than once and is worth it."""
        if isinstance(node, list):
            return [self.refer(child) for child in node]
        if not isinstance(node, dict):
            return node
        text = json.dumps(node, sort_keys=True)
        if top or self.counts[text] == 1 or len(text) <= WORTH or not isinstance(node.get("type"), str | list):
            return {key: self.refer(child) for key, child in node.items()}
        if text not in self._names:
            self._names[text] = f"d{len(self._names)}"
            self.definitions[self._names[text]] = {key: self.refer(child) for key, child in node.items()}
        return {"$ref": f"#/$defs/{self._names[text]}"}


def children(node):
    values = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [value for value in values if isinstance(value, dict | list)]


def shared(schemas):
    """The schemas with references to parts that occur more than once."""
    sharing = Sharing(schemas)
    kinds = {kind: sharing.refer(schema, top=True) for kind, schema in schemas.items()}
    return {"kinds": kinds, "$defs": sharing.definitions}


def main(folder):
    schemas = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        crd = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        (version,) = crd["spec"]["versions"]
        schema = strict(version["schema"]["openAPIV3Schema"])
        schema["properties"].pop("status", None)
        schema["properties"]["metadata"] = {"type": "object"}
        schemas[crd["spec"]["names"]["kind"]] = schema
    out = Path(__file__).with_name("argo-crds.json")
    out.write_text(json.dumps(shared(schemas), sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
