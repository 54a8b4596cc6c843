"""`hpoctl plot` as a person uses it: real experiments on toys, pictures, numbers, errors."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command_line import CommandLine
from hpoctl.analysis.run_times import CURVE
from hpoctl.core.cells import Cell
from hpoctl.stores.local import LocalStore
from trees import TAG, put_attempt


def test_a_figure_is_the_same_twice_and_from_the_cache(study: CommandLine) -> None:
    path = study.root.parent / "x.svg"
    answer = study("plot", "--tag", "t", "--output", str(path))
    assert answer.code == 0, answer.err
    assert f"wrote {path}" in answer.out
    first = path.read_bytes()
    assert first.startswith(b"<?xml")
    assert study("plot", "--tag", "t", "--output", str(path)).code == 0  # from the cache
    assert path.read_bytes() == first
    shutil.rmtree(study.root.parent / "cache")
    assert study("plot", "--tag", "t", "--output", str(path)).code == 0
    assert path.read_bytes() == first


def test_the_numbers_behind_the_figure(study: CommandLine) -> None:
    answer = study("plot", "--tag", "t", "--json", "--aggregate", "mean")
    data = answer.json["data"]
    assert {(each["method"], each["benchmark"], each["mode"]) for each in data["setups"]} == {
        ("RS", "toy", "min"),
        ("RS", "toy-max", "max"),
        ("ASHA", "toy", "min"),
        ("ASHA", "toy-max", "max"),
    }
    for each in data["setups"]:
        assert each["seeds"] == [0, 1, 2]
        assert each["times"][-1] == 200.0
        assert each["centre"][-1] == pytest.approx(sum(each["finals"]) / 3)
        assert each["low"][-1] <= each["centre"][-1] <= each["high"][-1]
    assert data["skipped"] == data["notes"] == []
    assert data["aggregate"] == "mean over seeds"


def test_what_is_missing_is_said(study: CommandLine) -> None:
    for path in study.root.glob("t/ASHA/t-toy-1-*/metadata.json"):
        path.write_text(path.read_text()[:-20])
    answer = study("plot", "--tag", "t", "--terminal", "--benchmark", "toy")
    assert answer.code == 0
    assert "metadata.json is damaged" in answer.err
    assert "left out" in answer.err
    for path in study.root.glob("t/RS/t-toy-2-*/results.parquet"):
        path.unlink()
    answer = study("plot", "--tag", "t", "--terminal", "--benchmark", "toy")
    assert "RS on toy: 2 of 3 seeds, without 2." in answer.out
    assert "2 of 3" in answer.out
    skipped = study("plot", "--tag", "t", "--json", "--benchmark", "toy").json["data"]["skipped"]
    assert {entry["kind"] for entry in skipped} == {"damaged"}
    assert all(Path(entry["path"]).is_dir() for entry in skipped)


def test_a_chart_in_the_terminal(study: CommandLine) -> None:
    answer = study("plot", "--tag", "t", "--terminal", COLUMNS="80")
    assert answer.code == 0, answer.err
    assert "● ASHA  ▲ RS" in answer.out
    assert answer.out.count("toy-max") >= 2
    assert all(len(line) <= 80 for line in answer.out.splitlines() if "●" in line)
    assert "\x1b" not in answer.out


def test_groups_and_filters(study: CommandLine) -> None:
    groups = ("--group", "random=RS", "--group", "halving=ASHA")
    path = study.root.parent / "x.svg"
    answer = study("plot", "--tag", "t", *groups, "--output", str(path), "--json", "--where", "n_workers>=1")
    assert answer.json["data"]["panels"] == [
        {"title": "random", "methods": ["RS"]},
        {"title": "halving", "methods": ["ASHA"]},
    ]
    assert "toy-max: halving" in path.read_text()
    alone = study("plot", "--tag", "t", "--group", "halving=ASHA", "--json").json["data"]["setups"]
    assert {each["method"] for each in alone} == {"ASHA"}
    only = study("plot", "--tag", "t", "--method", "RS", "--seed", "0-1", "--json", "--no-groups").json["data"]
    assert [(each["method"], each["seeds"]) for each in only["setups"]] == [("RS", [0, 1])] * 2


def test_two_tags_are_put_together(study: CommandLine) -> None:
    answer = study(
        "run", "--method", "RS", "--benchmark", "toy", "--tag", "u", "--num-seeds", "2", "--random-seed", "6"
    )
    assert answer.code == 0
    data = study("plot", "--tag", "t", "--tag", "u", "--benchmark", "toy", "--json").json["data"]
    assert [each["method"] for each in data["setups"]] == ["ASHA", "RS (t)", "RS (u)"]
    assert any("different random seeds" in note for note in data["notes"])
    grouped = study("plot", "--tag", "t", "--tag", "u", "--benchmark", "toy", "--json", "--group", "all RS=RS")
    assert grouped.json["data"]["panels"] == [{"title": "all RS", "methods": ["RS (t)", "RS (u)"]}]


def test_the_panels_of_a_study_file(cli: CommandLine) -> None:
    file = cli.root.parent / "study.toml"
    file.write_text(
        'methods = ["RS", "ASHA"]\nbenchmarks = ["toy"]\nmax_wallclock_time = 100\n[panels]\n'
        '"without rungs" = ["RS"]\nrungs = ["ASHA"]\n'
    )
    assert cli("launch", "--study", str(file), "--tag", "p").code == 0
    panels = cli("plot", "--tag", "p", "--json").json["data"]["panels"]
    assert [panel["title"] for panel in panels] == ["without rungs", "rungs"]
    assert cli("plot", "--tag", "p", "--json", "--no-groups").json["data"]["panels"][0]["methods"] == ["RS", "ASHA"]


def test_other_figures(study: CommandLine) -> None:
    made = set()
    for words in (("--kind", "strip", "--aggregate", "median"), ("--simultaneous", "--bootstrap-seed", "3")):
        path = study.root.parent / "y.png"
        assert study("plot", "--tag", "t", "--output", str(path), *words).code == 0
        made.add(path.read_bytes())
    assert len(made) == 2


def test_metrics_that_are_never_finite_are_nothing_to_draw(cli: CommandLine) -> None:
    cli("run", "--method", "RS", "--benchmark", "toy-nan", "--tag", "n", "--max-wallclock-time", "50")
    answer = cli("plot", "--tag", "n", "--terminal")
    assert answer.code == 3
    assert "No experiment reported a finite value." in answer.err


SIZES = """
from hpoctl.plugins import ExtraResults, Study, hookimpl


