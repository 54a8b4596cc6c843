"""Bytes for the readers, chosen by atheris so that they reach new lines of code: a script that it ends after some time.

    python guided_fuzzing.py SECONDS CORPUS

An input is the number of a reader and what it reads. A reader may refuse with an error of hpoctl; anything else ends
the script with another exit code than 0, and the input is in the folder of the corpus.
"""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["hpoctl"]):
    from hpoctl.core.errors import HpoctlError
    from hpoctl.core.metadata import read_metadata
    from hpoctl.core.report_lines import ReportLines
    from hpoctl.core.script_benchmark import ScriptBenchmark
    from hpoctl.core.sealed import CHECKSUM, DamagedError, read_json, seal, unseal, unseal_as
    from hpoctl.core.study import Study
    from hpoctl.core.toml_files import read_toml
    from hpoctl.engine.journal import check_journal, encode, read_records
    from record_types import JSON, SEALED

Reader = Callable[[bytes, Path], object]


def _sealed_table(data: bytes) -> bytes:
    """The bytes as a table that is sealed rightly, where they are one."""
    try:
        table = json.loads(data)
    except (ValueError, RecursionError):
        return data
    entries = {key: value for key, value in table.items() if key != CHECKSUM} if isinstance(table, dict) else {}
    return seal(entries) if entries else data


def _file(data: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _records(data: bytes, folder: Path) -> object:
    """A journal of these bytes, and one whose lines have the checksums that they should have."""
    lines = [line for line in data.split(b"\n") if line]
    try:
        forged = b"".join(encode(json.loads(line), number) for number, line in enumerate(lines))
    except (ValueError, RecursionError):
        forged = data
    for each in (data, forged):
        path = _file(each, folder, "journal")
        check_journal(path)
        list(read_records(path))
    return None


def _reports(data: bytes, folder: Path) -> object:
    for marked in (True, False):
        lines = ReportLines(marked=marked)
        half = len(data) // 2
        _ = lines.feed(data[:half]), lines.feed(data[half:]), lines.close()
    return None


def _toml(kind: type[Any]) -> Reader:
    def read(data: bytes, folder: Path) -> object:
        known = {"folder": folder} if kind is ScriptBenchmark else {}
        return read_toml(_file(data, folder, "file.toml")).read(kind, known)

    return read


READERS: Sequence[Reader] = (
    lambda data, folder: unseal(data),
    lambda data, folder: read_metadata(_sealed_table(data)),
    _records,
    _reports,
    _toml(Study),
    _toml(ScriptBenchmark),
    *(lambda data, folder, record=record: record.unseal(_sealed_table(data)) for record in SEALED),
    *(lambda data, folder, kind=kind: unseal_as(_sealed_table(data), kind) for kind in JSON),
    *(lambda data, folder, kind=kind: read_json(data, kind) for kind in JSON),
)

SEEDS = (
    b'{"format": 1, "tag": "t", "status": "completed"}',
    b'{"epoch": 1, "loss": 0.5}\n[tune-metric]: {"epoch": 2, "loss": NaN}\n',
    b'["start", 0, {"lr": 0.1}]\n["report", 0, 1, 0.5]\n',
    b'methods = ["RS"]\nbenchmarks = ["toy"]\nnum_seeds = 2\n[fixed.RS]\nlr = 0.1\n',
    b'script = "t.py"\nmetric = "m"\n[space]\nlr = { type = "loguniform", lower = 0.1, upper = 1.0 }\n',
)


def main(seconds: int, corpus: Path) -> None:
    """Feed the readers until the time is over; does not return."""
    files = corpus / "files"
    files.mkdir(parents=True)
    inputs = corpus / "inputs"
    inputs.mkdir()
    for number in range(len(READERS)):
        for place, seed in enumerate(SEEDS):
            (inputs / f"{number}-{place}").write_bytes(bytes([number]) + seed)

    def one(data: bytes) -> None:
        if data:
            with suppress(HpoctlError, DamagedError):
                READERS[data[0] % len(READERS)](data[1:], files)

    options = [f"-max_total_time={seconds}", "-rss_limit_mb=2000", "-timeout=60", f"-artifact_prefix={corpus}/"]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(inputs)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
