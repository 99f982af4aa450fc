import enum
import itertools
import subprocess
import sys
import warnings
from datetime import UTC, date, time
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.dtypes import immutable
from pandera.engines import pandas_engine
from pandera.typing import DataFrame, Index, Series
from pyarrow import ArrowException, BufferOutputStream, BufferReader, float32, list_, parquet
from pyarrow import Table as ArrowTable

from wurzel.core import NoSettings, PanderaDataFrameModel, TypedStep
from wurzel.datacontract.codec import Piece
from wurzel.datacontract.columns import Doubt, doubtful, kinds_of
from wurzel.datacontract.dataset import Reader, Slice, gather, open_dataset, writing
from wurzel.datacontract.parquet import difference_between, from_parquet, joined, to_parquet
from wurzel.datacontract.parts import codec_for
from wurzel.datacontract.shape import shape_of
from wurzel.exceptions import ContractFailedException, DatasetError, StaticTypeError
from wurzel.utils import WZ


class Table(PanderaDataFrameModel):
    text: Series[str]
    number: Series[int] = pa.Field(ge=0)


class Vectors(PanderaDataFrameModel):
    text: Series[str]
    vector: Series[list[float]]


class Wide(PanderaDataFrameModel):
    when: Series[pd.DatetimeTZDtype] = pa.Field(dtype_kwargs={"unit": "ns", "tz": "UTC"})
    maybe: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    kind: Series[pd.CategoricalDtype]
    real: Series[float] = pa.Field(nullable=True)
    flag: Series[bool]


class Keyed(PanderaDataFrameModel):
    key: Index[str] = pa.Field(check_name=True)
    number: Series[int]


def write(folder, annotation, *values, cut=None):
    with writing(folder, shape_of(annotation), cut) as writer:
        for value in values:
            writer.add(value)


def load(folder, annotation):
    """What each part, or table, of a dataset contains."""
    shape = shape_of(annotation)
    dataset = open_dataset(folder)
    dataset.check(shape)
    codec = codec_for(shape)
    pieces = [Piece(unit, 0, unit.items, not dataset.containers) for unit in codec.units(dataset)]
    return [codec.read([piece]) if shape.many else next(codec.batches(piece))[0] for piece in pieces]


def table(*texts):
    return pd.DataFrame({"text": list(texts), "number": list(range(len(texts)))})


def wide():
    return pd.DataFrame(
        {
            "when": pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True).astype("datetime64[ns, UTC]"),
            "maybe": pd.array([1, None], dtype="Int64"),
            "kind": pd.Categorical(["b", "a"]),
            "real": [0.5, float("nan")],
            "flag": [True, False],
        }
    )


@pytest.mark.parametrize(
    ("annotation", "frame"),
    [
        (DataFrame[Table], table("a", "ä\n")),
        (DataFrame[Table], table("a")[:0]),
        (DataFrame[Wide], wide()),
        (DataFrame[Keyed], pd.DataFrame({"number": [1, 2]}, index=pd.Index(["x", "y"], name="key"))),
    ],
)
def test_tables_come_back(tmp_path, annotation, frame):
    write(tmp_path / "out", annotation, frame)
    (back,) = load(tmp_path / "out", annotation)
    pd.testing.assert_frame_equal(back, frame)
    assert open_dataset(tmp_path / "out").items == len(frame)


def test_lists_in_a_column_come_back_as_lists(tmp_path):
    frame = pd.DataFrame({"text": ["a", "b"], "vector": [[0.5, 1.0], []]})
    write(tmp_path / "out", DataFrame[Vectors], frame)
    (back,) = load(tmp_path / "out", DataFrame[Vectors])
    assert back["vector"].tolist() == [[0.5, 1.0], []]
    assert type(back["vector"][0]) is list