class Sizes:
    def keys(self):
        return ["num_at_level1", "num_at_level3", "trials"]

    def __call__(self, view):
        rungs = {f"num_at_level{rung.level}": rung.entries for rung in view.rungs() if rung.level <= 3}
        return {**rungs, "trials": view.num_trials}


@hookimpl
def hpoctl_extra_results():
    yield ExtraResults("sizes", "Sizes of rungs", Sizes)
"""


@pytest.fixture
def sizes(cli: CommandLine) -> CommandLine:
    """Two seeds of RS and ASHA on a toy, with sizes of rungs, tag s."""
    cli.install("sizes-plugin", SIZES)
    file = cli.root.parent / "study.toml"
    file.write_text(
        'methods = ["RS", "ASHA"]\nbenchmarks = ["toy"]\nmax_wallclock_time = 200\nextra_results = ["sizes"]\n'
        "num_seeds = 2\n"
    )
    plugins = {"HPOCTL_PLUGINS": "toys-plugin,sizes-plugin"}
    answer = cli("launch", "--study", str(file), "--tag", "s", "--random-seed", "5", **plugins)
    assert answer.code == 0, answer.err
    return cli


def test_sizes_of_rungs_and_other_extra_results(sizes: CommandLine) -> None:
    path = sizes.root.parent / "x.svg"
    answer = sizes("plot", "--tag", "s", "--kind", "rungs", "--output", str(path), "--terminal", COLUMNS="80")
    assert answer.code == 0, answer.err
    assert "● level 1  ▲ level 3" in answer.out
    assert "Without such results, and so not drawn: RS." in answer.out
    assert "median over seeds; quartiles over seeds" in answer.out
    assert "level 3" in path.read_text()
    data = sizes("plot", "--tag", "s", "--kind", "rungs", "--json").json["data"]
    assert data["panels"] == [{"title": "ASHA", "methods": ["num_at_level1", "num_at_level3"]}]
    low, high = data["setups"]
    assert (low["metric"], low["mode"], low["seeds"]) == ("num_at_level1", None, [0, 1])
    assert low["finals"] > high["finals"] > [0, 0]
    assert low["centre"][-1] == sum(low["finals"]) / 2
    mean = sizes("plot", "--tag", "s", "--extra", "tri*", "--aggregate", "mean", "--json").json["data"]
    assert [(each["method"], each["metric"]) for each in mean["setups"]] == [("RS", "trials"), ("ASHA", "trials")]
    assert (mean["kind"], mean["aggregate"]) == ("extra", "mean over seeds")
    wrong = sizes("plot", "--tag", "s", "--extra", "rungs", "--json")
    assert wrong.code == 2
    assert wrong.json["errors"][0]["fix"] == "There are: num_at_level1, num_at_level3, trials."


def test_lines_against_what_was_spent(study: CommandLine) -> None:
    path = study.root.parent / "x.svg"
    words = ("--tag", "t", "--benchmark", "toy", "--output", str(path))
    for axis, label in (("resource", "spent by all trials together"), ("trials", "trials started")):
        answer = study("plot", "--x", axis, *words, "--terminal")
        assert answer.code == 0, answer.err
        assert label in path.read_text()
        assert "95 % interval at each point" in answer.out
    asha, rs = sorted(
        study("plot", "--x", "trials", *words, "--json").json["data"]["setups"], key=lambda each: each["method"]
    )
    frame_ends = {"ASHA": asha["times"][-1], "RS": rs["times"][-1]}
    assert frame_ends["ASHA"] > frame_ends["RS"] >= 1
    assert asha["times"] == [round(place) for place in asha["times"]]


def test_the_learning_curves_of_one_experiment(study: CommandLine) -> None:
    path = study.root.parent / "x.png"
    words = ("plot", "--tag", "t", "--kind", "curves", "--output", str(path))
    several = study(*words, "--benchmark", "toy")
    assert several.code == 2
    assert "--kind curves draws one experiment, and 6 fit." in several.err
    assert f"--method ASHA --benchmark toy --seed 0 --output {path}`" in " ".join(several.err.split())
    one = ("--method", "ASHA", "--benchmark", "toy", "--seed", "1")
    answer = study(*words, *one)
    assert answer.code == 0, answer.err
    assert "t: ASHA toy seed 1" in answer.out
    assert f"wrote {path}" in answer.out
    first = path.read_bytes()
    data = study(*words, *one, "--json").json["data"]
    assert path.read_bytes() == first
    assert (data["method"], data["benchmark"], data["seed"], data["mode"]) == ("ASHA", "toy", 1, "min")
    levels = data["levels"]
    assert [level["level"] for level in levels] == sorted(level["level"] for level in levels)
    assert levels[0]["reached"] == levels[0]["went on"] + levels[0]["paused, never resumed"]
    assert sum(level["went on"] for level in levels) == data["counts"]["went on"]
    trial = next(trial for trial in data["trials"] if "went on" in trial["decisions"].values())
    assert len(trial["resources"]) == len(trial["values"]) > 1
    assert {"trials." in note for note in data["notes"]} == {True}


def test_the_curves_of_a_damaged_experiment(study: CommandLine) -> None:
    (path,) = study.root.glob("t/RS/t-toy-0-*/results.parquet")
    path.write_bytes(b"x" * path.stat().st_size)
    words = ("--method", "RS", "--benchmark", "toy", "--seed", "0", "--kind", "curves", "--json")
    answer = study("plot", "--tag", "t", *words)
    assert answer.code == 3
    assert "No complete experiment of tag t fits; 1 is left out: " in answer.json["errors"][0]["what"]


def test_the_profile_of_a_method_that_is_twice_as_fast_is_moved_by_a_factor_of_two(cli: CommandLine) -> None:
    places = 9
    twice = (CURVE[-1] / CURVE[0]) ** (places / (len(CURVE) - 1))  # 1.995: so many places of the curve
    for benchmark, seeds in (("toy", 6), ("toy-2", 5)):
        for seed in range(seeds):
            times = np.cumsum(np.random.default_rng(seed).uniform(20.0, 60.0, 9 - seed))  # fewer and worse values
            for method, fast in (("SLOW", 1.0), ("FAST", twice)):
                put_curve_at(LocalStore(cli.root), Cell(method, benchmark, seed), times / fast)
    path = cli.root.parent / "profile.svg"
    answer = cli("plot", "--tag", TAG, "--kind", "profile", "--output", str(path), "--json")
    assert answer.code == 0, answer.err
    data = answer.json["data"]
    assert (data["kind"], data["x"], data["aggregate"]) == ("profile", "budget", "mean over seeds")
    found = {(each["method"], each["benchmark"]): each for each in data["setups"]}
    assert {benchmark for _, benchmark in found} == {"toy", "toy-2", "all benchmarks"}
    assert found["SLOW", "all benchmarks"]["seeds"] == [0, 1, 2, 3, 4]  # those of both benchmarks
    for benchmark in ("toy", "toy-2", "all benchmarks"):
        slow, fast = (found[method, benchmark] for method in ("SLOW", "FAST"))
        assert fast["centre"][:-places] == pytest.approx(slow["centre"][places:])
        assert 0.0 == slow["centre"][0] < slow["centre"][-1] <= fast["centre"][-1] <= 1.0
        assert all(0.0 <= low <= high <= 1.0 for low, high in zip(slow["low"], slow["high"], strict=True))
    drawn = path.read_text()
    assert "share of the budget (%)" in drawn
    assert "all benchmarks" in drawn
    shown = cli("plot", "--tag", TAG, "--kind", "profile", "--terminal", COLUMNS="80")
    assert shown.code == 0, shown.err
    assert "all benchmarks: share of targets and seeds reached" in shown.out


def put_curve_at(store: LocalStore, cell: Cell, times: np.ndarray) -> None:
    """A complete result that reports losses of 10, 9, ... at these times."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"st_tuner_time": times, "loss": 10.0 - np.arange(float(len(times)))}), sink)
    put_attempt(
        store,
        cell,
        rows=bytes(sink.getvalue()),
        metric_names=["loss"],
        metric_mode="min",
        max_wallclock_time=400.0,
    )


