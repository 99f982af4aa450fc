"""Makes `argo-crds.json` of Argo's full CRDs: one JSON Schema for each kind, strict, with equal parts said once.

    python tests/engines/schemas/compact.py FOLDER

FOLDER holds `workflows.yaml`, `cronworkflows.yaml` and `workflowtemplates.yaml` from `manifests/base/crds/full` of a release
of Argo Workflows (Apache-2.0). Descriptions and rules in CEL are left out.
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


def shared(schemas):
    """The schemas with references to parts that occur more than once."""
    texts = {}
    counts = Counter()

    def count(node):
        if isinstance(node, dict):
            text = json.dumps(node, sort_keys=True)
            texts[id(node)] = text
            counts[text] += 1
            if counts[text] == 1:
                for child in node.values():
                    count(child)
        elif isinstance(node, list):
            for child in node:
                count(child)

    for schema in schemas.values():
        count(schema)
    names = {}
    definitions = {}

    def refer(node, top=False):
        if isinstance(node, list):
            return [refer(child) for child in node]
        if not isinstance(node, dict):
            return node
        text = json.dumps(node, sort_keys=True)
        if not top and "type" in node and isinstance(node["type"], str | list) and counts[text] > 1 and len(text) > WORTH:
            if text not in names:
                names[text] = f"d{len(names)}"
                definitions[names[text]] = {key: refer(child) for key, child in node.items()}
            return {"$ref": f"#/$defs/{names[text]}"}
        return {key: refer(child) for key, child in node.items()}

    return {"kinds": {kind: refer(schema, top=True) for kind, schema in schemas.items()}, "$defs": definitions}


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
