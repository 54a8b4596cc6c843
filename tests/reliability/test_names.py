"""Hostile names: of tags, methods, benchmarks, studies and files. Nothing outside the root is written or removed."""

import os
import random
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hpoctl.core.cells import CONTROL, METADATA, RESULTS, Cell, Filters
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.names import BAD
from hpoctl.core.study import Study
from hpoctl.ops.launching.costs import Costs
from hpoctl.ops.launching.launch_plan import LaunchRequest, plan_launch
from hpoctl.ops.running.run import RunRequest, plan_run
from hpoctl.ops.studies.choose_study import find_study
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.ops.studies.tags import keep_plan, keep_random_seed, read_plan, read_plans, stored_random_seed
from hpoctl.ops.upkeep.logs import find_logs
from hpoctl.ops.upkeep.status import read_status
from hpoctl.ops.upkeep.tag_list import list_tags
from hpoctl.stores.claims import CLAIMS
from hpoctl.stores.ledger import read_attempts
from launch_here import launch_here, no_stderr, toy_registry
from support import folder_of
from toy_studies import LANE, ToyStudy, fast_folder, generator, lane
from wrecks import snapshot

NAMES = lane(10_000, 50_000)
TAG = "docs-2"
STUDY = Study("toys", "Toys", methods=("RS",), benchmarks=("toy",), random_seed=5)
REGISTRY = toy_registry([STUDY])

PIECES = [
    *(
        "..",
        ".",
        "/",
        "//",
        "\\",
        "\0",
        "\n",
        "\r",
        "\t",
        " ",
        "-",
        "--",
        "~",
        "$HOME",
        "*",
        "?",
        "%2e%2e%2f",
        "|",
        "'",
        '"',
    ),
    *("docs-2", "RS", "toy", "toys", "CON", "NUL.txt", "con", "a", "A" * 300, "é", unicodedata.normalize("NFD", "é")),
    *("\u202e", "\u200b", "\ufeff", "ſ", "İ", "𝟘", "٣", "\x1b[31m", "\ud800", "\udcff", "x" * 64, "e\u0301" * 200),
    *(
        ".hpoctl",
        ".trash",
        ".claims",
        ".tmp-",
        "study.json",
        "metadata.json",
        ".toml",
        "file:",
        "s3://b/",
        "-rf",
        "../../",
    ),
]
WHOLE = [
    *("", ".", "..", "/", "../", "../canary", "../../outside/canary", "a/../../outside", "docs-2/../../outside/new"),
    *(
        "--help",
        "-",
        "\n",
        "docs-2\n",
        "\ndocs-2",
        "docs-2\0",
        "docs-2/",
        "/docs-2",
        "./docs-2",
        "docs-2/.hpoctl",
        "docs--2",
    ),
    *(
        "CON",
        "aux",
        "x" * 63,
        "x" * 64,
        "x" * 300,
        "x" * 5000,
        "é",
        "docs\u20112",
        "..docs-2",
        "docs-2..",
        ".docs-2",
        "~root",
    ),
]


def hostile(rng: random.Random, outside: Path) -> str:
    """A name that should not exist, one that leads out of the root among them."""
    if rng.random() < 0.2:
        return rng.choice(
            [*WHOLE, str(outside), str(outside / "new"), f"../{outside.name}/new", f"{outside}/study.toml"]
        )
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 5)))


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Root]:
    """A root with a tag in it, and canaries around it."""
    with fast_folder() as folder:
        root = open_root(str(folder / "results"))
        with no_stderr():
            launch_here(LaunchRequest(tag=TAG, results=root.store.location("")), REGISTRY)
        for name in ("outside", "results-2", "here"):
            (folder / name).mkdir()
            (folder / name / "canary").write_text("alive")
        (folder / "canary").write_text("alive")
        (folder / "outside" / "study.toml").write_text('methods = ["RS"]\nbenchmarks = ["toy"]\n')
        monkeypatch.chdir(folder / "here")
        monkeypatch.setenv("HOME", str(folder / "here"))
        monkeypatch.setenv("HPOCTL_CACHE", str(folder / "results" / ".cache"))
        yield root


def around(root: Root) -> dict[str, str]:
    """All that is in the folder of the root, but the root."""
    folder = folder_of(root).parent
    return {
        name: what for name, what in snapshot(folder).items() if not Path(name).is_relative_to(folder_of(root).name)
    }


def filters(name: str) -> Filters:
    return Filters(methods=(name,), benchmarks=(name,))


def status(root: Root, tag: str, which: Filters) -> object:
    return read_status(root, tag, which, costs=Costs({}), now=0.0, workers=1)


