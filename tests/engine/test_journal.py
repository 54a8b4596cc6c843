"""The journal's file: every prefix of it is a journal, and damage is never taken for one."""

import errno
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.engine.journal import Journal, check_journal, encoded, read_records

TICK = {"kind": "tick", "t": 9.0}
RECORDS: list[dict[str, Any]] = [
    {"kind": "open", "t": 0.0, "format": 1, "base": "abc", "name": "a\nb \u00e9", "metrics": ["loss"]},
    {"kind": "start", "t": 0.25, "trial": 0, "from": 0, "until": None, "config": {"lr": 0.1, "name": "a\nb \u00e9"}},
    {
        "kind": "events",
        "t": 1.5,
        "events": [
            {"trial": 0, "resources": [1], "metrics": [[float("inf")]], "elapsed": [1.0], "times": [1.5]},
            {"trial": 0, "outcome": "Failed", "time": 1.5, "reason": "exit code 1"},
        ],
        "bills": [[0, 0, 0, 1.5, None]],
    },
    {"kind": "close", "t": 2.0, "over": True, "deadline": 60.0, "training_seconds": None, "events": []},
]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def written(path: Path, records: list[dict[str, Any]] = RECORDS) -> bytes:
    journal = Journal(path)
    for record in records:
        journal.append(record, durable=True)
    journal.close()
    return path.read_bytes()


def test_records_come_back_and_are_continued(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal"
    written(path, RECORDS[:2])
    journal = Journal(path)
    assert (journal.count, list(journal.records())) == (2, RECORDS[:2])
    for record in RECORDS[2:]:
        journal.append(record, durable=False)
    journal.close()
    journal.close()
    assert list(read_records(path)) == RECORDS


def test_cut_at_every_byte_it_is_a_prefix_and_goes_on(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole")
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    path = tmp_path / "cut"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        complete = sum(end <= length for end in ends)
        journal = Journal(path)
        assert list(journal.records()) == RECORDS[:complete]
        following = RECORDS[complete] if complete < len(RECORDS) else TICK
        journal.append(following, durable=True)
        journal.close()
        assert list(read_records(path)) == [*RECORDS[:complete], following]


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole")
    path = tmp_path / "flipped"
    for place in range(len(whole)):
        for bit in range(8):
            spoilt = bytearray(whole)
            spoilt[place] ^= 1 << bit
            path.write_bytes(spoilt)
            with pytest.raises(IncompleteError, match="is damaged"):
                Journal(path)
            assert path.read_bytes() == bytes(spoilt), "damaged files are left unchanged"


def test_records_that_are_lost_doubled_or_swapped_are_noticed(tmp_path: Path) -> None:
    lines = written(tmp_path / "whole").splitlines(keepends=True)
    path = tmp_path / "changed"
    for changed in (lines[1:], [lines[0], *lines[2:]], [lines[0], *lines], [lines[1], lines[0], *lines[2:]]):
        path.write_bytes(b"".join(changed))
        with pytest.raises(IncompleteError):
            check_journal(path)


def forged(path: Path, texts: list[str]) -> Path:
    """A journal with the right checksums, whatever its records say."""
    path.write_bytes(b"".join(encoded(text.encode(), number) for number, text in enumerate(texts)))
    return path


def report(resources: str, metrics: str) -> str:
    lists = f'"resources": {resources}, "metrics": {metrics}, "elapsed": [1.0], "times": [1.0]'
    return f'{{"kind": "events", "t": 0.0, "events": [{{"trial": 0, {lists}}}]}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "[]",
        "{}",
        '{"kind": null}',
        '{"kind": "fork", "t": 0.0}',
        '{"kind": "open", "t": 0.0, "format": 1, "base": "abc", "name": "again"}',
        '{"kind": "tick"}',
        '{"kind": "tick", "t": "now"}',
        '{"kind": "tick", "t": NaN}',
        '{"kind": "tick", "t": -1}',
        f'{{"kind": "tick", "t": {"9" * 5000}}}',
        '{"kind": "tick", "t": ' + "[" * 3000 + "]" * 3000 + "}",
        '{"kind": "session", "t": 0.0}',
        '{"kind": "start", "t": 0.0, "trial": -1, "from": 0, "until": null}',
        '{"kind": "start", "t": 0.0, "trial": 0, "until": null}',
        '{"kind": "start", "t": 0.0, "trial": 0, "from": 0, "until": null, "config": {"lr": []}}',
        '{"kind": "stop", "t": 0.0, "trial": 0, "pause": 1}',
        '{"kind": "events", "t": 0.0, "events": [{"trial": 0}]}',
        '{"kind": "events", "t": 0.0, "events": [{"trial": 0, "outcome": "Lost", "time": 0.0}]}',
        '{"kind": "events", "t": 0.0, "events": [{"trial": 0, "outcome": "Failed"}]}',
        report("[1]", "[[1.0, 2.0]]"),
        report("[1, 2]", "[[1.0]]"),
        report("[9223372036854775808]", "[[1.0]]"),
        '{"kind": "events", "t": 0.0, "events": [], "bills": [[0]]}',
        '{"kind": "close", "t": 0.0, "events": []}',
    ],
)
def test_a_record_that_hpoctl_never_writes_is_damage_whatever_its_checksum(tmp_path: Path, text: str) -> None:
    path = forged(tmp_path / "journal", [json.dumps(RECORDS[0]), text])
    with pytest.raises(IncompleteError, match=r"Record 1 of .* is damaged"):
        list(read_records(path))


