"""A server for the tests of stores in buckets."""

import pytest

from tests.store.s3_server import BUCKET, KEYS, serving
from wurzel.store.store import open_store


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def opened(server):
    """Opens a store on the server."""

    def open_one(url=f"s3://{BUCKET}/team x", environ=KEYS, **options):
        store = open_store(url, "rag", **{"endpoint": server.endpoint, "environ": environ} | options)
        store.bucket.sender.patience = 0
        return store

    return open_one


@pytest.fixture
def bucket(opened):
    return opened().bucket
