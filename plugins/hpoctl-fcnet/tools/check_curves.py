"""How good the modelled curves are, on runs that the model had not seen: prints the tables of the data card.

    OPENBLAS_NUM_THREADS=1 python tools/check_curves.py

Writes data/gates.json, which `hpoctl blackbox info` shows. Networks are trained again, as `fit_curves.py` does, so that
none has seen the configuration that it is judged on; that takes minutes. Four kinds of curves are compared: real ones;
the smooth prediction of a run; what a table holds for the run's configuration when neither the networks nor the donors
of residuals have seen it (table); and, for spread and dips, the whole table that is packaged. For configurations that
were trained again, the shape of another seed's curve, ended at this run's final loss, shows how far the noise of
training alone lets anything come.
"""

import argparse
import json
from hashlib import sha256
from pathlib import Path

import numpy as np
from fit_curves import Folds, cross_fit, load_sample
from held_out import dips, rank_correlation, repeats_of, table_logs, targets_of

from hpoctl_fcnet.curves import expand, unpack
from hpoctl_fcnet.packed import curves_file, load_arrays, load_finals
from hpoctl_fcnet.runs import TRAINED_SETS, load_runs

DATA = Path(__file__).parents[1] / "src" / "hpoctl_fcnet" / "data"
EPOCHS = (1, 3, 9, 27, 81)
SPREAD_EPOCHS = (3, 9, 27)
WITHIN = 0.15
"""Relative differences from the real runs that the gates of spread and dips allow."""
RUNGS = ((4, 9), (11, 3), (33, 1))  # (epochs, remaining configurations)
START = 27
DRAWS = 4000
BOOTSTRAPS = 300
DRAWS_RESAMPLED = 200


def halving_regret(curves: np.ndarray, random: np.random.Generator, draws: int) -> float:
    """Mean log regret of successive halving over 27 random runs at rungs 4, 11 and 33.

    Args:
        curves: Log losses, shape (n, 100).
        random: Source of the draws.
        draws: How many races are run.
    """
    alive = np.argsort(random.random((draws, len(curves))), axis=1)[:, :START]
    best = curves[alive, -1].min(axis=1)
    for epoch, keep in RUNGS:
        order = np.argsort(curves[alive, epoch - 1], axis=1, kind="stable")[:, :keep]
        alive = np.take_along_axis(alive, order, axis=1)
    return float((curves[alive[:, 0], -1] - best).mean())


def rank_correlations(curves: np.ndarray) -> np.ndarray:
    """Spearman correlation of L(e) with L(100) at the epochs of the table."""
    return np.array([rank_correlation(curves[:, epoch - 1], curves[:, -1]) for epoch in EPOCHS])


def numbers(values: np.ndarray) -> str:
    """Correlations in one cell."""
    return " ".join(f"{value:.2f}".replace("0.", ".", 1) for value in values)


def spread(curves: np.ndarray) -> np.ndarray:
    """Median standard deviation between the seeds of a configuration at three epochs, for curves of (n, 4, 100)."""
    chosen = curves[:, :, np.array(SPREAD_EPOCHS) - 1]
    return np.array(np.median(chosen.std(axis=1, ddof=1), axis=0))


def whole_table(name: str) -> np.ndarray:
    """Log losses of all configurations of the packaged table, shape (62208, 4, 100)."""
    blocks = expand(unpack(load_arrays(curves_file(name))), load_finals(name).loss)
    return np.concatenate([np.log(block) for block in blocks])


