"""A small pipeline, for tests of the CI platforms."""

from tests.plain import WORDS as WORD
from tests.plain import plain_step
from wurzel.ir.model import Pipeline, Setting, Store


def step(name="embed", **fields):
    return plain_step(id=name, run="steps:Embed", output=WORD, **fields)


def reading(name, *needs, **fields):
    return step(name, needs=needs, input=WORD, **fields)


def pipeline(*steps, **fields):
    return Pipeline(name="rag", steps=steps or (step(),), **fields)


def setting(**fields):
    return Setting(**{"name": "SIZE", "variable": "EMBED__SIZE", "type": "int", "text": False, **fields})


FORKED = (step("words"), reading("upper", "words"), reading("reverse", "words"), reading("join", "upper", "reverse"))
STORE = {"url": "s3://acme/rag"}
STORE_KEYS = {"access_key_id": {"name": "minio", "key": "id"}, "secret_access_key": {"name": "minio", "key": "key"}}


def stored(**fields):
    """Two steps whose data goes through a store."""
    return pipeline(step("words"), step("upper", needs=("words",)), store=Store(**STORE, **fields))
