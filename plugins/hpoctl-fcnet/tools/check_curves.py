"""How good the modelled curves are, on runs that the model had not seen: prints the table of the data card.

    OPENBLAS_NUM_THREADS=1 python tools/check_curves.py

Writes data/gates.json, which `hpoctl blackbox info` shows. Everything comes from packaged files: the model's prediction
for a held-out run is the run minus its residual. Three kinds of curves of the same runs are compared: real ones, the
smooth prediction, and what the tables hold, which is the smooth prediction plus a share of the residual of a
neighbouring run (here never the same configuration). For configurations that were trained again, the shape of another
seed's curve, ended at this run's final loss, shows how far the noise of training alone lets anybody come.
"""

import argparse
import json
from hashlib import sha256
from pathlib import Path

import numpy as np
from held_out import held_out_neighbours, rank_correlation

from hpoctl_fcnet.curves import unpack
from hpoctl_fcnet.packed import curves_file, load_arrays
from hpoctl_fcnet.runs import TRAINED_SETS, load_runs

DATA = Path(__file__).parents[1] / "src" / "hpoctl_fcnet" / "data"
EPOCHS = (1, 3, 9, 27, 81)
RUNGS = ((4, 9), (11, 3), (33, 1))  # after so many epochs, so many configurations stay
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


def three_kinds(name: str) -> dict[str, np.ndarray]:
    """Log losses of the held-out runs of a set: real, smooth and table, each of shape (n, 100)."""
    random = np.random.default_rng(5)
    model, runs = unpack(load_arrays(curves_file(name))), load_runs(name)
    first = runs.seed == 0
    if not np.array_equal(model.runs, runs.config[first]):
        raise SystemExit(f"{name}: the model was fitted to other runs; run tools/fit_curves.py")
    real = np.log(runs.valid[first].astype(np.float64))
    smooth = real.copy()
    smooth[:, :-1] -= model.residuals
    donors = held_out_neighbours(model.runs, model.run_logs)
    donor = donors[np.arange(len(real)), random.integers(0, donors.shape[1], len(real))]
    table = smooth.copy()
    table[:, :-1] += (model.residuals * model.share)[donor]
    return {"real": real, "smooth": smooth, "table": table}


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


def check(name: str) -> list[str]:
    """Print the rows of a set; returns a line for each gate."""
    kinds = three_kinds(name)
    real = kinds["real"]
    low, high = regret_interval(real)
    regret = {}
    for kind, curves in kinds.items():
        regret[kind] = halving_regret(curves, np.random.default_rng(7), DRAWS)
        fit = "| | | " if kind == "real" else agreement(real, curves)
        interval = f" ({low:.3f} to {high:.3f})" if kind == "real" else ""
        late = np.mean(curves.min(axis=1) < curves[:, -1] - 0.05)
        print(
            f"| {name} ({len(real)}) | {kind} {fit}| {numbers(rank_correlations(curves))} "
            f"| {regret[kind]:.3f}{interval} | {100 * late:.0f} % |"
        )
    here, there = other_seeds(name)
    if len(here) > 1:
        print(f"| {name} ({len(here)}) | another seed {agreement(here, there)}| | | |")
    at_27 = rank_correlation(real[:, 26], kinds["smooth"][:, 26])
    apart = np.abs(rank_correlations(real) - rank_correlations(kinds["table"])).max()
    fit_of_smooth = determination(real, kinds["smooth"])
    gates = {
        f"R2 of log loss {fit_of_smooth:.3f} (at least .90)": fit_of_smooth >= 0.90,
        f"Spearman at epoch 27 {at_27:.3f} (at least .94)": at_27 >= 0.94,
        f"rank correlations of L(e) with L(100) differ by {apart:.3f} (at most .05)": apart <= 0.05,
        f"halving regret {regret['table']:.3f} (real {low:.3f} to {high:.3f})": low <= regret["table"] <= high,
    }
    return [f"{text}: {'met' if met else 'NOT met'}" for text, met in gates.items()]


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
    gates = {name: check(name) for name in TRAINED_SETS}
    model = unpack(load_arrays(curves_file("slice")))
    gates["slice"] = [f"none: there are no real curves to compare with; {len(model.runs)} residuals of the other sets"]
    print("\nGates (R2 and Spearman for the smooth prediction, the others for the table):\n")
    print("\n".join(f"* {name}: {'; '.join(lines)}" for name, lines in gates.items()))
    files = sorted(path.name for pattern in ("curves-*.npz", "runs-*.npz") for path in DATA.glob(pattern))
    judged = {name: sha256((DATA / name).read_bytes()).hexdigest() for name in files}
    (DATA / "gates.json").write_text(json.dumps({"gates": gates, "files": judged}, indent=1) + "\n")


if __name__ == "__main__":
    main()
