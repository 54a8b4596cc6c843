"""All readers of records: hostile bytes and values are one error each."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hpoctl
from hpoctl.core.errors import UsageError
from hpoctl.core.records import entries_of, keys_of
from hpoctl.core.script_benchmark import ScriptBenchmark
from hpoctl.core.sealed import DamagedError, RecordType, read_json, seal
from hpoctl.core.toml_files import Document
from hpoctl.ops.studies.config import Config
from record_types import JSON, SEALED, TOML

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def tables(kind: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Tables with keys of a record, most of them with values that do not fit."""
    return st.dictionaries(st.sampled_from(keys_of(kind)) | st.text(max_size=5), VALUES, min_size=1, max_size=8)


def test_every_kind_of_sealed_file_is_listed() -> None:
    source = "\n".join(file.read_text("utf-8") for file in Path(hpoctl.__file__).parent.rglob("*.py"))
    assert len(re.findall(r"= RecordType\(", source)) == len(SEALED)
    assert len({entry.name for entry in SEALED}) == len(SEALED)


@pytest.mark.parametrize("record", SEALED, ids=lambda record: record.name)
def test_sealed_files_are_read_or_damaged(record: RecordType[Any]) -> None:
    @settings(deadline=None, max_examples=40)
    @given(tables(record.kind))
    def check(table: dict[str, Any]) -> None:
        table.pop("checksum", None)
        try:
            found = record.unseal(seal({"format": record.format, **table}))
        except DamagedError as error:
            assert str(error)  # noqa: PT017 - most tables are damaged
        else:
            assert record.unseal(record.seal(found)) == found

    check()
    for data in (b"", b"{}", b"[" * 100_000, seal({"format": record.format, "a": 1})[:-9]):
        with pytest.raises(DamagedError):
            record.unseal(data)


@pytest.mark.parametrize("kind", TOML, ids=lambda kind: kind.__name__)
def test_toml_is_read_or_refused_with_the_name_of_the_file(kind: Any, tmp_path: Path) -> None:
    elsewhere = {"folder": tmp_path, "source": "here", "experiment": {}} if kind in {ScriptBenchmark, Config} else {}
    names = {entry.name for entry, _ in entries_of(kind)}
    known = {name: value for name, value in elsewhere.items() if name in names}

    @settings(deadline=None, max_examples=40)
    @given(tables(kind))
    def check(table: dict[str, Any]) -> None:
        try:
            Document(table, "file.toml").read(kind, known)
        except UsageError as error:
            assert error.what.startswith("file.toml")  # noqa: PT017 - most tables are refused
            assert "\n" not in str(error)  # noqa: PT017

    check()


@pytest.mark.parametrize("kind", JSON, ids=lambda kind: kind.__name__)
def test_json_is_read_or_damaged(kind: Any) -> None:
    @settings(deadline=None, max_examples=40)
    @given(st.binary(max_size=40))
    def check(data: bytes) -> None:
        try:
            read_json(data, kind)
        except DamagedError as error:
            assert str(error)  # noqa: PT017 - most bytes are damaged

    check()