def other_seeds(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Log losses of the runs that were repeated, and what seed 1 says of them, each of shape (n, 100)."""
    runs = load_runs(name)
    rows = {
        (int(config), int(seed)): row for row, (config, seed) in enumerate(zip(runs.config, runs.seed, strict=True))
    }
    pairs = [(rows[config, 0], row) for (config, seed), row in rows.items() if seed == 1]
    logs = np.log(runs.valid.astype(np.float64))
    here, there = logs[[first for first, _ in pairs]], logs[[second for _, second in pairs]]
    return here, there - there[:, -1:] + here[:, -1:]


def regret_interval(curves: np.ndarray) -> tuple[float, float]:
    """Bootstrap interval (95 %, over runs) of the halving regret."""
    random = np.random.default_rng(6)
    regrets = [
        halving_regret(curves[random.integers(0, len(curves), len(curves))], random, DRAWS_RESAMPLED)
        for _ in range(BOOTSTRAPS)
    ]
    low, high = np.quantile(regrets, [0.025, 0.975])
    return float(low), float(high)


def check(name: str, folds: Folds, member: np.ndarray) -> tuple[list[str], list[str]]:
    """Print the rows of a set; returns the rows of the second table, and a line for each gate."""
    model, targets, repeats = unpack(load_arrays(curves_file(name))), targets_of(name), repeats_of(name)
    if not np.array_equal(model.runs, repeats.config):
        raise SystemExit(f"{name}: the model was fitted to other runs; run tools/fit_curves.py")
    real = targets.curves
    smooth = real.copy()
    smooth[:, :-1] = folds.predict(targets.config, targets.own, member) + real[:, -1:]
    table = table_logs(model, targets, folds.predict(targets.config, targets.logs, member))
    low, high = regret_interval(real)
    regret = {}
    for kind, curves, fit in (
        ("real", real, "| | | "),
        ("smooth", smooth, agreement(real, smooth)),
        ("table", table[:, 0], agreement(real, ended_as(table[:, 0], real))),
    ):
        regret[kind] = halving_regret(curves, np.random.default_rng(7), DRAWS)
        interval = f" ({low:.3f} to {high:.3f})" if kind == "real" else ""
        late = np.mean(dips(curves) > 0.05)
        print(
            f"| {name} ({len(real)}) | {kind} {fit}| {numbers(rank_correlations(curves))} "
            f"| {regret[kind]:.3f}{interval} | {100 * late:.0f} % |",
            flush=True,
        )
    here, there = other_seeds(name)
    print(f"| {name} ({len(here)}) | another seed {agreement(here, there)}| | | |", flush=True)
    at_27 = rank_correlation(real[:, 26], smooth[:, 26])
    by_seed = np.mean([rank_correlations(table[:, seed]) for seed in range(table.shape[1])], axis=0)
    apart = np.abs(rank_correlations(real) - by_seed).max()
    fit_of_smooth = determination(real, smooth)
    whole = whole_table(name)
    kinds = {
        "real": (spread(repeats.curves), dips(real)),
        "table": (spread(table), dips(table).ravel()),
        "whole table": (spread(whole), dips(whole).ravel()),
    }
    second = [
        f"| {name} | {kind} | {thousandths(sd)} | {thousandths(np.quantile(dip, (0.25, 0.5, 0.75)))} |"
        for kind, (sd, dip) in kinds.items()
    ]
    (sd, dip), (own_sd, own_dip), (whole_sd, whole_dip) = kinds.values()
    own_spread = f"spread of the runs' configurations {thousandths(own_sd)} (real {thousandths(sd)}, within 15 %)"
    own_gate = (
        f"median dip of the runs' configurations {np.median(own_dip):.4f} (real {np.median(dip):.4f}, within 15 %)"
    )
    gates = {
        f"R2 of log loss {fit_of_smooth:.3f} (at least .90)": fit_of_smooth >= 0.90,
        f"Spearman at epoch 27 {at_27:.3f} (at least .94)": at_27 >= 0.94,
        f"rank correlations of L(e) with L(100) differ by {apart:.3f} (at most .05)": apart <= 0.05,
        f"halving regret {regret['table']:.3f} (real {low:.3f} to {high:.3f})": low <= regret["table"] <= high,
        f"spread between seeds at epochs 3, 9, 27 {thousandths(whole_sd)} (real {thousandths(sd)}, within 15 %)": bool(
            (np.abs(whole_sd / sd - 1) <= WITHIN).all()
        ),
        own_spread: bool((np.abs(own_sd / sd - 1) <= WITHIN).all()),
        f"median dip {np.median(whole_dip):.4f} (real {np.median(dip):.4f}, within 15 %)": bool(
            abs(np.median(whole_dip) / np.median(dip) - 1) <= WITHIN
        ),
        own_gate: bool(abs(np.median(own_dip) / np.median(dip) - 1) <= WITHIN),
    }
    return second, [f"{text}: {'met' if met else 'NOT met'}" for text, met in gates.items()]


def ended_as(curves: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Log losses moved so that they end where real ones do: as a table, they end at the original's."""
    return curves - curves[:, -1:] + real[:, -1:]


def thousandths(values: np.ndarray) -> str:
    """Numbers in one cell."""
    return " ".join(f"{value:.4f}".replace("0.", ".", 1) for value in values)


def agreement(real: np.ndarray, curves: np.ndarray) -> str:
    """The cells that compare curves with real ones: R2, RMSE, rank correlations at the epochs of the table."""
    rmse = np.sqrt(((real - curves)[:, :-1] ** 2).mean())
    ranks = [rank_correlation(real[:, epoch - 1], curves[:, epoch - 1]) for epoch in EPOCHS]
    return f"| {determination(real, curves):.3f} | {rmse:.3f} | {numbers(np.array(ranks))} "


def determination(real: np.ndarray, curves: np.ndarray) -> float:
    """R2 of log losses over all runs and epochs."""
    return float(1 - ((real - curves) ** 2).sum() / ((real - real.mean()) ** 2).sum())


def main() -> None:
    """Print the figures of all sets with runs."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    epochs = ", ".join(map(str, EPOCHS))
    print(
        f"| set (runs) | curves | R2 | RMSE | Spearman with the real loss at epochs {epochs} "
        f"| rank correlation of L(e) with L(100) | halving regret (95 %) | best epoch > 5 % below the last |"
    )
    print("|---|---|---|---|---|---|---|---|")
    sample = load_sample()
    folds = cross_fit(sample, sample.member, 100)
    found = {
        name: check(name, folds, member) for name, member in zip(TRAINED_SETS, np.eye(len(TRAINED_SETS)), strict=True)
    }
    print("\n| set | curves | spread between seeds at epochs 3, 9, 27 | quartiles of dips |\n|---|---|---|---|")
    print("\n".join(row for second, _ in found.values() for row in second))
    gates = {name: lines for name, (_, lines) in found.items()}
    donors = len(unpack(load_arrays(curves_file("slice"))).runs)
    gates["slice"] = [f"none: there are no real curves to compare with; runs of {donors} configurations of other sets"]
    print("\nGates (R2, Spearman: the smooth prediction; spread, dips: the whole table; the others: the table):\n")
    print("\n".join(f"* {name}: {'; '.join(lines)}" for name, lines in gates.items()))
    files = sorted(path.name for pattern in ("curves-*.npz", "runs-*.npz") for path in DATA.glob(pattern))
    judged = {name: sha256((DATA / name).read_bytes()).hexdigest() for name in files}
    (DATA / "gates.json").write_text(json.dumps({"gates": gates, "files": judged}, indent=1) + "\n")


if __name__ == "__main__":
    main()
