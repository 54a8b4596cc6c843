"""Every kind of file, mutated; every command that reads: only documented exit codes, and errors of two lines.

A command that ends in an error that was not foreseen, a warning, a traceback, or raw control characters is a fault.
"""

import io
import math
import os
import random
import shutil
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange_trees import put_tuner
from fuzzed_files import mutated, special
from hpoctl.cli.app import run_words
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import JOURNAL, METADATA, RESULTS, TRIALS, WORK
from hpoctl.core.sealed import seal, unseal
from own_tables import Own, description, write_npz, write_parquet
from services.seaweedfs import BUCKET, Server
from toy_studies import FIGURES, LONG, fast_folder, lane

EXAMPLES = int(os.environ.get("HPOCTL_FUZZING_EXAMPLES", lane(50, 20_000)))
FAR_EXAMPLES = max(1, EXAMPLES // lane(8, 10))
SECONDS = float(os.environ.get("HPOCTL_FUZZING_SECONDS", lane(math.inf, 3600.0)))
"""How long files are mutated, a fifth of it on S3; then the examples that are left pass without a look."""
CODES = {0: "done", 1: "failed", 2: "wrong usage", 3: "nothing or incomplete"}
COUNTS: Counter[str] = Counter()
STARTS: dict[str, float] = {}
"""When the tests have begun."""

RESULT_FACTS = ("results_bytes", "results_sha256", "wall_seconds", "cpu_seconds")
RAW = ("\x1b", "\x07", "\u202e", "\0", "Traceback", "Unforeseen", "Warning:")

STUDY = """
name = "fuzzed"
summary = "Two methods on a table"
methods = ["RS", "ASHA"]
benchmarks = ["mine"]
num_seeds = 2
random_seed = 5
"""
BENCHMARK = """
name = "tiny"
script = "train.py"
metric = "loss"
mode = "min"
resource_attr = "epoch"
max_resource_attr = "epochs"
n_workers = 2
max_wallclock_time = 60
checkpoints = false

[space]
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
act = { type = "choice", values = ["1", "01"] }
epochs = 3
"""
TRAIN = """
import hpoctl
for epoch in range(1, 4):
    hpoctl.report(epoch=epoch, loss=1.0 / epoch)
"""
TAG = ["--tag", "study"]
OPEN = ["--method", "ASHA", "--benchmark", "benchmark.toml", "--tag", "open", "--max-num-trials", "3"]
OF_TAG = [
    ["status", *TAG],
    ["status", *TAG, "--verify", "--wide"],
    ["status", *TAG, "--json"],
    ["why", *TAG, "--method", "ASHA", "--seed", "0", "--trial", "1"],
    ["logs", *TAG],
    ["logs", *TAG, "--method", "RS", "--seed", "0"],
    ["trials", *TAG],
    ["trials", *TAG, "--best", "--format", "toml"],
    ["compare", *TAG, "--full"],
    ["compare", *TAG, "--json"],
    ["plot", *TAG, "--terminal"],
    ["plot", *TAG, "--terminal", "--x", "resource"],
    ["plot", *TAG, "--output", "plot.png"],
    ["report", *TAG, "--output", "report.html"],
    ["export", *TAG, "--format", "csv", "--output", "out.csv"],
    ["export", *TAG, "--format", "parquet", "--output", "out.parquet"],
    ["export", *TAG, "--format", "syne-tune", "--output", "out"],
    ["sync", *TAG, "--to", "copy"],
    ["sync", *TAG, "--to", "copy", "--logs", "--dry-run"],
    ["clean", *TAG, "--dry-run", "--incomplete"],
    ["clean", *TAG, "--dry-run", "--duplicates"],
    ["launch", *TAG, "--dry-run"],
    ["launch", *TAG, "--dry-run", "--json"],
    ["status"],
    ["status", "--json"],
]
OF_TRIALS = [
    ["status", "--tag", "trained"],
    ["trials", "--tag", "trained"],
    ["trials", "--tag", "trained", "--best"],
    ["why", "--tag", "trained", "--trial", "0"],
    ["logs", "--tag", "trained"],
    ["plot", "--tag", "trained", "--terminal"],
    ["plot", "--tag", "trained", "--kind", "curves", "--terminal"],
    ["export", "--tag", "trained", "--format", "csv", "--output", "out.csv"],
]
OF_OPEN = [
    ["status", "--tag", "open"],
    ["trials", "--tag", "open"],
    ["trials", "--tag", "open", "--best"],
    ["why", "--tag", "open", "--trial", "0"],
    ["logs", "--tag", "open", "--trial", "0"],
    ["plot", "--tag", "open", "--running", "--terminal"],
    ["report", "--tag", "open", "--running", "--output", "report.html"],
    ["run", *OPEN],
]
OF_TABLES = [
    ["blackbox", "list"],
    ["blackbox", "info", "mine"],
    ["blackbox", "check", "mine"],
    ["benchmarks", "mine"],
    ["launch", *TAG, "--dry-run"],
    ["run", "--method", "RS", "--benchmark", "mine", "--tag", "fresh"],
]
OF_FOLDER = [
    ["studies", "list"],
    ["studies", "show", "study.toml"],
    ["launch", "--study", "study.toml", "--dry-run"],
    ["launch", "--dry-run"],
    ["benchmarks", "benchmark.toml"],
    ["doctor"],
    ["status"],
    ["status", "--json"],
    ["methods"],
]
OF_TRASH = [["clean", "--undo"], ["clean", "--purge", "--yes"], ["status"], ["clean", "--undo", "--tag", "thrown"]]
OF_TREES = [["import", "trees"], ["import", "trees", "--json"], ["import", "trees", "--tag", "one"]]
OF_SOURCES = [
    ["blackbox", "import", "table", "tables/mine.npz"],
    ["blackbox", "import", "table", "tables/rows/mine.parquet"],
]


@dataclass(frozen=True)
class Answer:
    """What a command has done."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class World:
    """A folder with one of each kind of file as it was made, and a copy that commands work in; files by their kind."""

    sound: Path
    live: Path
    kinds: tuple[tuple[Path, ...], ...]

    def renew(self) -> None:
        shutil.rmtree(self.live, ignore_errors=True)
        shutil.copytree(self.sound, self.live, symlinks=True)
        os.chdir(self.live / "work")


def hpoctl(*words: str) -> Answer:
    """Run a command in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace", newline="") for _ in range(2))
    argv, sys.argv = sys.argv, ["hpoctl", *words]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = run_words()
    finally:
        sys.argv = argv
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    COUNTS["commands"] += 1
    COUNTS[CODES.get(code, f"exit code {code}")] += 1
    return Answer(words, code, *texts)


def spoil(path: Path, rng: random.Random) -> str:
    """Make something else of a file; returns what, in words."""
    COUNTS["files"] += 1
    if rng.random() < 0.1:
        return special(path, rng)
    new = mutated(path, path.read_bytes(), rng)
    path.write_bytes(new)
    if path.name == RESULTS and rng.random() < 0.7:
        vouch(path)
    return repr(new[:3000])


def vouch(results: Path) -> None:
    """Let the metadata beside a results file say that its bytes are the right ones."""
    metadata, data = results.with_name(METADATA), results.read_bytes()
    facts = {"results_bytes": len(data), "results_sha256": content_hash(data)}
    metadata.write_bytes(seal({**unseal(metadata.read_bytes()), **facts}))


def check(answer: Answer, what: str) -> None:
    """A documented exit code, two lines for an error, nothing that was not meant for a person."""
    said = f"{what}\n$ hpoctl {' '.join(answer.words)}\n{answer.out[-1500:]}\n{answer.err[-1500:]}"
    assert answer.code in CODES, said
    for raw in RAW:
        assert raw not in answer.out + answer.err, f"{raw!r}: {said}"
    errors = [line for line in answer.err.splitlines() if line.startswith("error: ")]
    if answer.code == 2 and "--json" not in answer.words:
        assert errors, said
    if errors and "--json" not in answer.words:
        assert len(errors) == 1, said
        assert sum(line.startswith("  fix: ") for line in answer.err.splitlines()) == 1, said


@pytest.fixture(autouse=True)
def figures(record_property: Callable[[str, object], None]) -> Iterator[None]:
    began = time.monotonic()
    yield
    counted = ", ".join(f"{name} {count:,}" for name, count in sorted(COUNTS.items()))
    record_property(FIGURES, f"{(time.monotonic() - began) / 60.0:.1f} minutes, {counted}")
    COUNTS.clear()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with fast_folder() as folder, pytest.MonkeyPatch.context() as patched:
        for name in list(os.environ):
            if name.startswith(("HPOCTL_", "AWS_")):
                patched.delenv(name)
        live = folder / "live"
        for name in ("root", "data", "cache"):
            patched.setenv(f"HPOCTL_{name.upper()}", str(live / name))
        patched.setenv("HPOCTL_PLUGINS", "")
        patched.setenv("COLUMNS", "100")
        _make(live, patched)
        shutil.copytree(live, folder / "sound", symlinks=True)
        places = (live / name for name in ("root", "data", "work"))
        files = [path.relative_to(live) for place in places for path in place.rglob("*") if path.is_file()]
        kinds: dict[tuple[str, str], list[Path]] = {}
        for file in sorted(files):
            kinds.setdefault((file.parts[0], file.suffix if file.suffix == ".npy" else file.name), []).append(file)
        assert len(kinds) > 20
        yield World(folder / "sound", live, tuple(map(tuple, kinds.values())))
        patched.chdir(folder)


def _make(live: Path, patched: pytest.MonkeyPatch) -> None:
    """A study of a table that was launched, one of a script, a trash, and files to import."""
    work = live / "work"
    (work / "tables" / "rows").mkdir(parents=True)
    patched.chdir(work)
    (work / "study.toml").write_text(STUDY)
    (work / "benchmark.toml").write_text(BENCHMARK)
    (work / "train.py").write_text(TRAIN)
    (work / "hpoctl.toml").write_text('study = "study.toml"\nn_workers = 2\n')
    write_npz(work / "tables", Own().arrays(), description())
    write_parquet(work / "tables" / "rows", Own().rows(), description(seed="seed", name="rows"))
    put_tuner(work / "trees", "zipped")
    put_tuner(work / "trees", "plain", seed=1, plain=True)
    for words in (
        ["blackbox", "import", "table", "tables/mine.npz"],
        ["launch", "--tag", "study"],
        ["run", "--method", "RS", "--benchmark", "mine", "--tag", "other"],
        ["run", "--method", "RS", "--benchmark", "mine", "--tag", "thrown"],
        ["clean", "--tag", "thrown", "--yes"],
        ["run", "--method", "ASHA", "--benchmark", "benchmark.toml", "--tag", "trained", "--max-num-trials", "3"],
        ["run", *OPEN],
    ):
        answer = hpoctl(*words)
        assert answer.code == 0, answer
    _cut_off(live / "root" / "open")


def _cut_off(tag: Path) -> None:
    """Leave of a complete experiment what a killed process leaves."""
    (metadata,) = tag.rglob(METADATA)
    entries = {**unseal(metadata.read_bytes()), "status": "running"}
    metadata.write_bytes(seal({name: value for name, value in entries.items() if name not in RESULT_FACTS}))
    begin = metadata.with_name(JOURNAL).read_bytes().splitlines(keepends=True)[:8]
    for name in (RESULTS, TRIALS, JOURNAL):
        metadata.with_name(name).unlink()
    (tag.parent / WORK / metadata.parent.relative_to(tag.parent) / JOURNAL).write_bytes(b"".join(begin))


def _commands(file: Path) -> list[list[str]]:
    """The commands that read a file."""
    first, *rest = file.parts
    if first == "data":
        return [*OF_TABLES, *OF_FOLDER]
    if first == "root":
        if rest[0] == "study":
            return OF_TAG
        if "open" in rest[:2]:
            return OF_OPEN
        return OF_TRIALS if rest[0] == "trained" else [*OF_TRASH, *OF_TAG]
    return {"trees": OF_TREES, "tables": OF_SOURCES}.get(rest[0], [*OF_FOLDER, *OF_TRIALS])


def _over(what: str, share: float) -> bool:
    """Whether a test has had its share of the time; it draws the same values then, or hypothesis finds it flaky."""
    now = time.monotonic()
    return now > STARTS.setdefault(what, now) + share * SECONDS


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=not LONG)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_commands_that_read_mutated_files(world: World, data: st.DataObject, seed: int) -> None:
    rng = random.Random(seed)
    file = rng.choice(rng.choice(world.kinds))
    commands = data.draw(st.lists(st.sampled_from(_commands(file)), min_size=2, max_size=4), label="commands")
    if _over("files", 0.8):
        return
    world.renew()
    what = f"{file} (seed {seed}): {spoil(world.live / file, rng)}"
    for words in commands:
        check(hpoctl(*words), what)
    sound = hpoctl("status", "--tag", "other")
    check(sound, what)
    if file.parts[0] == "root" and file.parts[1] in ("study", "trained", "open"):
        assert sound.code == 0, f"{what}\n{sound}"
        cleaned = hpoctl("clean", *TAG, "--yes")
        check(cleaned, what)


