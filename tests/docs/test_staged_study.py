"""The page that runs a study in stages is executed, all 640 experiments of it, and shows what is printed."""

import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hpoctl.core.places import cache_directory
from pages import Block, Folder, blocks, missing_lines

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-a-study-in-stages.md"
FOLDER = "/home/ada/activations"
STAMP = re.compile(r"-\d{8}-\d{6}-\d{6}(-\d+)?$")
CHANGED = {"name", "tag", "random_seed", "max_wallclock_time", "extra_results"}


@dataclass(frozen=True)
class Step:
    """Commands of the page, what became of them, and the results that were there afterwards."""

    block: Block
    code: int
    printed: str
    results: dict[str, tuple[float, str]]
    """By directory, when it was written and the hash of its rows; those that are not complete have none."""


@dataclass(frozen=True)
class Executed:
    """The page, its commands, and what they left."""

    shown: list[str]
    """What the page shows after each step; empty where it shows nothing."""
    steps: list[Step]
    folder: Path

    def after(self, command: str, occurrence: int = 0) -> Step:
        """The step that ends with a command."""
        ends = [step for step in self.steps if step.block.content.rstrip().endswith(command)]
        return ends[occurrence]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executed]:
    place = tmp_path_factory.mktemp("stages")
    cache = place / "cache"
    cache.mkdir()
    tables = cache_directory() / "fcnet"
    tables.mkdir(parents=True, exist_ok=True)
    (cache / "fcnet").symlink_to(tables)  # expanded once for all tests; what experiments cost is forgotten
    # As long as the folder of the page, so that lines break where the page breaks them.
    outside = Path(tempfile.mkdtemp())
    path = outside / "a".ljust(len(FOLDER) - len(str(outside)) - 1, "a")
    environment = {
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "HOME": str(place),
        "HPOCTL_CACHE": str(cache),
        "HPOCTL_DATA": str(place / "data"),
        "HPOCTL_ROOT": "",
        "PYTHONPATH": str(path / "trip-wire"),
    }
    folder = Folder(path, FOLDER, environment)
    path.mkdir()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("HPOCTL_PLUGINS", raising=False)
            yield run_page(folder)
    finally:
        shutil.rmtree(outside)


def run_page(folder: Folder) -> Executed:
    steps: list[Step] = []
    shown: list[str] = []
    for block in blocks(PAGE):
        if block.language == "sh":
            code, printed = folder.run(block.content)
            steps.append(Step(block, code, printed, dict(results(folder.path))))
            shown.append("")
        elif block.language == "text":
            shown[-1] = block.content
        else:
            folder.write(block.purpose, block.content)
            if block.purpose == "trip-wire/pyproject.toml":
                install(folder, tomllib.loads(block.content))
    return Executed(shown, steps, folder.path)


def install(folder: Folder, project: dict[str, dict[str, object]]) -> None:
    """The metadata that an installer would write."""
    name, version = project["project"]["name"], project["project"]["version"]
    metadata = f"trip-wire/{name}-{version}.dist-info"
    points = project["project"]["entry-points"]
    assert isinstance(points, dict)
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in points.items()
    ]
    folder.write(f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    folder.write(f"{metadata}/entry_points.txt", "".join(lines))


def results(folder: Path) -> Iterator[tuple[str, tuple[float, str]]]:
    for path in (folder / "results" / "docs-2").glob("*/*/metadata.json"):
        metadata = json.loads(path.read_bytes())
        yield str(path.parent.relative_to(folder)), (path.stat().st_mtime, metadata.get("results_sha256", ""))


pytestmark = pytest.mark.timeout(600)


def test_the_page_is_what_happens(executed: Executed) -> None:
    # One test, so that the page is executed once, on however many processes the tests are spread.
    check_every_command_ends_as_the_page_says(executed)
    check_the_page_shows_what_is_printed(executed)
    check_the_study_file_is_the_reference_with_the_changes_that_the_page_names(executed)
    check_nothing_that_was_complete_is_run_again(executed)
    check_the_last_launch_runs_the_four_experiments_of_asha_again_and_they_come_out_the_same(executed)


def check_every_command_ends_as_the_page_says(executed: Executed) -> None:
    expected = [int(step.block.purpose.removeprefix("exit") or 0) for step in executed.steps]
    assert [step.code for step in executed.steps] == expected, [step.printed for step in executed.steps]


def check_the_page_shows_what_is_printed(executed: Executed) -> None:
    wrong = {
        step.block.content: (missing, step.printed)
        for step, shown in zip(executed.steps, executed.shown, strict=True)
        if shown and (missing := missing_lines(shown, step.printed))
    }
    assert not wrong, "\n\n".join(f"$ {what}{gone}\nprinted:\n{printed}" for what, (gone, printed) in wrong.items())
    assert sum(bool(shown) for shown in executed.shown) >= 8


def check_the_study_file_is_the_reference_with_the_changes_that_the_page_names(executed: Executed) -> None:
    _, shown = Folder(executed.folder, FOLDER, {}).run("hpoctl studies show activations")
    reference = tomllib.loads(shown)
    edited = tomllib.loads((executed.folder / "study.toml").read_text(encoding="utf-8"))
    assert {key for key in reference | edited if reference.get(key) != edited.get(key)} == CHANGED
    assert edited["extra_results"] == [*reference["extra_results"], "trip-wire"]


def check_nothing_that_was_complete_is_run_again(executed: Executed) -> None:
    for before, after in zip(executed.steps, executed.steps[1:], strict=False):
        complete = {name: facts for name, facts in before.results.items() if facts[1]}
        kept = {name for name, facts in complete.items() if after.results.get(name) == facts}
        gone = {name for name in complete if name not in kept}
        if gone:
            assert "clean --tag docs-2 --method ASHA --seed 13" in after.block.content
            assert {STAMP.sub("", name) for name in gone} == {
                f"results/docs-2/ASHA/docs-2-fcnet-{name}-13" for name in ("protein", "naval", "parkinsons", "slice")
            }


def check_the_last_launch_runs_the_four_experiments_of_asha_again_and_they_come_out_the_same(
    executed: Executed,
) -> None:
    before, after = executed.steps[-2].results, executed.steps[-1].results
    old, new = set(before) - set(after), set(after) - set(before)
    assert len(old) == len(new) == 4
    assert {rows_of(name, before) for name in old} == {rows_of(name, after) for name in new}
    assert len(after) == 640
    assert all(rows for _, rows in after.values())


def rows_of(name: str, results: dict[str, tuple[float, str]]) -> tuple[str, str]:
    """An experiment and the hash of its rows."""
    return STAMP.sub("", name), results[name][1]