@given(st.data())
def test_records_with_other_values_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(RECORDS) - 1))
    record = dict(RECORDS[place])
    key = data.draw(st.sampled_from(sorted(record)))
    record[key] = data.draw(ANY_JSON)
    texts = [json.dumps(record if number == place else other) for number, other in enumerate(RECORDS)]
    path = forged(tmp_path_factory.mktemp("forged") / "journal", texts)
    with suppress(IncompleteError):
        assert len(list(read_records(path))) == len(RECORDS)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    pipe, device, giant = tmp_path / "pipe", tmp_path / "device", tmp_path / "giant"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(IncompleteError, match="not a file"):
            list(read_records(path))
        with pytest.raises(IncompleteError, match="not a file"):
            Journal(path)
    with giant.open("wb") as file:
        file.truncate(2**34)
    with pytest.raises(IncompleteError):
        list(read_records(giant))


def test_one_process_has_it_at_a_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    with pytest.raises(HpoctlError, match="is in use by another process"):
        Journal(tmp_path / "journal")
    journal.close()
    Journal(tmp_path / "journal").close()


def test_it_can_be_read_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    whole = written(path)
    path.write_bytes(whole[:-5])
    assert list(read_records(path)) == RECORDS[:-1]


class Faulty:
    """`os.write` that writes a part and fails, a number of times."""

    def __init__(self, failures: int, error: BaseException) -> None:
        self.failures = failures
        self.error = error
        self.write = os.write

    def __call__(self, descriptor: int, data: bytes) -> int:
        if self.failures and data[MARK_PLACE : MARK_PLACE + 1] == b"{":
            self.failures -= 1
            self.write(descriptor, data[: len(data) // 2])
            raise self.error
        return self.write(descriptor, data)


MARK_PLACE = 9


def test_a_full_disk_is_waited_for_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    journal = Journal(tmp_path / "journal", said.append)
    monkeypatch.setattr("hpoctl.engine.journal.PATIENCE", 0.0)
    monkeypatch.setattr("hpoctl.engine.journal.os.write", Faulty(3, OSError(errno.ENOSPC, "full")))
    for record in RECORDS:
        journal.append(record, durable=True)
    journal.close()
    assert list(read_records(tmp_path / "journal")) == RECORDS
    assert len(said) == 1
    assert "is full" in said[0]


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), KeyboardInterrupt()], ids=["EIO", "Ctrl-C"])
def test_a_record_that_could_not_be_written_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append(RECORDS[0], durable=True)
    with monkeypatch.context() as patch:
        patch.setattr("hpoctl.engine.journal.os.write", Faulty(1, error))
        with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else HpoctlError):
            journal.append(RECORDS[1], durable=True)
    journal.append(RECORDS[2], durable=True)
    journal.close()
    assert list(read_records(tmp_path / "journal")) == [RECORDS[0], RECORDS[2]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.floats() | st.text(max_size=20) | st.integers(), max_size=4)))
def test_any_values_come_back(tmp_path_factory: pytest.TempPathFactory, configs: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("journals") / "journal"
    records = [RECORDS[0], *({**RECORDS[1], "trial": trial, "config": each} for trial, each in enumerate(configs))]
    written(path, records)
    assert json.dumps(list(read_records(path))) == json.dumps(records)
