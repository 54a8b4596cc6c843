"""The tables of a comparison: a column is a title and a template, for every output alike."""

from collections.abc import Iterable, Iterator, Sequence

from hpoctl.analysis.comparison_model import BenchmarkComparison
from hpoctl.analysis.overall_model import Overall
from hpoctl.analysis.run_times import TIMES
from hpoctl.analysis.scores import THRESHOLDS
from hpoctl.analysis.shown import Column, Table, table

METHODS = (
    Column("method", "{method}"),
    Column("seeds", "{n:d}"),
    Column("median", "{median:.3g}"),
    Column("interquartile mean [95 %]", "{interquartile_mean:.3g} {interquartile_interval:.3g}"),
    Column("mean over time", "{mean_height:.3g}"),
    Column("better than", "{better:d}"),
    Column("undecided", "{undecided:d}"),
    Column("worse than", "{worse:d}"),
)

PAIRS = (
    Column("A", "{first}"),
    Column("B", "{second}"),
    Column("A is", "{verdict}"),
    Column("{kind} [{confidence}]", "{paired.shift:.3g} {paired.shift_interval:.3g}"),
    Column("p", "{p:p}"),
    Column("p Holm", "{p_holm:p}"),
    Column("P(A better) [{confidence}]", "{paired.improvement:.2f} {paired.improvement_interval:.2f}"),
    Column("seeds", "{paired.n:d}"),
    Column("mean {kind}", "{paired.mean:.3g}"),
    Column("median {kind}", "{paired.median:.3g}"),
    Column("at 25 %", "{moments.0.shift:.3g} {moments.0.interval:.3g}"),
    Column("at 50 %", "{moments.1.shift:.3g} {moments.1.interval:.3g}"),
    Column("at 75 %", "{moments.2.shift:.3g} {moments.2.interval:.3g}"),
    Column("speed-up of A over B [{confidence}]", "{speed.ratio:.2g} {speed.interval:.2g}"),
)
EQUIVALENCE = Column("p of a difference of {margin}", "{p_equivalent:p}")

OVERALL = (
    Column("method", "{method}"),
    Column("rank", "{mean_rank:.2f}"),
    Column("rank by seed [95 %]", "{mean_seed_rank.value:.2f} {mean_seed_rank.here:.2f}"),
    Column("regret [95 %]", "{score.value:.3f} {score.here:.3f}"),
    Column("rating [95 %]", "{rating.value:.0f} {rating.here:.0f}"),
    Column("win rate [95 %]", "{win_rate.value:.2f} {win_rate.here:.2f}"),
    *(Column(f"regret <= {level:g}", f"{{profile.{place}:.0%}}") for place, level in enumerate(THRESHOLDS)),
)

ALIKE = (
    Column("method", "{method}"),
    Column("rank by seed [95 %]", "{mean_seed_rank.value:.2f} {mean_seed_rank.alike:.2f}"),
    Column("regret [95 %]", "{score.value:.3f} {score.alike:.3f}"),
    Column("rating [95 %]", "{rating.value:.0f} {rating.alike:.0f}"),
)

OVERALL_PAIRS = (
    Column("A", "{first}"),
    Column("B", "{second}"),
    Column("A is here", "{verdict}"),
    Column("p Holm", "{p_holm:p}"),
    Column("mean difference", "{difference:.3f}"),
    Column("elsewhere", "{verdict_alike}"),
    Column("p Holm", "{p_alike_holm:p}"),
    Column("better", "{posterior.better:.2f}"),
    Column("equal", "{posterior.equivalent:.2f}"),
    Column("worse", "{posterior.worse:.2f}"),
)


def method_table(found: BenchmarkComparison, path: str) -> Table:
    """The methods of a benchmark, the best first."""
    equal = found.margin is not None or any(line.equivalent for line in found.methods)
    columns = [*METHODS, *([Column("equal to", "{equivalent:d}")] if equal else [])]
    return table(f"Methods on {found.benchmark}, the best first", columns, _items(found.methods, path, order_of(found)))


def order_of(found: BenchmarkComparison) -> list[int]:
    """The places of the methods of a benchmark by their interquartile means, the best first."""
    sign = -1.0 if found.mode == "max" else 1.0
    return sorted(range(len(found.methods)), key=lambda place: sign * found.methods[place].interquartile_mean)


def pair_table(found: BenchmarkComparison, path: str, level: float, margin: str | None = None) -> Table:
    """All pairs of methods of a benchmark."""
    columns = [*PAIRS[:6], *([EQUIVALENCE] if margin else []), *PAIRS[6:]]
    words = {
        "kind": "ratio A / B" if found.log else "difference A - B",
        "confidence": f"{100 * (1 - level):g} %",
        "margin": margin or "",
    }
    items = [(pair, f"{path}.pairs.{place}") for place, pair in enumerate(found.pairs)]
    return table(f"All pairs on {found.benchmark}", columns, items, keys=2, **words)


def run_time_table(found: BenchmarkComparison, path: str) -> Table:
    """Expected running times to targets, and the shares of targets and seeds that are reached over time."""
    columns = [
        Column("method", "{method}"),
        *(
            Column(f"to {target:.3g} (s)", f"{{expected.{place}:,.0f}} ({{reached.{place}:d}} of {{runs:d}})")
            for place, target in enumerate(found.targets)
        ),
        *(Column(f"by {100 * share:g} %", f"{{profile.{place}:.0%}}") for place, share in enumerate(TIMES)),
    ]
    caption = f"Expected running times on {found.benchmark}, and the share of targets and seeds reached by then"
    items = [(line, f"{path}.run_times.{place}") for place, line in enumerate(found.run_times)]
    return table(caption, columns, items)


def overall_tables(overall: Overall, path: str) -> Iterator[Table]:
    """The methods over these benchmarks and over benchmarks like these, and all pairs."""
    order = sorted(range(len(overall.methods)), key=lambda place: overall.methods[place].mean_rank)
    yield table("Methods on these benchmarks", OVERALL, _items(overall.methods, path, order))
    yield table("Methods on benchmarks like these", ALIKE, _items(overall.methods, path, order))
    items = [(pair, f"{path}.pairs.{place}") for place, pair in enumerate(overall.pairs)]
    yield table("Pairs over all benchmarks", OVERALL_PAIRS, items, keys=2)


def _items(methods: Sequence[object], path: str, order: Iterable[int]) -> list[tuple[object, str]]:
    return [(methods[place], f"{path}.methods.{place}") for place in order]
