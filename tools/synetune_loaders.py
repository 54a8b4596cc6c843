"""Reads result trees with the loaders of Syne Tune and compares them with a table; runs in an environment of Syne Tune.

python tools/synetune_loaders.py FOLDER TABLE.csv

FOLDER is what `hpoctl export` wrote, or what Syne Tune wrote itself; TABLE.csv holds the same results as
`hpoctl export --format csv` writes them. Every experiment has to be found by `get_metadata` and `load_experiments_df`,
with the same rows. Where the version has `ComparativeResults` (0.13), it has to find and plot all of them, too.
"""

import logging
import os
import sys
from importlib.metadata import version
from pathlib import Path

folder, table = Path(sys.argv[1]).absolute(), Path(sys.argv[2])
os.environ["SYNETUNE_FOLDER"] = str(folder)  # read when the package is imported

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import syne_tune.experiments as loaders  # noqa: E402

IDENTITY = ["tag", "algorithm", "benchmark", "seed"]
CLOSE = 1e-10
"""How far numbers may be apart, relative to their size: the loaders let pandas read numbers its fast way, which is off
by some 1e-12. What is written is exact."""


def main() -> None:
    """Compare, and say what was found."""
    logging.disable(logging.WARNING)
    expected = pd.read_csv(table, float_precision="round_trip").rename(columns={"method": "algorithm"})
    found = loaders.load_experiments_df(root=folder)
    metadata = loaders.get_metadata(root=folder)
    groups = dict(list(expected.groupby(IDENTITY)))
    assert len(metadata) == len(groups), (len(metadata), len(groups))
    assert {tuple(each[key] for key in IDENTITY) for each in metadata.values()} == set(groups)
    assert found["tuner_name"].nunique() == len(groups)
    for key, rows in found.groupby(IDENTITY):
        compare(key, rows, groups[key])
    for name in metadata:
        one = loaders.load_experiment(name, local_path=str(Path(metadata[name]["path"])))
        assert one.results is not None, name
        assert one.best_config()["trial_id"] >= 0
        assert one.creation_date().year > 2000
    print(f"Syne Tune {version('syne-tune')}: {len(groups)} experiments, {len(found):,} rows: the same")
    if hasattr(loaders, "ComparativeResults"):
        comparative(expected, metadata)


def compare(key: tuple, found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """All columns of an experiment, row by row in the order of time."""
    found, expected = (rows.sort_values("st_tuner_time", kind="stable") for rows in (found, expected))
    assert len(found) == len(expected), key
    for name in expected.columns.difference(["tag", "algorithm", "benchmark", "seed", "origin"]):
        wanted = expected[name]
        if wanted.isna().all():
            continue  # a column of other experiments
        here = found[name]
        if pd.api.types.is_numeric_dtype(wanted) and not pd.api.types.is_bool_dtype(wanted):
            same = np.isclose(here.to_numpy(float), wanted.to_numpy(float), rtol=CLOSE, atol=0.0, equal_nan=True)
        else:
            same = here.astype(str).to_numpy() == wanted.astype(str).to_numpy()
        assert same.all(), (key, name, found[~same].head(), expected[~same].head())


def comparative(expected: pd.DataFrame, metadata: dict) -> None:
    """The figures of 0.13, of each tag and benchmark."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    for (tag, benchmark), rows in expected.groupby(["tag", "benchmark"]):
        here = [each for each in metadata.values() if (each["tag"], each["benchmark"]) == (tag, benchmark)]
        setups, seeds = sorted(rows["algorithm"].unique()), rows["seed"].nunique()
        results = loaders.ComparativeResults(
            experiment_names=(tag,),
            setups=setups,
            num_runs=seeds,
            metadata_to_setup=lambda said, here=benchmark: said["algorithm"] if said["benchmark"] == here else None,
            plot_params=loaders.PlotParameters(metric=here[0]["metric_names"][0], mode=here[0]["metric_mode"]),
            datetime_bounds=("2000-01-01-00-00-00", None),
        )
        assert len(results._reverse_index[benchmark]) == len(here), (tag, benchmark)
        file = folder.parent / f"{folder.name}-{tag}-{benchmark}.png"
        results.plot(benchmark_name=benchmark, file_name=str(file))
        print(f"  ComparativeResults of {tag}: {len(here)} experiments on {benchmark}, drawn in {file}")


main()
