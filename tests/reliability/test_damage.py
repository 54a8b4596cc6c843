"""Damaged files: each is found and named, hides nothing else, and costs its own experiment one more run."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hpoctl.core.cells import CONTROL, METADATA, RESULTS, Cell, Filters
from hpoctl.core.errors import IncompleteError
from hpoctl.core.study import Study
from hpoctl.ops.launching.costs import Costs
from hpoctl.ops.launching.launch_plan import LaunchRequest
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.upkeep.status import read_status
from hpoctl.stores.ledger import Attempt, read_attempts, read_results
from launch_here import launch_here, no_stderr, toy_registry
from support import folder_of
from toy_studies import LANE, ToyStudy, fast_folder, generator, lane
from wrecks import snapshot

TAG = "sound"
STUDY = Study("toys", "Toys", methods=("RS", "ASHA", "BO"), benchmarks=("toy", "toy-2"), random_seed=5)
REGISTRY = toy_registry([STUDY])
DAMAGES = lane(2_000, 20_000)
LAUNCHES = lane(60, 600)
STUDY_LEVEL = lane(150, 1_500)


@dataclass(frozen=True)
class Sound:
    """A complete study: its root, its attempts by directory, and the bytes of all its files."""

    root: Root
    attempts: dict[str, Attempt]
    files: dict[str, bytes]

    def path(self, name: str) -> Path:
        return folder_of(self.root) / name

    def launch(self) -> list[Cell]:
        """Launch the tag again; returns the experiments that this has run."""
        with no_stderr():
            plan, outcome, counts = launch_here(LaunchRequest(tag=TAG, results=self.root.store.location("")), REGISTRY)
        assert (outcome.done, outcome.failures) == (outcome.wanted, ())
        assert counts["done"] == plan.experiments
        return [task.cell for job in plan.jobs for task in job.tasks]

    def results(self) -> dict[Cell, bytes]:
        """The verified results of each experiment that has some."""
        attempts = read_attempts(self.root.store, TAG, verify=True)
        complete = [attempt for attempt in attempts if attempt.recorded == "completed"]
        return {attempt.cell: read_results(self.root.store, attempt) for attempt in complete if attempt.cell}


@pytest.fixture(scope="module")
def study() -> Iterator[Sound]:
    with fast_folder() as folder:
        root = open_root(str(folder / "results"))
        with no_stderr():
            launch_here(LaunchRequest(tag=TAG, results=root.store.location("")), REGISTRY)
        attempts = {attempt.directory: attempt for attempt in read_attempts(root.store, TAG, verify=True)}
        assert [attempt.recorded for attempt in attempts.values()] == ["completed"] * 6
        yield Sound(root, attempts, {name: root.store.get(name) for name in root.store.list(TAG)})


@pytest.fixture
def sound(study: Sound) -> Iterator[Sound]:
    """The study, put back as it was at the end of the test."""
    yield study
    for name in study.root.store.list(""):
        if name not in study.files:
            study.path(name).unlink()
    for name, data in study.files.items():
        study.path(name).write_bytes(data)


def damaged(data: bytes, others: list[bytes], rng: random.Random) -> tuple[str, bytes | None]:
    """What has become of a file, in words, and its bytes; None: it is gone."""
    kind = rng.choice(["cut", "cut", "flip", "flip", "flip", "zeros", "longer", "gone", *(["other"] if others else [])])
    place = rng.randrange(len(data))
    if kind == "cut":
        return f"cut to {place} bytes", data[:place]
    if kind == "flip":
        bit = 1 << rng.randrange(8)
        return f"bit {bit} of byte {place} flipped", data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
    if kind == "zeros":  # what some file systems leave behind of a file whose blocks were not written
        end = min(len(data), place + 64)
        return f"zeros from {place} to {end}", data[:place] + bytes(end - place) + data[end:]
    if kind == "longer":
        return "a byte longer", data + b"\n"
    if kind == "other":
        return "replaced by another file", rng.choice(others)
    return "gone", None


@contextmanager
def damage(sound: Sound, name: str, rng: random.Random) -> Iterator[str]:
    """Damage a file for a while; gives what was done, in words."""
    data, path = sound.files[name], sound.path(name)
    others = [other for file, other in sound.files.items() if file.endswith(RESULTS) and name.endswith(RESULTS)]
    what, new = damaged(data, others, rng)
    while new == data:
        what, new = damaged(data, others, rng)
    if new is None:
        path.unlink()
    else:
        path.write_bytes(new)
    try:
        yield f"{name}: {what} ({LANE})"
    finally:
        path.write_bytes(data)


def test_every_damage_is_named_and_hides_nothing_else(sound: Sound) -> None:
    rng = generator("damage")
    names = [name for name in sound.files if name.endswith((METADATA, RESULTS))]
    store = sound.root.store
    for _ in range(DAMAGES):
        name = rng.choice(names)
        directory, _, file = name.rpartition("/")
        with damage(sound, name, rng) as what:
            found = {attempt.directory: attempt for attempt in read_attempts(store, TAG, verify=True)}
            broken = found.pop(directory)
            assert broken.recorded == "damaged", what
            assert file in broken.reason, what
            others = {place: attempt for place, attempt in sound.attempts.items() if place != directory}
            assert found == others, what
            for attempt in (broken, sound.attempts[directory]):
                with pytest.raises(IncompleteError, match=directory):
                    read_results(store, attempt)
    assert sound.results() == {
        attempt.cell: sound.files[f"{place}/{RESULTS}"] for place, attempt in sound.attempts.items()
    }


def test_a_launch_runs_what_is_damaged_again_and_nothing_else(sound: Sound) -> None:
    rng = generator("damage and launch")
    expected = sound.results()
    for _ in range(LAUNCHES):
        hit = rng.sample(sorted(sound.attempts), rng.choice([1, 1, 2, 3]))
        name = rng.choice([METADATA, RESULTS])
        with damage(sound, f"{hit[0]}/{name}", rng) as what:
            for directory in hit[1:]:
                sound.path(f"{directory}/{RESULTS}").write_bytes(b"PAR1")
            ran = sound.launch()
            assert sorted(ran) == sorted(sound.attempts[directory].cell for directory in hit), what  # type: ignore[type-var]
            assert sound.results() == expected, what
            assert sound.launch() == [], what
        restore(sound)


def restore(sound: Sound) -> None:
    """Take away what a launch added, and put back what was damaged."""
    for name in sound.root.store.list(TAG):
        if name not in sound.files:
            sound.root.store.delete(name.rpartition("/")[0] if CONTROL not in name else name)
    for directory in sound.attempts:
        sound.path(f"{directory}/{RESULTS}").write_bytes(sound.files[f"{directory}/{RESULTS}"])


@pytest.mark.parametrize("file", ["study.json", "plan"])
def test_a_damaged_study_is_one_clear_error_and_nothing_is_written(sound: Sound, file: str) -> None:
    where = f"{TAG}/study.json" if file == "study.json" else f"{TAG}/{CONTROL}/plans/"
    (name,) = [name for name in sound.files if name.startswith(where)]
    rng = generator("damage of", file)
    for _ in range(STUDY_LEVEL):
        with damage(sound, name, rng) as what:
            if not sound.path(name).exists():
                continue  # a study without a plan or a random seed gets one: nothing is damaged
            before = snapshot(folder_of(sound.root))
            with pytest.raises(IncompleteError) as caught:
                sound.launch()
            assert str(sound.path(name)) in caught.value.what, what
            assert snapshot(folder_of(sound.root)) == before, what
            # All that is complete can still be seen.
            status = read_status(sound.root, TAG, Filters(), costs=Costs({}), now=0.0, workers=1)
            assert status.totals.done == len(sound.attempts), what


def test_a_damaged_record_of_a_launch_is_passed_over(sound: Sound) -> None:
    (name,) = [name for name in sound.files if f"{CONTROL}/launches/" in name]
    rng = generator("damage of a record")
    for _ in range(lane(50, 500)):
        with damage(sound, name, rng) as what:
            assert sound.launch() == [], what
            status = read_status(sound.root, TAG, Filters(), costs=Costs({}), now=0.0, workers=1)
            assert status.complete, what


def test_the_command_line_names_the_damaged_file(sound: Sound) -> None:
    study = ToyStudy(folder_of(sound.root).parent)
    study.install()
    (plan,) = [name for name in sound.files if f"{CONTROL}/plans/" in name]
    for name in (f"{TAG}/study.json", plan):
        path = sound.path(name)
        path.write_bytes(sound.files[name][:-9])
        before = snapshot(folder_of(sound.root))
        answer = study.run("launch", "--tag", TAG)
        assert answer.returncode == 3, answer
        assert str(path) in answer.stderr
        assert [line[:6] for line in answer.stderr.splitlines()] == ["error:", "  fix:"], answer.stderr
        assert snapshot(folder_of(sound.root)) == before
        path.write_bytes(sound.files[name])