def plan_of(root: Root, *, study: str | None = None, tag: str | None = TAG, **changes: tuple[str, ...] | str) -> object:
    request = LaunchRequest(Overrides(**changes), study, tag, results=root.store.location(""))  # type: ignore[arg-type]
    return plan_launch(request, REGISTRY)


def run_of(
    root: Root, *, study: str | None = None, tag: str | None = None, method: str = "RS", **changes: object
) -> object:
    wanted = Overrides(methods=(method,), **changes)  # type: ignore[arg-type]
    return plan_run(RunRequest(wanted, study, tag, 5, root.store.location("")), REGISTRY)


def study_file(root: Root, name: str) -> object:
    """A study file with such a name, or as a value in it."""
    Path("study.toml").write_bytes(f"tag = {name!r}\nmethods = [{name!r}]".encode(errors="surrogatepass"))
    try:
        return plan_of(root, study="study.toml", tag=None)
    finally:
        Path("study.toml").unlink()


def study_of(name: str) -> Study:
    return Study(name, name, methods=(name,), benchmarks=(name,))


CALLS: dict[str, Callable[[Root, str], object]] = {
    "run: tag": lambda root, name: run_of(root, tag=name),
    "run: method": lambda root, name: run_of(root, method=name),
    "run: benchmark": lambda root, name: run_of(root, benchmarks=(name,)),
    "run: study": lambda root, name: run_of(root, study=name),
    "run: setting": lambda root, name: run_of(root, settings=(name,)),
    "launch: tag": lambda root, name: plan_of(root, tag=name),
    "launch: method": lambda root, name: plan_of(root, methods=(name,)),
    "launch: benchmark": lambda root, name: plan_of(root, benchmarks=(name,)),
    "launch: study": lambda root, name: plan_of(root, study=name),
    "launch: launcher": lambda root, name: plan_of(root, launcher=name),
    "launch: study file": study_file,
    "a study": lambda root, name: find_study(name, REGISTRY, Path.cwd()),
    "attempts": lambda root, name: read_attempts(root.store, name, verify=True),
    "status: tag": lambda root, name: status(root, name, Filters()),
    "status: filters": lambda root, name: status(root, TAG, filters(name)),
    "logs: tag": lambda root, name: find_logs(root, name, Filters()),
    "logs: filters": lambda root, name: find_logs(root, TAG, filters(name)),
    "a plan of a tag": lambda root, name: keep_plan(root.store, name, STUDY, name),
    "a plan of a study": lambda root, name: keep_plan(root.store, TAG, study_of(name), name),
    "a plan by name": lambda root, name: read_plan(root.store, TAG, name),
    "plans": lambda root, name: read_plans(root.store, name),
    "a random seed": lambda root, name: keep_random_seed(root.store, name, 5),
    "the random seed": lambda root, name: stored_random_seed(root.store, name),
    "a claim": lambda root, name: root.claims.take(name) and root.claims.release(name),  # type: ignore[func-returns-value]
}


@pytest.mark.timeout(600)
def test_hostile_names_lead_nowhere(root: Root) -> None:
    """Each name goes to one of the calls; what comes out is an answer or an error of ours, and the canaries live."""
    rng = generator("names")
    before = around(root)
    calls = list(CALLS.items())
    refused = 0
    for number in range(NAMES):
        what, call = calls[number % len(calls)]
        name = hostile(rng, folder_of(root).parent / "outside")
        try:
            call(root, name)
        except HpoctlError as error:
            refused += 1
            lines = f"{error.what}{error.fix}".splitlines()
            assert len(lines) == 1, f"{what} {name!r}: an error of several lines ({LANE})"
        except Exception as error:
            raise AssertionError(f"{what} {name!r}: {type(error).__name__} ({LANE})") from error
        if number % 100 == 0:
            assert around(root) == before, f"something happened outside before {what} {name!r} ({LANE})"
    assert around(root) == before, LANE
    assert refused > NAMES / 2
    assert [attempt.recorded for attempt in read_attempts(root.store, TAG)] == ["completed"]


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a b", "-rf", "..a", "a\\b", "é", unicodedata.normalize("NFD", "é"), "CON", "x" * 250, b"\xff\xfe", "*"],
    ids=ascii,
)
def test_hostile_files_in_a_tree_hide_nothing_else(root: Root, name: str | bytes) -> None:
    """Folders and files of such names, written by another program, at each level; sound results are still found."""
    text = os.fsdecode(name)
    top = folder_of(root)
    for folder in (top / text, top / TAG / text, top / TAG / "RS" / text, top / TAG / "RS" / f"{text} 2"):
        folder.mkdir()
        (folder / METADATA).write_text("{}")
        (folder / text).write_text("x")
    for folder in (top / TAG / CONTROL / "plans", top / TAG / CONTROL / "launches"):
        folder.mkdir(exist_ok=True)
        (folder / f"{text[:200]}.txt").write_text("x")
    before = around(root)
    attempts = read_attempts(root.store, TAG, verify=True)
    assert [attempt.cell for attempt in attempts if attempt.recorded == "completed"] == [Cell("RS", "toy", 0)]
    # A name that no result can have is not looked at; what has a legal one and cannot be read is named.
    assert sum(attempt.recorded == "damaged" for attempt in attempts) == (0 if BAD.search(text) else 3)
    assert status(root, TAG, Filters())
    assert TAG in {summary.tag for summary in list_tags(root).tags}
    assert find_logs(root, TAG, Filters(methods=("RS",))).attempts
    plan = plan_launch(LaunchRequest(tag=TAG, results=str(top), allow_mixed=True), REGISTRY)
    assert (plan.done, plan.experiments) == (1, 0)
    assert around(root) == before


