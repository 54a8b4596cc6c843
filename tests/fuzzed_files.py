"""Every kind of file that hpoctl reads, and ways in which it goes wrong: for the fuzzing test."""

import io
import json
import os
import random
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import JOURNAL
from hpoctl.core.sealed import CHECKSUM, DamagedError, seal, unseal
from hpoctl.engine.journal import MARK, encoded

Mutation = Callable[[bytes, random.Random], bytes]

DEEP = "@deep@"
LONG = "@long@"
SURROGATE = "@surrogate@"
RAW = {f'"{DEEP}"': "[" * 3000 + "]" * 3000, f'"{LONG}"': "9" * 5000, f'"{SURROGATE}"': '"\\ud800"'}
"""What no writer of JSON makes: put into the text at the end."""

NASTY: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 2**63, -(2**64), 0.5, -0.0, 1e308, 1.7e308, 5e-324, -1e300, "", " ",
    "x", "1", "nan", "../../etc", "a" * 3000, "\x1b[2J\x07", "\u202e", "ä→\U0001f600", "$x$", "=1+1", "a\nb", "\0",
    [], {}, [None], [[]], [{}], {"a": {"b": {"c": 1}}}, {"": 1}, ["x"] * 50, [1, "a", None], DEEP, LONG, SURROGATE,
)  # fmt: skip


# --- bytes ---


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def flipped(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data)) if data else 0
    return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :] if data else b"\0"


