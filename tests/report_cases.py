"""Data of reports made by hand: a few methods and benchmarks, hostile names, everything that can be missing."""

from collections.abc import Mapping, Sequence

import numpy as np

from hpoctl.analysis.report_data import Costs, Experiment, Fact, LeftOut, ReportData, Rungs
from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import Mode

HOSTILE = (
    "<script>document.title='gone'</script>",
    "</script><img src=x onerror=\"document.title='gone'\">",
    "\"quoted\" & 'single' {{title}}",
    "naïve-λ-日本\u2028line",
)


def experiment(
    method: str,
    benchmark: str,
    seed: int,
    *,
    best: float = 0.2,
    spread: float = 1.0,
    mode: Mode = "min",
    budget: float = 100.0,
    rungs: bool = False,
    reported: bool = True,
) -> Experiment:
    """An experiment whose values improve in random steps, the same every time; `reported`: it has finite values."""
    generator = np.random.default_rng([seed, len(method), *method.encode()[:4], *benchmark.encode()[:4]])
    times = np.sort(generator.uniform(0.5, 1.2 * budget, 9)) if reported else np.empty(0)
    values = best * np.exp(spread * np.sort(generator.uniform(0.0, 1.0, len(times)))[::-1])
    if mode == "max":
        values = 1.0 - values
    identity = f"identity of {method} {benchmark} {seed}"
    trace = Trace(
        "tag", method, benchmark, seed, identity, "loss", mode, budget, times[times <= budget], values[times <= budget]
    )
    counts = np.floor(np.linspace(0.0, 30.0 + seed, 40)[None] / np.array([[1.0], [3.0]]))
    costs = Costs(20.0 + seed, 300.0, 0.01 * (seed + 1), 0.5, 0.6)
    return Experiment(trace, "f" * 64, costs, Rungs((1, 3), counts) if rungs else None)


def report_data(
    experiments: Sequence[Experiment],
    *,
    missing: Mapping[tuple[str, str], int] | None = None,
    left_out: Sequence[LeftOut] = (),
    modelled: Sequence[str] = (),
    panels: Mapping[str, tuple[str, ...]] | None = None,
) -> ReportData:
    """The data of a report of these experiments; `missing` has how many more are wanted by benchmark and method."""
    methods = tuple(dict.fromkeys(each.trace.method for each in experiments))
    benchmarks = tuple(dict.fromkeys(each.trace.benchmark for each in experiments))

    def wanted(benchmark: str, method: str) -> int:
        have = sum((each.trace.benchmark, each.trace.method) == (benchmark, method) for each in experiments)
        return have + (missing or {}).get((benchmark, method), 0)

    return ReportData(
        tags=("tag",),
        methods=methods,
        benchmarks=benchmarks,
        experiments=tuple(experiments),
        wanted=tuple(tuple(wanted(benchmark, method) for method in methods) for benchmark in benchmarks),
        panels=panels or {},
        modelled=tuple(modelled),
        left_out=tuple(left_out),
        provenance=(Fact("Versions", "hpoctl", "0.1.0", len(experiments)),),
        repeat=("hpoctl launch --tag tag", "hpoctl report --tag tag"),
    )


def hostile_data(seeds: int = 8) -> ReportData:
    """Four methods with hostile names on three benchmarks: ratios, differences, a metric that is maximised."""
    every = []
    for place, name in enumerate(HOSTILE):
        for seed in range(seeds):
            size = 1.0 + 0.35 * place
            every.append(experiment(name, "ratios <b>", seed, best=0.01 * size, spread=4.0, rungs=place > 1))
            every.append(experiment(name, "differences", seed, best=0.2 * size, spread=0.5))
            every.append(experiment(name, "maximised", seed, best=0.1 * size, spread=0.7, mode="max"))
    lost = LeftOut(
        "missing", "tag", HOSTILE[0], "maximised", "8-9", 2, "tag", "it has not begun", "the seed is missing"
    )
    torn = LeftOut("damaged", "tag", "", "", "", 1, "tag/<i>x</i>", "its hash does not match", "left out")
    return report_data(
        every,
        missing={("maximised", HOSTILE[0]): 2},
        left_out=(lost, torn),
        modelled=("differences",),
        panels={"<u>panel</u>": HOSTILE[:2]},
    )


def uneven_data() -> ReportData:
    """What seldom happens: many and few seeds, ties, other budgets, rows so far, a method without a finite value."""
    every = [
        experiment(method, "many", seed, best=best) for method, best in (("A", 0.2), ("B", 0.21)) for seed in range(205)
    ]
    every += [experiment("A", "few", seed) for seed in range(3)] + [experiment("B", "few", 1, best=0.3)]
    every += [experiment("A", "tied", seed, best=0.2) for seed in range(8)]
    for seed in range(8):
        trace = (
            every[-8 + seed].trace
            if seed == 0
            else next(each.trace for each in every if (each.trace.benchmark, each.trace.seed) == ("tied", seed))
        )
        values = trace.values if seed < 3 else trace.values * 1.1
        other = Trace("tag", "B", "tied", seed, "", "loss", "min", 80.0, trace.times, values)
        every.append(Experiment(other, "e" * 64, complete=seed % 2 == 0))
    every += [experiment("C", "tied", seed, reported=False) for seed in range(2)]
    every.append(experiment("C", "nothing", 0, reported=False))
    return report_data(every)