@pytest.mark.parametrize("name", ["a\nb", "..a", "é", "x" * 250, "0002-abc"], ids=ascii)
def test_a_plan_that_nobody_wrote_is_named(root: Root, name: str) -> None:
    file = folder_of(root) / TAG / CONTROL / "plans" / f"{name}.json"
    file.write_text("{}")
    with pytest.raises(IncompleteError) as caught:
        plan_of(root)
    assert name.replace("\n", "\\n") in caught.value.what
    assert len(caught.value.what.splitlines()) == 1
    found = read_status(root, TAG, Filters(), costs=Costs({}), now=0.0, workers=1)
    assert found.totals.done == 1
    assert len(found.problems) == 1


LINKS: dict[str, str] = {
    "the tag": TAG,
    "a method": f"{TAG}/RS",
    "an experiment": f"{TAG}/RS/docs-2-toy-1-20260102-030405-000000",
    "the plans and launches": f"{TAG}/{CONTROL}",
    "the plans": f"{TAG}/{CONTROL}/plans",
    "the launches": f"{TAG}/{CONTROL}/launches",
    "the claims": CLAIMS,
    "the random seed": f"{TAG}/study.json",
    "metadata": f"{TAG}/RS/docs-2-toy-0-20260102-030405-000001/{METADATA}",
    "results": f"{TAG}/RS/docs-2-toy-0-20260102-030405-000001/{RESULTS}",
}


@pytest.mark.parametrize("target", ["folder", "file", "missing", "circle"])
@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_links_in_a_tree_lead_nothing_out_of_it(root: Root, link: str, target: str) -> None:
    """A link in place of any part of the tree: what is behind it stays as it is, launched or not."""
    place = folder_of(root) / link
    place.parent.mkdir(parents=True, exist_ok=True)
    outside = folder_of(root).parent / "outside"
    if place.exists():
        place.rename(outside / place.name)
    place.symlink_to(
        {"folder": outside, "file": outside / "canary", "missing": outside / "new", "circle": place}[target]
    )
    before = around(root)
    with suppress(HpoctlError):
        read_attempts(root.store, TAG, verify=True)
    with suppress(HpoctlError):
        status(root, TAG, Filters())
    with suppress(HpoctlError):
        list_tags(root)
    with suppress(HpoctlError):
        find_logs(root, TAG, Filters())
    with suppress(HpoctlError), no_stderr():
        launch_here(LaunchRequest(Overrides(num_seeds=2), tag=TAG, results=root.store.location("")), REGISTRY)
    assert around(root) == before


def test_commands_refuse_hostile_names_in_two_lines(root: Root) -> None:
    """At the command line: an error of two lines, exit code 1 to 3, no traceback; for any bytes."""
    study = ToyStudy(folder_of(root).parent)
    study.install()
    before = around(root)
    commands = {
        "../outside": ("launch", "--tag={}"),
        os.fsdecode(b"\xff"): ("launch", "--study={}.toml"),
        "a\nb": ("status", "--tag={}"),
        "-rf": ("logs", "--tag={}"),
        "x" * 300: ("run", "--method=RS", "--benchmark=toy", "--tag={}"),
        "\x1b[31m/study": ("launch", "--study={}"),
        "é": ("launch", "--method={}"),
    }
    for name, words in commands.items():
        answer = study.run(*(word.format(name) for word in words))
        assert answer.returncode in {1, 2, 3}, (words, answer)
        assert "Traceback" not in answer.stderr, answer.stderr
        assert [line[:6] for line in answer.stderr.splitlines()] == ["error:", "  fix:"], answer.stderr
    assert around(root) == before