def test_equal_tables_have_equal_bytes_in_every_process():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import test_tables as t, hashlib;"
        "codec = t.codec_for(t.shape_of(t.DataFrame[t.Wide]));"
        "print(hashlib.sha256(codec.encode(t.wide()).data).hexdigest())"
    )
    folder = str(pytest.importorskip("pathlib").Path(__file__).parent)
    runs = [subprocess.run([sys.executable, "-c", code, folder], capture_output=True, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout


def test_rows_are_numbered_anew_without_a_declared_index(tmp_path):
    frame = table("a", "b", "c")
    write(tmp_path / "out", DataFrame[Table], frame[frame["number"] > 0])
    (back,) = load(tmp_path / "out", DataFrame[Table])
    assert list(back.index) == [0, 1]


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (pd.Index([7, 9], name="key"), "its index key would be lost"),
        (pd.Index(["x", "y"]), r"its index, \['x', 'y'\], would be lost"),
        (pd.date_range("2024", periods=2), "its index, .* would be lost"),
        (pd.MultiIndex.from_tuples([(1, 2), (3, 4)]), r"its index, \[\(1, 2\), \(3, 4\)\], would be lost"),
    ],
)
def test_an_index_that_holds_data_is_not_lost(tmp_path, index, message):
    with pytest.raises(ContractFailedException, match=message) as caught:
        write(tmp_path / "out", DataFrame[Table], table("a", "b").set_axis(index))
    assert "reset_index()" in caught.value.hint


def test_rows_without_columns_are_not_lost(tmp_path):
    class Anything(PanderaDataFrameModel):
        pass

    with pytest.raises(ContractFailedException, match="it has 2 rows, but no columns"):
        write(tmp_path / "out", DataFrame[Anything], pd.DataFrame(index=[0, 1]))


def test_a_bare_model_is_a_dataframe_of_it(tmp_path):
    assert shape_of(Table) == shape_of(DataFrame[Table])
    write(tmp_path / "out", Table, table("a"))
    assert len(load(tmp_path / "out", DataFrame[Table])) == 1


class Polars:
    """Looks like a table of polars to whoever asks what it is."""

    def to_pandas(self):
        return pd.DataFrame()


Polars.__name__, Polars.__module__ = "DataFrame", "polars.dataframe.frame"


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (None, "it is None, not a DataFrame of pandas"),
        ([1], "it is a list, not a DataFrame of pandas"),
        (Polars(), "it is a DataFrame of polars, not a DataFrame of pandas\n  Return table.to_pandas()."),
        (
            pd.DataFrame({"text": ["a", "b"], "number": [1, -2]}),
            "item 1, field 'number': greater_than_or_equal_to(0), not -2",
        ),
        (pd.DataFrame({"number": [1]}), "field 'text': the column is missing"),
        (pd.DataFrame({"text": ["a"], "number": ["x"]}), "field 'number': dtype('int64')"),
    ],
)
def test_what_breaks_its_contract_is_named(tmp_path, frame, message):
    with pytest.raises(ContractFailedException) as caught:
        write(tmp_path / "out", DataFrame[Table], frame)
    assert message in str(caught.value)


def test_what_parquet_cannot_hold_is_said(tmp_path):
    class Loose(PanderaDataFrameModel):
        thing: Series[object]

    with pytest.raises(ContractFailedException, match="field 'thing' cannot be stored as Parquet"):
        write(tmp_path / "out", DataFrame[Loose], pd.DataFrame({"thing": [1, "a", object()]}))


