"""Whatever small table is written, as npz or as Parquet: every curve comes back exactly."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from own_tables import benchmark, description, import_it, write_npz, write_parquet
from toy_studies import fast_folder

DOMAINS = {
    "kind": {"type": "choice", "values": ["a", "b", "ç"]},
    "flag": {"type": "choice", "values": [False, True]},
    "size": {"type": "randint", "lower": -3, "upper": 3},
    "rate": {"type": "uniform", "lower": -1.0, "upper": 1.0},
}
VALUES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["a", "b", "ç"]),
        "flag": st.booleans(),
        "size": st.integers(-3, 3),
        "rate": st.floats(-1.0, 1.0),
    }
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Configurations, levels, two metrics and times."""
    configs = draw(
        st.lists(VALUES, min_size=1, max_size=5, unique_by=lambda config: tuple(config[name] for name in DOMAINS))
    )
    levels = draw(st.lists(st.integers(1, 200), min_size=1, max_size=4, unique=True).map(sorted))
    shape = (len(configs), draw(st.integers(1, 3)), len(levels))
    wide = draw(st.sampled_from([np.float32, np.float64]))
    width: Literal[32, 64] = 32 if wide is np.float32 else 64
    numbers = st.floats(width=width, allow_nan=True, allow_infinity=True)
    loss = draw(arrays(wide, shape, elements=numbers))
    loss.flat[draw(st.integers(0, loss.size - 1))] = 0.25  # one value has to be finite
    steps = draw(arrays(wide, shape, elements=st.floats(0.25, 1000.0, width=width)))
    times = np.cumsum(steps, axis=-1, dtype=wide)
    return {"configs": configs, "levels": levels, "loss": loss, "error": times / 3, "seconds": times}


@pytest.mark.parametrize("write", ["npz", "parquet"])
@settings(max_examples=60)
@given(table=tables())
def test_every_curve_comes_back(write: str, table: dict[str, Any]) -> None:
    configs, levels = table["configs"], table["levels"]
    told = description(
        space={**DOMAINS, "epochs": levels[-1]}, metrics=["error", "loss"], seed="run" if write == "parquet" else None
    )
    columns = {name: np.array([config[name] for config in configs]) for name in DOMAINS}
    curves = {name: table[name] for name in ("loss", "error", "seconds")}
    with fast_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HPOCTL_DATA", str(folder / "data"))
        if write == "npz":
            path = write_npz(folder, {**columns, **curves, "param_names": list(DOMAINS), "fidelities": levels}, told)
        else:
            places = np.indices(table["loss"].shape).reshape(3, -1)
            rows = {name: column[places[0]] for name, column in columns.items()}
            rows |= {"run": places[1], "epoch": np.array(levels)[places[2]]}
            path = write_parquet(folder, {**rows, **{name: curve.ravel() for name, curve in curves.items()}}, told)
        import_it(path)
        blackbox = benchmark().blackbox()
        for row, config in enumerate(configs):
            for seed in range(blackbox.num_seeds):
                curve = blackbox.curve({**config, "epochs": levels[-1]}, seed)
                assert curve.resources.tolist() == levels
                assert np.array_equal(curve.metrics[:, 1], table["loss"][row, seed], equal_nan=True)
                assert np.array_equal(curve.metrics[:, 0], table["error"][row, seed], equal_nan=True)
                assert curve.elapsed.tolist() == table["seconds"][row, seed].tolist()
