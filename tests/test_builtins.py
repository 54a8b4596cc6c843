"""Every built-in method keeps the contract of a method, with its default and with other options."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from hpoctl.builtins import ASHA, BO, HYPERBAND, MEDIAN, MOBSTER, RS, SYNCHB, hpoctl_methods
from hpoctl.core.columns import ExperimentView
from hpoctl.core.entries import ExtraResults, Method, MethodContext
from hpoctl.core.protocols import RungState, Scheduler
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.schedulers.gp_searcher import GpSearcher
from hpoctl.schedulers.hyperband import Hyperband
from hpoctl.schedulers.median_stopping import MedianStopping
from hpoctl.schedulers.mf_searcher import MultiFidelitySearcher
from hpoctl.schedulers.options import (
    AshaOptions,
    BoOptions,
    HyperbandOptions,
    MedianOptions,
    MobsterOptions,
    SyncHyperbandOptions,
)
from hpoctl.schedulers.sync_hyperband import SyncHyperband
from hpoctl.testing import check_method, run_quietly, run_spec, toy_benchmark
from hpoctl.testing.hard_cases import SHALLOW, FormulaToy
from hpoctl.testing.methods import same_rows
from hpoctl.testing.toys import MAX_EPOCHS

METHODS = {
    "RS": RS,
    "BO": BO,
    "ASHA": ASHA,
    "ASHA stopping": ASHA.with_options(AshaOptions(type="stopping")),
    "ASHA brackets": ASHA.with_options(AshaOptions(brackets=3, reduction_factor=2)),
    "HYPERBAND": HYPERBAND,
    "HYPERBAND stopping": HYPERBAND.with_options(HyperbandOptions(type="stopping", reduction_factor=2, brackets=3)),
    "SYNCHB": SYNCHB,
    "SYNCHB halving": SYNCHB.with_options(SyncHyperbandOptions(reduction_factor=2, brackets=1)),
    "MEDIAN": MEDIAN,
    "MEDIAN late": MEDIAN.with_options(MedianOptions(grace_period=5, level_factor=3, min_trials=1)),
    "MOBSTER": MOBSTER,
    "MOBSTER stopping": MOBSTER.with_options(MobsterOptions(type="stopping", grace_period=3)),
}


TRIALS = {"RS": 5000, "ASHA": 5000, "HYPERBAND": 5000, "SYNCHB": 5000, "MEDIAN": 5000, "MOBSTER": 5000, "BO": 150}
"""How many trials they have to manage. Each suggestion of BO takes some 10 ms: thousands would take a minute."""


@pytest.mark.parametrize(("name", "method"), METHODS.items(), ids=METHODS)
def test_contract(name: str, method: Method) -> None:
    check_method(method, trials=TRIALS.get(name, 500))


def test_the_names_and_which_are_expensive() -> None:
    assert {method.name: method.expensive for method in hpoctl_methods()} == {
        "RS": False,
        "BO": True,
        "ASHA": False,
        "HYPERBAND": False,
        "SYNCHB": False,
        "MEDIAN": False,
        "MOBSTER": True,
    }


@pytest.mark.parametrize("method", [RS, BO, ASHA, HYPERBAND, SYNCHB, MEDIAN, MOBSTER], ids=lambda method: method.name)
def test_a_variant_uses_its_fixed_values_everywhere(method: Method) -> None:
    benchmark = toy_benchmark()
    rows = run_quietly(method.with_fixed({"activation": "relu"}, name="VARIANT"), benchmark)
    assert len(rows.configs) > 3
    assert {config["activation"] for config in rows.configs} == {"relu"}


def test_trial_0_is_the_middle_and_initial_configurations_are_shared() -> None:
    benchmark = toy_benchmark()
    methods = (RS, BO, MOBSTER, ASHA, HYPERBAND, SYNCHB, MEDIAN)
    firsts = [run_quietly(method, benchmark).configs[:4] for method in methods]
    assert firsts[0][0] == benchmark.space.middle()
    assert all(first == firsts[0] for first in firsts)


@pytest.mark.parametrize("searcher", [GpSearcher, MultiFidelitySearcher])
@pytest.mark.parametrize(
    ("scheduler", "options"),
    [
        (Hyperband, HyperbandOptions()),
        (SyncHyperband, SyncHyperbandOptions()),
        (MedianStopping, MedianOptions()),
    ],
)
def test_halving_takes_any_searcher(scheduler: Any, options: Any, searcher: Any) -> None:
    settings = BoOptions() if searcher is GpSearcher else MobsterOptions()

    def make(context: MethodContext, options: Any) -> Scheduler:
        return scheduler(searcher(context, settings), context, options)

    method = Method("COMBINED", "Two pieces", "combined", make, options)
    rows = run_quietly(method, toy_benchmark())
    assert len(rows.configs) > 10
    assert rows.resources.max() == MAX_EPOCHS
    assert same_rows(rows, run_quietly(method, toy_benchmark()))


@pytest.mark.parametrize("method", [HYPERBAND, SYNCHB, MEDIAN], ids=lambda method: method.name)
@pytest.mark.parametrize("workers", [1, 4, 40])
def test_no_worker_idles(method: Method, workers: int) -> None:
    """Trials take 13 s an epoch or less; what is lost is the starts and stops, and what runs when the time is over."""
    benchmark = replace(toy_benchmark(partial(FormulaToy, SHALLOW), budget=1000.0), n_workers=workers)
    rows = run_quietly(method, benchmark)
    trained = sum(rows.elapsed[rows.trial_ids == trial].max(initial=0.0) for trial in range(len(rows.configs)))
    assert trained > 0.9 * workers * 1000.0


@pytest.mark.parametrize("method", [ASHA, HYPERBAND, SYNCHB, MEDIAN], ids=lambda method: method.name)
def test_rungs_can_be_recorded(method: Method) -> None:
    """A composer sees levels from the top down and, as ASHA's columns do, how many trials reached each."""
    seen: list[Sequence[RungState]] = []

    class Recorder:
        def keys(self) -> Sequence[str]:
            return ("entries",)

        def __call__(self, view: ExperimentView) -> dict[str, int]:
            seen.append(view.rungs())
            return {"entries": sum(rung.entries for rung in view.rungs())}

    spec = ExperimentSpec("rungs", method, toy_benchmark(), 0, 7)
    rows = run_spec(replace(spec, extra_results=(ExtraResults("entries", "Entries of all rungs", Recorder),)))
    levels = [rung.level for rung in seen[-1]]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == 1
    assert all(0.0 < rung.quantile < 1.0 for rung in seen[-1])
    assert rows.extra["entries"][-1] == sum(rung.entries for rung in seen[-1]) > 20
    # A trial of a later bracket passes lower levels without being compared there.
    assert all(0 < rung.entries <= (rows.resources == rung.level).sum() for rung in seen[-1])