WRONG = [
    ((), 2, "No --output says where the figure goes."),
    (("--output", "x.jpg"), 2, "x.jpg names no format of pictures."),
    (("--output", "no/x.png"), 2, "There is no folder no."),
    (("--terminal", "--json"), 2, "--terminal and --json both write to standard output."),
    (("--terminal", "--kind", "strip"), 2, "--terminal draws lines"),
    (("--terminal", "--kind", "curves"), 2, "--terminal draws lines"),
    (("--terminal", "--kind", "rungs", "--extra", "a"), 2, "--extra is a separate figure."),
    (("--json", "--kind", "strip", "--x", "trials"), 2, "--x is for the best value so far."),
    (("--json", "--kind", "profile", "--x", "trials"), 2, "--x is for the best value so far."),
    (("--json", "--kind", "profile", "--aggregate", "median"), 2, "A run-time profile is a share of seeds, a mean."),
    (("--json", "--extra", "a", "--x", "trials"), 2, "--x is for the best value so far."),
    (("--json", "--kind", "rungs"), 2, "No experiment has an extra result 'num_at_level*'."),
    (
        ("--json", "--kind", "rungs", "--no-groups"),
        2,
        "--no-groups would say nothing about extra results",
    ),
    (
        ("--json", "--kind", "curves", "--aggregate", "mean"),
        2,
        "--aggregate would say nothing about the curves of one experiment.",
    ),
    (("--terminal", "--group", "a"), 2, "--group cannot be 'a'"),
    (("--terminal", "--group", "a=RS", "--group", "a=ASHA"), 2, "--group 'a' is given twice."),
    (("--terminal", "--group", "a=AHSA"), 2, "Unknown method 'AHSA'."),
    (("--terminal", "--group", "a=RS", "--no-groups"), 2, "do not go together"),
    (("--terminal", "--simultaneous", "--aggregate", "median"), 2, "The quartiles around a median are no interval"),
    (("--terminal", "--method", "AHSA"), 2, "Tag t has no method 'AHSA'."),
    (("--terminal", "--where", "n_workers=99"), 3, "No complete experiment of t has n_workers=99."),
]


def test_errors(cli: CommandLine) -> None:
    cli("run", "--method", "RS", "--benchmark", "toy", "--tag", "t", "--max-wallclock-time", "30")
    for words, code, what in WRONG:
        answer = cli("plot", "--tag", "t", *words)
        shown = json.loads(answer.out)["errors"][0]["what"] if "--json" in words else answer.err
        assert (answer.code, what in shown) == (code, True), (words, shown)


def test_a_tag_that_is_not_there(cli: CommandLine) -> None:
    answer = cli("plot", "--tag", "none", "--terminal")
    assert answer.code == 3
    assert "There is nothing of tag none" in answer.err


def test_results_of_two_metrics_are_not_drawn_into_one_panel(study: CommandLine) -> None:
    from hpoctl.core.cells import METADATA
    from hpoctl.core.sealed import seal, unseal

    for path in study.root.glob(f"t/ASHA/t-toy-[012]-*/{METADATA}"):
        metadata = unseal(path.read_bytes())
        path.write_bytes(seal({**metadata, "metric_mode": "max"}))
    answer = study("plot", "--tag", "t", "--terminal")
    assert answer.code == 2
    assert "Results on toy are of different metrics" in answer.err