def test_parts_are_put_together_and_cut(tmp_path):
    codec = codec_for(shape_of(DataFrame[Table]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = joined([table("a"), table()[:0].astype({"text": "str", "number": "int64"}), table("b", "c")], False)
    assert whole["text"].tolist() == ["a", "b", "c"]
    assert list(whole.index) == [0, 1, 2]
    assert codec.cut(whole, 1, 3)["text"].tolist() == ["b", "c"]
    assert list(codec.cut(whole, 1, 3).index) == [0, 1]
    assert len(joined([table("a")[:0]], False)) == 0


@pytest.mark.parametrize("annotation", [DataFrame[Wide], DataFrame[Keyed]])
def test_gathered_slices_have_the_bytes_of_the_whole(tmp_path, annotation):
    if annotation == DataFrame[Wide]:
        frame = wide()
        frame["kind"] = pd.Categorical(pd.Series(["b", "a"], dtype=object))  # of objects, but they come back as texts
    else:
        frame = pd.DataFrame({"number": [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    write(tmp_path / "whole", annotation, frame)
    codec = codec_for(shape_of(annotation))
    for number in (1, 2, 3):
        write(tmp_path / "cut", annotation, codec.cut(frame, number - 1, number), cut=Slice(number, 3, "items", "d"))
    gather(tmp_path / "cut")
    for file in ("manifest.json", "part-00000.parquet"):
        assert (tmp_path / "cut" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_a_damaged_part_is_an_error_before_it_is_parsed(tmp_path):
    write(tmp_path / "out", DataFrame[Table], table("a"))
    part = tmp_path / "out" / "part-00000.parquet"
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    with pytest.raises(DatasetError, match="is damaged"):
        load(tmp_path / "out", DataFrame[Table])


def test_steps_with_tables():
    class Make(TypedStep[NoSettings, None, DataFrame[Table]]):
        def run(self, inpt: None) -> DataFrame[Table]:
            return table("a")

    class Take(TypedStep[NoSettings, DataFrame[Table], Table]):
        def run(self, inpt: DataFrame[Table]) -> Table:
            return inpt

    end = WZ(Make) >> WZ(Take) >> WZ(Take, name="again")
    assert end.input_model_class is Table
    assert Table.get_metrics(table("a", "b")) == {"rows": 2.0, "columns": 2.0}

    class Plain(pa.DataFrameModel):
        text: Series[str]

    for annotation in (DataFrame[Plain], list[DataFrame[Table]], list[Table], Plain):
        with pytest.raises(StaticTypeError):
            shape_of(annotation)


def test_without_the_extra_the_message_says_what_to_install():
    code = (
        "import sys; sys.modules['pandera'] = None; sys.modules['pandas'] = None\n"
        "from wurzel.core import PanderaDataFrameModel"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert 'pip install "wurzel[dataframe]"' in run.stderr


# --- what does not come back ------------------------------------------------------------------------------------------


class Color(enum.Enum):
    RED = "red"


class Loose(PanderaDataFrameModel):
    meta: Series[object] = pa.Field(nullable=True)


def back(frame, contract=Loose):
    codec = codec_for(shape_of(contract))
    data = codec.encode(frame).data
    read = codec.decode(data)
    assert codec.encode(read).data == data
    return read


@pytest.mark.parametrize(
    "values",
    [
        [{"a": 1, "b": [{"c": None}]}, {"b": [], "a": 2}],
        [["a"], [], None],
        ["text", None],
        [b"\xff", b""],
        [date(2024, 1, 2), None],
        [Decimal("1.10"), Decimal("2.20")],
        [],
    ],
)
def test_objects_in_columns_come_back(values):
    frame = pd.DataFrame({"meta": pd.Series(values, dtype=object)})
    assert back(frame)["meta"].tolist() == values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([{"a": 1}, {"b": 2}], "item 0, field 'meta.b' is not set, but would be read back as None"),
        ([{"a": {"x": 1}}, {"a": {"y": 1}}], "item 0, field 'meta.a.y' is not set"),
        ([(1, 2)], "item 0, field 'meta' is a tuple, (1, 2), but would be read back as a list, [1, 2]"),
        ([[1], {3}], "item 1, field 'meta' is a set"),
        ([np.array([1.0])], "item 0, field 'meta' is a ndarray"),
        ([1, 2.5], "field 'meta'"),
        ([{}], "field 'meta' cannot be stored as Parquet"),
        ([object()], "field 'meta' cannot be stored as Parquet"),
        ([Color.RED], "field 'meta' cannot be stored as Parquet"),
        ([time(1, tzinfo=UTC)], "item 0, field 'meta' is datetime.time(1, 0, tzinfo=datetime.timezone.utc), but"),
        ([Decimal("1.5"), Decimal("-0.0")], "item 1, field 'meta' is Decimal('-0.0'), but would be read back as"),
        ([[Decimal("-0.0")]], "item 0, field 'meta[0]' is Decimal('-0.0'), but would be read back as"),
        ([time(1, fold=1)], "item 0, field 'meta' is datetime.time(1, 0, fold=1), but would be read back as"),
        ([["a", float("nan")]], "item 0, field 'meta[1]' is a float, nan, but would be read back as None"),
        ([float("nan"), "a"], "item 0, field 'meta' is a float, nan, but would be read back as None"),
    ],
)
def test_objects_in_columns_that_would_change_are_refused(values, message):
    frame = pd.DataFrame({"meta": pd.Series(values, dtype=object)})
    with pytest.raises(ContractFailedException) as caught:
        back(frame)
    assert message in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            pd.DataFrame([["m", 2, 3]], columns=["meta", "x", "x"]).astype({"meta": object}),
            "field 'x': there are several columns of this name",
        ),
        (
            pd.DataFrame({"meta": pd.Series(["a"], dtype=object), 3: [1], "3": [2]}),
            "field '3': there are several columns of this name",
        ),
        (
            pd.DataFrame({"meta": pd.Series([[1]], dtype=object), 3: pd.Series([[2]], dtype=object)}),
            "the names of its columns, ['meta', 3], would be read back as ['meta', '3']",
        ),
        (
            pd.DataFrame(
                {"meta": pd.Series(["a"], dtype=object), "c": pd.array([[1, 2]], pd.ArrowDtype(list_(float32(), 2)))}
            ),
            "field 'c' cannot be stored as Parquet: Passing pyarrow type specific parameters",
        ),
        (pd.DataFrame({"meta": pd.Series(["a"], dtype=object), "p": pd.arrays.SparseArray([1])}), "Sparse"),
        (
            pd.DataFrame({"meta": pd.Series(["a"], dtype=object), "c": [1 + 2j]}),
            "field 'c' cannot be stored as Parquet",
        ),
        (
            pd.DataFrame({"meta": pd.Series([2**70], dtype=object)}),
            "field 'meta' cannot be stored as Parquet: Python int",
        ),
        (
            pd.DataFrame({"a": [1], "meta": pd.Series([Decimal(10) ** 80], dtype=object)}),
            "field 'meta' cannot be stored as Parquet: Decimal precision",
        ),
        (
            pd.DataFrame({"meta": pd.Series(["a"], dtype=object)}).rename_axis(columns="kind"),
            "its columns are called ['kind'], which would be lost",
        ),
    ],
)
def test_columns_that_would_change_are_refused(frame, message):
    with pytest.raises(ContractFailedException) as caught:
        back(frame)
    assert message in str(caught.value)


SOME = (
    *(1, 2.0, "a", None, True, b"x", float("nan"), 2**63, type("Text", (str,), {})("s"), date(2020, 1, 1), Decimal(1)),
    *((1,), {1}, [], {}, [1], [1.0], ["a"], [None], [1, 2.0], [True, 1], [float("nan")], [[1], [2]], [[1], ["a"]]),
    *({"a": 1}, {"a": 2.0}, {"a": None}, {"b": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": {"x": 1}}, {"a": [1]}),
    *([{"a": 1}], [{"b": 1}], [{"a": 1}, {"b": 2}], {1: 2}, {"a.b": 1}, np.float64(1.5), pd.NaT),
)


def test_a_column_counts_as_known_only_if_reading_it_back_gives_the_same():
    known = 0
    for pair in itertools.product(SOME, SOME):
        frame = pd.DataFrame({"number": [0, 1, 2], "meta": pd.Series([*pair, None], dtype=object)})
        try:
            stored = ArrowTable.from_pandas(frame, preserve_index=False)
            sink = BufferOutputStream()
            parquet.write_table(stored, sink)
        except (ArrowException, OverflowError):
            continue
        read = from_parquet(sink.getvalue().to_pybytes())
        if doubtful(frame, stored, read.iloc[:0], kinds_of(frame)) == Doubt([], False):
            known += 1
            assert difference_between(frame, read) == "", pair
            typed = next(to_parquet(frame, False)).data
            assert from_parquet(typed).equals(read), pair
            assert parquet.read_schema(BufferReader(typed)).equals(stored.schema), pair
    assert known > 60


@pytest.mark.parametrize(
    "values",
    [
        *(np.array([0, 1], dtype=kind) for kind in ("int8", "uint64", "float32", "bool", "M8[ns]", "M8[ms]")),
        *(pd.array([1, None], dtype=kind) for kind in ("Int64", "UInt8", "Float64")),
        pd.array([True, None], dtype="boolean"),
        pd.array(["a", None], dtype="string"),
        pd.to_datetime(["2024-01-01", None], utc=True),
        pd.Series(["a", None], dtype=object),
        pd.Series([["a"], [None, "b"]], dtype=object),
        pd.Series([{"a": [1.5], "b": "x"}, None], dtype=object),
        pd.Series([date(2024, 1, 2), None], dtype=object),
        pd.Series([time(1, 2), None], dtype=object),
        pd.Series([Decimal("1.5"), None], dtype=object),
    ],
)
def test_columns_whose_type_decides_are_not_read_back(values, monkeypatch):
    frame = pd.DataFrame({"meta": pd.Series([], dtype=object), "more": pd.Series([], dtype=pd.Series(values).dtype)})
    next(to_parquet(frame.assign(meta="text").astype({"meta": object}), False))
    read = []
    monkeypatch.setattr("wurzel.datacontract.parquet.difference_between", lambda *_: read.append(1))
    next(to_parquet(pd.DataFrame({"meta": pd.Series(["a", "b"], dtype=object), "more": values}), False))
    assert not read


@pytest.mark.parametrize("names", [["a.b", "a"], ["a", "b c"], ["", "ä"]])
def test_columns_of_any_name_come_back(names):
    for values in (["text", "more"], [b"x", b"y"], [Decimal("1.0"), None]):
        frame = pd.DataFrame({0: pd.Series(values, dtype=object), 1: [1, 2]})
        frame.columns = names
        (part,) = to_parquet(frame, False)
        pd.testing.assert_frame_equal(from_parquet(part.data), frame)


def test_categories_come_back_with_their_order_and_their_values():
    frame = pd.DataFrame({"meta": pd.Series(["a", "b"], dtype=object), "kind": pd.Categorical(["b", None], ["b", "a"])})
    assert list(back(frame)["kind"].cat.categories) == ["b", "a"]
    assert back(frame)["kind"].tolist()[0] == "b"


@pytest.mark.parametrize(
    "kind",
    [
        pd.Categorical([1, 3, 1], [1, 3], ordered=True),
        pd.Categorical([True, False, None]),
        pd.Categorical([0.5, None, 1.5]),
        pd.Categorical([date(2024, 1, 2), date(2024, 1, 1), None]),
        pd.Categorical(pd.to_datetime(["2024-01-02", "2024-01-01", None], utc=True)),
    ],
    ids=lambda kind: str(kind.categories.dtype),
)
def test_categories_of_other_values_than_text_come_back(kind):
    frame = pd.DataFrame({"meta": pd.Series(["a", "b", "c"], dtype=object), "kind": kind})
    pd.testing.assert_frame_equal(back(frame), frame)


def test_categories_that_no_value_has_are_refused_unless_they_are_texts():
    frame = pd.DataFrame({"meta": pd.Series(["a"], dtype=object), "kind": pd.Categorical([3], [3, 1])})
    with pytest.raises(
        ContractFailedException, match=r"categories=\[3, 1\].* but would be read back as .*categories=\[3\]"
    ):
        back(frame)


class AnyKey(PanderaDataFrameModel):
    key: Index[Any] = pa.Field(nullable=True)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([None, "a"], r"its index, \[None, 'a'\], would be read back as \[nan, 'a'\]" if pd.__version__ >= "3" else ""),
        (pd.array([1, None], dtype="Int64"), "its index, .* would be read back as"),
        ([date(2024, 1, 1), date(2024, 1, 2)], ""),
        ([b"a", b"b"], ""),
        (pd.interval_range(0, 2), "it could not be read back from Parquet: KeyError"),
    ],
)
def test_an_index_comes_back_with_the_classes_of_its_values_or_is_refused(index, message):
    dtype = object if isinstance(index, list) else None
    frame = pd.DataFrame({"number": [1, 2]}, index=pd.Index(index, name="key", dtype=dtype))
    if message:
        with pytest.raises(ContractFailedException, match=message):
            back(frame, AnyKey)
    else:
        pd.testing.assert_frame_equal(back(frame, AnyKey), frame)


def test_slices_that_would_change_each_other_are_refused_when_they_are_gathered(tmp_path):
    for number, value in enumerate([{"a": 1}, {"b": 2}], 1):
        frame = pd.DataFrame({"meta": pd.Series([value], dtype=object)})
        write(tmp_path / "out", DataFrame[Loose], frame, cut=Slice(number, 2, "items", "d"))
    with pytest.raises(ContractFailedException, match=r"field 'meta\.b' is not set"):
        gather(tmp_path / "out")
    assert len(load(tmp_path / "out", DataFrame[Loose])) == 2


def test_parsers_that_change_what_they_have_changed_before_are_refused():
    class Growing(PanderaDataFrameModel):
        number: Series[int]

        @pa.dataframe_parser
        def _grow(cls, frame):  # noqa: N805
            return frame.assign(number=frame["number"] + 1)

    class Tidy(PanderaDataFrameModel):
        number: Series[int] = pa.Field(coerce=True)

    with pytest.raises(ContractFailedException, match="field 'number' would be read back with other values"):
        back(pd.DataFrame({"number": [1]}), Growing)
    assert back(pd.DataFrame({"number": ["1"]}), Tidy)["number"].tolist() == [1]


@pytest.mark.parametrize("coerce", [False, True])
def test_a_table_is_validated_once_when_it_is_written(coerce):
    asked = []

    class Counted(PanderaDataFrameModel):
        number: Series[int]
        kind: Series[pd.CategoricalDtype]
        when: Series[pd.DatetimeTZDtype] = pa.Field(dtype_kwargs={"unit": "ns", "tz": "UTC"})
        text: Series[str]

        class Config:
            pass

        @pa.dataframe_check
        def ask(cls, frame):  # noqa: N805
            asked.append(len(frame))
            return True

    Counted.Config.coerce = coerce
    frame = pd.DataFrame({"number": [1], "kind": pd.Categorical(["a"]), "text": ["x"]})
    frame.insert(2, "when", pd.to_datetime(["2024-01-01"], utc=True).astype("datetime64[ns, UTC]"))
    codec_for(shape_of(Counted)).encode(frame)
    assert asked == [1]


def test_types_that_may_coerce_twice_are_asked_twice():
    @pandas_engine.Engine.register_dtype
    @immutable
    class Doubled(pandas_engine.DataType):
        type = pd.Int64Dtype()

        def coerce(self, data_container):
            return data_container.astype("Int64") * 2

    class Growing(PanderaDataFrameModel):
        number: Series[Doubled] = pa.Field(coerce=True)

    with pytest.raises(ContractFailedException, match="field 'number' would be read back with other values"):
        back(pd.DataFrame({"number": [1]}), Growing)


def test_checks_may_raise_anything():
    class Picky(PanderaDataFrameModel):
        number: Series[int]

        @pa.dataframe_parser
        def _fail(cls, frame):  # noqa: N805
            raise KeyError("told you so")

    with pytest.raises(ContractFailedException, match="KeyError"):
        back(pd.DataFrame({"number": [1]}), Picky)


# --- parts of a table -----------------------------------------------------------------------------------------------


class Mixed(PanderaDataFrameModel):
    """Columns whose types depend on their values, unless all rows are looked at."""

    kind: Series[pd.CategoricalDtype] = pa.Field(nullable=True)
    thing: Series[object] = pa.Field(nullable=True)


def mixed(rows=12):
    """Texts in the last rows only, categories that come late, columns without any value."""
    return pd.DataFrame(
        {
            "kind": pd.Categorical([None] * 3 + [f"k{number % 4}" for number in range(3, rows)]),
            "thing": pd.Series([None] * 8 + [f"t{number}" for number in range(8, rows)], dtype=object),
            "nothing": pd.Series([None] * rows, dtype=object),
            "real": pd.Series([float("nan")] * 9 + [0.5] * (rows - 9)),
            "text": [None] * 7 + [f"x{number}" for number in range(7, rows)],
            "lists": pd.Series([None] * 6 + [[number] for number in range(6, rows)], dtype=object),
        }
    )


def recoded(frame):
    """What a step that sees these rows alone makes of them: its own types and categories."""
    values = {name: frame[name].tolist() for name in frame}
    made = pd.DataFrame({name: pd.Series(column) for name, column in values.items() if name in {"text", "real"}})
    made.insert(0, "kind", pd.Series(values["kind"], dtype=object).astype("category"))
    made.insert(1, "thing", pd.Series(values["thing"], dtype=object))
    for name in ("nothing", "lists"):
        made[name] = pd.Series(values[name], dtype=object)
    return made


@pytest.mark.parametrize("most", [1 << 20, 5])
@pytest.mark.parametrize("of", [1, 2, 5])
@pytest.mark.parametrize("make", [lambda frame: frame, recoded], ids=["as it is", "types of its rows"])
def test_any_number_of_slices_gives_the_same_parts(tmp_path, monkeypatch, make, of, most):
    monkeypatch.setattr("wurzel.datacontract.parquet.MOST_ROWS", most)
    shape = shape_of(DataFrame[Mixed])
    frame = mixed()
    write(tmp_path / "whole", DataFrame[Mixed], make(frame))
    codec = codec_for(shape)
    for number in range(of):
        rows = codec.cut(frame, len(frame) * number // of, len(frame) * (number + 1) // of)
        write(tmp_path / "cut", DataFrame[Mixed], make(rows), cut=Slice(number + 1, of, "items", "d"))
    joined_rows = Reader(shape, [open_dataset(tmp_path / "cut")]).value()
    whole = open_dataset(tmp_path / "whole")
    pd.testing.assert_frame_equal(joined_rows, Reader(shape, [whole]).value())
    assert [part.items for part in whole.parts] == ([12] if most > 5 else [5, 5, 2])
    assert gather(tmp_path / "cut").digest == whole.digest


def test_all_parts_of_a_table_have_the_types_of_the_whole(tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    monkeypatch.setattr("wurzel.datacontract.parquet.MOST_ROWS", 4)
    write(tmp_path / "out", DataFrame[Mixed], mixed())
    schemas = [pq.read_schema(part.path) for part in open_dataset(tmp_path / "out").parts]
    assert len(schemas) == 3
    assert schemas[0].equals(schemas[1], check_metadata=True)
    assert schemas[0].equals(schemas[2], check_metadata=True)


@pytest.mark.parametrize("of", [1, 2, 5])
def test_objects_that_do_not_come_back_are_refused_however_they_are_cut(tmp_path, of):
    frame = pd.DataFrame({"kind": pd.Categorical(["a"] * 10), "thing": pd.Series([1] * 5 + ["a"] * 5, dtype=object)})

    def run():
        for number in range(of):
            rows = frame.iloc[10 * number // of : 10 * (number + 1) // of].reset_index(drop=True)
            write(tmp_path / "cut", DataFrame[Mixed], rows, cut=Slice(number + 1, of, "items", "d"))
        gather(tmp_path / "cut")

    with pytest.raises(ContractFailedException):
        run()


def test_ordered_categories_that_differ_are_refused(tmp_path):
    for number, order in enumerate([["a", "b"], ["b", "a"]], 1):
        kind = pd.Categorical(["a", "b"], categories=order, ordered=True)
        frame = pd.DataFrame({"kind": kind, "thing": pd.Series(["x", "y"], dtype=object)})
        write(tmp_path / "cut", DataFrame[Mixed], frame, cut=Slice(number, 2, "items", "d"))
    with pytest.raises(ContractFailedException, match="its categories are ordered, but differ"):
        gather(tmp_path / "cut")


class Whole(PanderaDataFrameModel):
    """Checks that hold for a table, but not for some of its rows."""

    number: Series[int] = pa.Field(unique=True)

    @pa.dataframe_check
    def has_all(cls, frame):  # noqa: N805
        return len(frame) == 10


def test_checks_are_asked_of_the_whole_table(tmp_path, monkeypatch):
    monkeypatch.setattr("wurzel.datacontract.parquet.MOST_ROWS", 4)
    shape = shape_of(DataFrame[Whole])
    frame = pd.DataFrame({"number": range(10)})
    write(tmp_path / "out", DataFrame[Whole], frame)
    dataset = open_dataset(tmp_path / "out")
    assert [part.items for part in dataset.parts] == [4, 4, 2]
    pd.testing.assert_frame_equal(Reader(shape, [dataset]).value(), frame)
    for start in range(10):
        for stop in range(start + 1, 11):
            rows = Reader(shape, [dataset]).value(start, stop)
            assert (rows["number"].tolist(), list(rows.index)) == (list(range(start, stop)), list(range(stop - start)))
    with pytest.raises(ContractFailedException, match="has_all"):
        write(tmp_path / "out", DataFrame[Whole], frame[:9])


def test_a_slice_of_a_table_reads_no_other_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("wurzel.datacontract.parquet.MOST_ROWS", 4)
    write(tmp_path / "out", DataFrame[Whole], pd.DataFrame({"number": range(10)}))
    for part in (open_dataset(tmp_path / "out").parts[number] for number in (0, 2)):
        part.path.write_bytes(b"x" * part.size)
    rows = Reader(shape_of(DataFrame[Whole]), [open_dataset(tmp_path / "out")]).value(5, 7)
    assert rows["number"].tolist() == [5, 6]


@pytest.mark.parametrize("annotation", [DataFrame[Keyed], DataFrame[Wide]])
def test_parts_with_an_index_and_other_types(tmp_path, monkeypatch, annotation):
    monkeypatch.setattr("wurzel.datacontract.parquet.MOST_ROWS", 1)
    keyed = pd.DataFrame({"number": [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    frame = wide() if annotation == DataFrame[Wide] else keyed
    write(tmp_path / "out", annotation, frame)
    dataset = open_dataset(tmp_path / "out")
    assert [part.items for part in dataset.parts] == [1, 1]
    pd.testing.assert_frame_equal(Reader(shape_of(annotation), [dataset]).value(), frame)


class Sparse(PanderaDataFrameModel):
    text: Series[str] = pa.Field(str_length={"min_value": 3})
    number: Series[int]
    when: Series[pd.DatetimeTZDtype] = pa.Field(dtype_kwargs={"unit": "ns", "tz": "UTC"})
    kind: Series[pd.CategoricalDtype]
    vector: Series[list[float]]
    maybe: Series[float] | None
    more: Series[int] = pa.Field(regex=True, alias="more_.*")

    @pa.dataframe_check
    def is_never_empty(cls, frame):  # noqa: N805
        return len(frame) > 0


def test_the_table_of_no_data_has_the_columns_of_its_contract(tmp_path):
    shape = shape_of(DataFrame[Sparse])
    with writing(tmp_path / "out", shape) as writer:
        writer.skipped = True
    for datasets in ([], [open_dataset(tmp_path / "out")]):
        table = Reader(shape, datasets).value()
        assert len(table) == 0
        assert {name: str(table[name].dtype) for name in table} == {
            "text": "str" if pd.__version__ >= "3" else "object",
            "number": "int64",
            "when": "datetime64[ns, UTC]",
            "kind": "category",
            "vector": "object",
        }
        assert list(table.index) == []


def test_the_table_of_no_data_has_the_index_of_its_contract():
    table = Reader(shape_of(DataFrame[Keyed]), []).value()
    assert (table.index.name, list(table), len(table)) == ("key", ["number"], 0)


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"PAR1" + b"x" * 40])
def test_a_file_that_is_not_parquet_is_named(tmp_path, data):
    (tmp_path / "rows.parquet").write_bytes(data)
    with pytest.raises(ContractFailedException, match=r"rows\.parquet: a table in Parquet was expected: '.*Parquet"):
        Table.load_from_path(tmp_path / "rows.parquet")