@dataclass(frozen=True)
class Far:
    """A root on S3 with the study: the content of its objects as they were made, by name."""

    client: Any
    prefix: str
    sound: Mapping[str, bytes]

    @property
    def root(self) -> str:
        return f"s3://{BUCKET}/{self.prefix}"

    def put(self, name: str, data: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}", Body=data)

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}")

    def objects(self) -> dict[str, bytes]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{self.prefix}/")
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        bodies = (self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys)
        return {key.removeprefix(f"{self.prefix}/"): body for key, body in zip(keys, bodies, strict=True)}


@pytest.fixture(scope="module")
def far(world: World, seaweedfs: Server) -> Iterator[Far]:
    import boto3

    with pytest.MonkeyPatch.context() as patched:
        for name, value in seaweedfs.environment.items():
            patched.setenv(name, value)
        patched.setattr("hpoctl.stores.s3_index.WORTH", 1)  # an index even of a small tag
        world.renew()
        empty = Far(boto3.client("s3"), uuid.uuid4().hex, {})
        for words in (["sync", *TAG, "--up", "--to", str(world.live / "root")], ["status", *TAG]):
            answer = hpoctl(*words, "--results", empty.root)
            assert answer.code == 0, answer
        sound = empty.objects()
        assert any("/index/" in name for name in sound), sorted(sound)
        yield replace(empty, sound=sound)


@settings(max_examples=FAR_EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=not LONG)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_commands_that_read_mutated_objects(world: World, far: Far, data: st.DataObject, seed: int) -> None:
    commands = data.draw(st.lists(st.sampled_from(OF_TAG), min_size=2, max_size=3), label="commands")
    if _over("objects", 0.2):
        return
    world.renew()
    rng = random.Random(seed)
    kinds: dict[str, list[str]] = {}
    for name in sorted(far.sound):
        kinds.setdefault(Path(name).name, []).append(name)
    name = rng.choice(kinds[rng.choice(sorted(kinds))])
    new = None if rng.random() < 0.05 else mutated(Path(name), far.sound[name], rng)
    COUNTS["objects"] += 1
    what = f"{name} on S3 (seed {seed}): {new!r}"[:3000]
    if new is None:
        far.delete(name)
    else:
        far.put(name, new)
    try:
        for words in commands:
            check(hpoctl(*words, "--results", far.root), what)
    finally:
        for other in far.objects().keys() - far.sound.keys():
            far.delete(other)
        for other in {name, *(each for each in far.sound if "/index/" in each)}:
            far.put(other, far.sound[other])
