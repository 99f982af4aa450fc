"""Where parts end: the same rule for lists, streams, sets and tables, for one call and many, sliced or not."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wurzel.datacontract import PydanticModel, framing, partfiles
from wurzel.datacontract.dataset import Part, Reader, Slice, gather, open_dataset, writing
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import ContractFailedException

MIB = 1 << 20


class Doc(PydanticModel):
    text: str


OVERHEAD = len('{"text":""}')
LISTS, SETS = shape_of(list[Doc]), shape_of(set[Doc])


def docs(*sizes, fill="x"):
    """Items whose JSON has these numbers of bytes."""
    return [Doc(text=fill * (size - OVERHEAD)) for size in sizes]


def write(folder, shape, *calls, cut=None):
    with writing(folder, shape, cut) as writer:
        for call in calls:
            writer.add(call)
    return open_dataset(folder)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def counts(dataset):
    return [part.items for part in dataset.parts]


def expected(sizes, most):
    """How many items of these sizes each part has: the rule, written down once more."""
    found, total = [0], 0
    for size in sizes:
        if found[-1] and total + size > most:
            found.append(0)
            total = 0
        found[-1] += 1
        total += size
    return found


@pytest.fixture
def limit(monkeypatch):
    monkeypatch.setattr(partfiles, "MOST_BYTES", 100)
    return 100


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([], [0]),
        ([100], [1]),
        ([50, 50], [2]),
        ([50, 51], [1, 1]),
        ([101], [1]),
        ([20, 101, 20], [1, 1, 1]),
        ([101, 20, 80, 20], [1, 2, 1]),
        ([20, 20, 300, 20, 20], [2, 1, 2]),
    ],
)
@pytest.mark.parametrize(
    "form", [list, iter, lambda items: (item for item in items)], ids=["list", "iter", "generator"]
)
def test_a_part_ends_before_the_item_that_is_too_much(tmp_path, limit, sizes, parts, form):
    dataset = write(tmp_path / "out", LISTS, form(docs(*sizes)))
    assert counts(dataset) == parts == expected(sizes, limit)
    assert Reader(LISTS, [dataset]).value() == docs(*sizes)


@pytest.mark.parametrize("form", [list, iter], ids=["list", "stream"])
def test_the_real_limit(tmp_path, form):
    """An item of 65 MiB between small ones, two that just fit, and two that are a byte too much."""
    half = 32 * MIB
    sizes = [100, 65 * MIB, 100, half * 2 - 100, half, half + 1]
    dataset = write(tmp_path / "out", LISTS, form(docs(*sizes)))
    assert counts(dataset) == [1, 1, 2, 1, 1] == expected(sizes, 64 * MIB)
    assert [len(doc.text) + OVERHEAD for doc in Reader(LISTS, [dataset]).stream()] == sizes


@pytest.mark.parametrize("last", [0, 1])
def test_exactly_64_mib_and_one_byte_more(tmp_path, last):
    dataset = write(tmp_path / "out", LISTS, docs(32 * MIB, 32 * MIB + last))
    assert counts(dataset) == ([2] if not last else [1, 1])


def test_each_call_begins_a_part_also_one_that_gives_nothing(tmp_path, limit):
    dataset = write(tmp_path / "out", LISTS, docs(20), [], iter([]), docs(20, 90))
    assert counts(dataset) == [1, 0, 0, 1, 1]


def test_no_call_writes_no_part(tmp_path):
    dataset = write(tmp_path / "out", LISTS)
    assert (dataset.parts, dataset.items, dataset.skipped) == ((), 0, False)
    assert Reader(LISTS, [dataset]).value() == []


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(OVERHEAD, 130), max_size=30), st.integers(1, 5))
def test_any_number_of_slices_gives_the_same_parts(tmp_path_factory, sizes, of):
    folder = tmp_path_factory.mktemp("parts")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(partfiles, "MOST_BYTES", 100)
        items = docs(*sizes)
        whole = write(folder / "whole", LISTS, items)
        for number in range(of):
            start, stop = len(items) * number // of, len(items) * (number + 1) // of
            with writing(folder / "cut", LISTS, Slice(number + 1, of, "items", "d")) as writer:
                writer.add(iter(items[start:stop]))
        assert Reader(LISTS, [open_dataset(folder / "cut")]).value() == items
        assert gather(folder / "cut").digest == whole.digest
        assert content(folder / "cut") == content(folder / "whole")
        reader = Reader(LISTS, [whole])
        start = len(items) // 3
        assert reader.value(start, start + 4) == items[start : start + 4] == list(reader.stream(start, start + 4))


@pytest.mark.parametrize("total", [0, 1, 499, 500, 501, 32_001])
def test_portions_are_read_without_the_parts_around_them(tmp_path, monkeypatch, total):
    monkeypatch.setattr(partfiles, "MOST_BYTES", 1000)
    items = [Doc(text=str(number)) for number in range(total)]
    dataset = write(tmp_path / "out", LISTS, items)
    found = []
    for start in range(0, total, 500):
        reader = Reader(LISTS, [dataset])
        found += reader.value(start, start + 500)
        assert reader.size(start, start + 500) <= 500 * (len('{"text":""},\n') + 5) + 2 * 1100
    assert found == items


def test_a_slice_reads_no_other_parts(tmp_path, limit):
    dataset = write(tmp_path / "out", LISTS, docs(60, 60, 60, 60))
    dataset.parts[0].path.write_bytes(b"x" * dataset.parts[0].size)
    dataset.parts[3].path.write_bytes(b"x" * dataset.parts[3].size)
    reader = Reader(LISTS, [open_dataset(tmp_path / "out")])
    assert reader.value(1, 3) == docs(60, 60)
    assert reader.size(1, 3) == dataset.parts[1].size * 2


def test_portions_verify_a_part_once_and_read_on_where_they_ended(tmp_path, monkeypatch):
    items = [Doc(text="x" * 1000) for _ in range(2000)]
    dataset = write(tmp_path / "out", LISTS, items)
    verified = []
    monkeypatch.setattr(Part, "verify", lambda part, _file: verified.append(part.name))
    read = []
    bodies = framing._bodies

    def counted(file, size, offset, batch):
        for body in bodies(file, size, offset, batch):
            read.append(len(body))
            yield body

    monkeypatch.setattr(framing, "_bodies", counted)
    reader = Reader(LISTS, [dataset])
    for start in range(0, 2000, 100):
        assert reader.value(start, start + 100) == items[start : start + 100]
    assert verified == ["part-00000.json"]
    assert sum(read) < 3 * dataset.size
    assert reader.value(50, 60) == items[50:60]


# --- sets -----------------------------------------------------------------------------------------------------------


def test_a_set_is_sorted_and_unique_over_all_calls_and_then_cut(tmp_path, limit):
    first, second = {Doc(text="c" * 40), Doc(text="a" * 40)}, {Doc(text="b" * 40), Doc(text="a" * 40)}
    dataset = write(tmp_path / "calls", SETS, first, second)
    assert counts(dataset) == [1, 1, 1]
    write(tmp_path / "whole", SETS, first | second)
    assert content(tmp_path / "calls") == content(tmp_path / "whole")
    reader = Reader(SETS, [dataset])
    assert reader.value() == first | second
    assert [reader.value(number, number + 1) for number in range(3)] == [{Doc(text=text * 40)} for text in "abc"]


@pytest.mark.parametrize("by", ["items", "parts", "portions"])
@pytest.mark.parametrize("of", [1, 2, 5])
def test_slices_of_a_set_become_the_set(tmp_path, limit, by, of):
    items = [Doc(text=str(number % 7) * 30) for number in range(10)]
    write(tmp_path / "whole", SETS, *([set(items)] if by == "items" else [{item} for item in items]))
    for number in range(of):
        mine = items[10 * number // of : 10 * (number + 1) // of]
        calls = [set(mine)] if by == "items" else [{item} for item in mine]
        with writing(tmp_path / "cut", SETS, Slice(number + 1, of, by, "d")) as writer:
            for call in calls:
                writer.add(call)
    gather(tmp_path / "cut")
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


def test_a_set_of_two_steps_is_cut_as_one_set(tmp_path):
    one = write(tmp_path / "one", SETS, {Doc(text=text) for text in "ace"})
    two = write(tmp_path / "two", SETS, {Doc(text=text) for text in "abd"})
    reader = Reader(SETS, [one, two])
    assert reader.count() == 5
    assert [reader.value(number, number + 1) for number in range(5)] == [{Doc(text=text)} for text in "abcde"]


class Keyed(PydanticModel):
    key: str
    value: str

    def __eq__(self, other):
        return isinstance(other, Keyed) and self.key == other.key

    def __hash__(self):
        return hash(self.key)


def test_items_of_two_calls_that_are_one_item_when_read_are_refused(tmp_path):
    with pytest.raises(ContractFailedException, match="2 items that are stored differently are 1 items when read"):
        write(tmp_path / "out", shape_of(set[Keyed]), {Keyed(key="a", value="1")}, {Keyed(key="a", value="2")})


# --- format 1 -------------------------------------------------------------------------------------------------------


def test_a_manifest_of_format_1_is_read(tmp_path):
    write(tmp_path / "out", LISTS, docs(20, 30), docs(40))
    path = tmp_path / "out" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 1}))
    assert Reader(LISTS, [open_dataset(tmp_path / "out")]).value() == docs(20, 30, 40)


def test_a_mapped_set_of_format_1_has_a_part_for_each_call(tmp_path):
    """Its parts overlap and are not sorted as a whole, so it is not cut by them."""
    folder = tmp_path / "out"
    write(folder, SETS, {Doc(text=text) for text in "ad"})
    other = write(tmp_path / "other", SETS, {Doc(text=text) for text in "abc"})
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    theirs = json.loads((tmp_path / "other" / "manifest.json").read_text())["parts"][0]
    (folder / "part-00001.json").write_bytes(other.parts[0].path.read_bytes())
    parts = [*manifest["parts"], theirs | {"file": "part-00001.json"}]
    path.write_text(json.dumps(manifest | {"format": 1, "items": 5, "parts": parts}))
    reader = Reader(SETS, [open_dataset(folder)])
    assert reader.count() == 4
    assert [reader.value(number, number + 1) for number in range(4)] == [{Doc(text=text)} for text in "abcd"]