def zeros(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    end = min(len(data), place + 64)
    return data[:place] + bytes(end - place) + data[end:]


def inserted(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    what = rng.choice([b"\0", b"\xff", b"\xef\xbb\xbf", b"[" * 3000, b"9" * 5000, b'"', b"\n", b"\\ud800", b"\x1b[2J"])
    return data[:place] + what + data[place:]


def marked(data: bytes, rng: random.Random) -> bytes:
    return b"\xef\xbb\xbf" + data if rng.random() < 0.5 else data.decode("utf-8", "replace").encode("utf-16")


def replaced(data: bytes, rng: random.Random) -> bytes:
    return rng.choice([b"", b"\n", b"{}", b"[]", b"null", b"3", b"\0" * 100, b"PAR1", b"PK\3\4", data * 2, data[::-1]])


BYTES: tuple[Mutation, ...] = (cut, flipped, zeros, inserted, marked, replaced)


# --- values ---


def changed(values: Any, rng: random.Random) -> Any:
    """The values with one of them, at any depth, replaced, removed, or beside a new one; texts may hold JSON."""
    place = rng.choice(list(_places(values)) or [()])
    return _changed(values, place, rng)


def _places(values: Any, path: tuple[Any, ...] = ()) -> Any:
    if path:
        yield path
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield from _places(value, (*path, key))


def _changed(values: Any, path: tuple[Any, ...], rng: random.Random) -> Any:
    if not path:
        return _other(values, rng)
    made = dict(values) if isinstance(values, dict) else list(values)
    key, *rest = path
    if rest:
        made[key] = _changed(made[key], tuple(rest), rng)
        return made
    kind = rng.random()
    if kind < 0.15:
        del made[key]
    elif kind < 0.25 and isinstance(made, dict):
        made[rng.choice(["extra", "", "st_x", "a.b", "\0", "format", "origin"])] = rng.choice(NASTY)
    else:
        made[key] = _other(made[key], rng)
    return made


def _other(value: Any, rng: random.Random) -> Any:
    if isinstance(value, str) and rng.random() < 0.3:
        with suppress(ValueError):
            return json.dumps(changed(json.loads(value), rng))
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.3:
        return rng.choice([-value, value + 1, value * 1e6, float(value), str(value), [value]])
    return rng.choice(NASTY)


def _raw(text: str) -> str:
    for word, raw in RAW.items():
        text = text.replace(word, raw)
    return text


def forged_json(data: bytes, rng: random.Random) -> bytes:
    """JSON with a value changed; a file with a checksum gets the one that it would have."""
    try:
        sealed = CHECKSUM.encode() in data
        values = unseal(data) if sealed else json.loads(data)
    except (DamagedError, ValueError):
        return flipped(data, rng)
    made = changed(values, rng)
    if not sealed:
        return _raw(json.dumps(made)).encode("utf-8", "surrogatepass")
    if not isinstance(made, dict) or not made:
        return b"{}"
    made.pop(CHECKSUM, None)
    text = _raw(seal(made).decode())
    body, _, _ = text.rpartition(f',\n  "{CHECKSUM}": "')
    return f'{body},\n  "{CHECKSUM}": "{content_hash(body.encode())}"\n}}\n'.encode()


def forged_lines(data: bytes, rng: random.Random) -> bytes:
    """Lines of JSON with one of them changed, left out, repeated or moved."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return b"x"
    place = rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        return b"".join(lines[:place] + lines[place + 1 :])
    if kind == 1:
        return b"".join([*lines[:place], lines[place], *lines[place:]])
    if kind == 2:
        rng.shuffle(lines)
        return b"".join(lines)
    with suppress(ValueError):
        lines[place] = _raw(json.dumps(changed(json.loads(lines[place]), rng))).encode() + b"\n"
    return b"".join(lines)


def forged_journal(data: bytes, rng: random.Random) -> bytes:
    """A journal with a record changed, left out, repeated or moved, and the checksums that it would have."""
    lines = forged_lines(b"".join(line[MARK:] for line in data.splitlines(keepends=True)), rng).splitlines()
    return b"".join(encoded(line, number) for number, line in enumerate(lines))


def forged_toml(data: bytes, rng: random.Random) -> bytes:
    """TOML with a value changed."""
    made = changed(tomllib.loads(data.decode()), rng)
    try:
        text = tomli_w.dumps(made)
    except (TypeError, ValueError, AttributeError):  # there is no null in TOML
        return replaced(data, rng)
    return _raw(text).encode("utf-8", "surrogatepass")


# --- tables ---


def forged_parquet(data: bytes, rng: random.Random) -> bytes:
    """Parquet with a column changed, left out, renamed, or of another type."""
    table = pq.read_table(io.BytesIO(data))
    place = rng.randrange(table.num_columns)
    name, rows = table.column_names[place], table.num_rows
    kind = rng.randrange(6)
    if kind == 0:
        table = table.remove_column(place)
    elif kind == 1:
        names = list(table.column_names)
        names[place] = rng.choice(["x", "", "trial_id", "seed", "config_x", "st_tuner_time", "\x1b[2J"])
        table = table.rename_columns(names)
    elif kind == 2:
        table = table.slice(0, rng.choice([0, 1]))
    else:
        table = table.set_column(place, name, _column(rng, rows))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _column(rng: random.Random, rows: int) -> pa.Array:
    columns: tuple[Callable[[], pa.Array], ...] = (
        lambda: pa.nulls(rows),
        lambda: pa.nulls(rows, pa.float64()),
        lambda: pa.array(["x"] * rows),
        lambda: pa.array(["\x1b[2J", "=1+1", "$x$", None][n % 4] for n in range(rows)),
        lambda: pa.array(np.full(rows, 1.7e308)),
        lambda: pa.array(np.where(np.arange(rows) % 2, 1.7e308, -1.7e308)),
        lambda: pa.array(np.full(rows, 5e-324)),
        lambda: pa.array(np.full(rows, np.nan)),
        lambda: pa.array(np.full(rows, np.inf)),
        lambda: pa.array(np.arange(rows)[::-1].astype(float) - 3.5),
        lambda: pa.array(np.full(rows, -(2**62))),
        lambda: pa.array([2**63 + 5] * rows, pa.uint64()),
        lambda: pa.array([bool(n % 2) for n in range(rows)]),
        lambda: pa.array([[n] for n in range(rows)]),
        lambda: pa.array([{"a": n} for n in range(rows)]),
        lambda: pa.array([b"\xff"] * rows),
        lambda: pa.array([n * 86_400 for n in range(rows)], pa.timestamp("s")),
        lambda: pa.array(np.float32(n) for n in range(rows)),
    )
    return rng.choice(columns)()


def forged_csv(data: bytes, rng: random.Random) -> bytes:
    """CSV with a cell changed, or a row or the header."""
    lines = data.decode().splitlines()
    place = rng.randrange(len(lines))
    cells = lines[place].split(",")
    cell = rng.choice(
        ["", "x", "1e999", "nan", "-1", "9" * 400, '"', '"a,b"', "\0", "\x1b[2J", "1.7e308", "0.0", "True", "ä", " 1"]
    )
    cells[rng.randrange(len(cells))] = cell
    lines[place] = ",".join(cells if rng.random() < 0.8 else cells[:-1])
    return ("\n".join(lines) + "\n").encode()


def forged_zip(data: bytes, rng: random.Random) -> bytes:
    """An archive with rows changed, other members, or another compression."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = archive.read(archive.infolist()[0])
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])) as made:
        if rng.random() < 0.3:
            made.writestr(rng.choice(["__MACOSX/._results.csv", "../x", "a/", "results.csv.bak"]), b"\0\5")
        made.writestr("results.csv", forged_csv(rows, rng))
    return sink.getvalue()


def special(path: Path, rng: random.Random) -> str:
    """Put something that is no file in the place of a file; returns what, in words."""
    path.unlink()
    kind = rng.choice(["a folder", "a named pipe", "a device", "a link to itself", "a sparse giant", "nothing"])
    if kind == "a folder":
        path.mkdir()
    elif kind == "a named pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "a link to itself":
        path.symlink_to(path)
    elif kind == "a sparse giant":
        with path.open("wb") as file:
            file.truncate(2**34)
    return kind


FORGED: Mapping[str, Mutation] = {
    ".json": forged_json,
    ".jsonl": forged_lines,
    ".toml": forged_toml,
    ".parquet": forged_parquet,
    ".csv": forged_csv,
    ".zip": forged_zip,
    JOURNAL: forged_journal,
}
"""Changes that keep the format of a file, by its suffix or its name."""


def mutated(path: Path, data: bytes, rng: random.Random) -> bytes:
    """Other bytes for a file: damaged ones, or ones of the right format that say something else."""
    forge = FORGED.get(path.suffix or path.name)
    if forge is None or rng.random() < 0.3:
        return rng.choice(BYTES)(data, rng)
    return forge(data, rng)
