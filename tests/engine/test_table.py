"""The results file gives back what went in, for every kind of column, without pandas."""

import io
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hpoctl.core.entries import Benchmark
from hpoctl.core.space import Choice, Config, Fixed, Space, Uniform
from hpoctl.engine.rows import Rows
from hpoctl.engine.table import parquet_bytes, plain_columns, rows_table
from hpoctl.testing import toy_benchmark

SPACE = Space({"word": Choice(("ä", "bb")), "flag": Choice((True, False)), "x": Uniform(0.0, 1.0), "n": Fixed(3)})


def rows(count: int = 9) -> Rows:
    configs: list[Config] = [
        {"word": "ä", "flag": True, "x": 0.25, "n": 3},
        {"word": "bb", "flag": False, "x": 0.5, "n": 3},
    ]
    trial_ids = np.arange(count, dtype=np.int64) % 2
    return Rows(
        trial_ids=trial_ids,
        resources=np.arange(1, count + 1),
        metrics=np.linspace(0.0, 1.0, count)[:, np.newaxis],
        elapsed=np.arange(count) * 2.0,
        times=np.arange(count) * 3.0,
        decisions=np.array(["CONTINUE", "PAUSE", "STOP"])[np.arange(count) % 3],
        statuses=np.array(["InProgress", "Paused", "Stopped"])[np.arange(count) % 3],
        extra={
            "count": np.where(np.arange(count) < 2, np.nan, np.arange(count)),
            "share": np.arange(count) / 4,
        },
        configs=configs[: min(2, count)],
    )


def benchmark() -> Benchmark:
    return toy_benchmark()


def test_round_trip() -> None:
    made = rows()
    table = pq.read_table(io.BytesIO(parquet_bytes(rows_table(made, benchmark(), SPACE))))
    data = table.to_pydict()
    assert data["loss"] == made.metrics[:, 0].tolist()
    assert data["epoch"] == list(range(1, 10))
    assert data["st_decision"] == made.decisions.tolist()
    assert data["st_status"] == made.statuses.tolist()
    assert data["config_word"] == ["ä", "bb"] * 4 + ["ä"]
    assert data["config_flag"] == [True, False] * 4 + [True]
    assert data["config_x"] == [0.25, 0.5] * 4 + [0.25]
    assert data["config_n"] == [3] * 9
    assert data["count"] == [None, None, *range(2, 9)]
    assert data["share"] == [place / 4 for place in range(9)]
    assert table.schema.field("count").type == pa.int64()
    assert table.schema.field("share").type == pa.float64()
    assert table.schema.field("config_n").type == pa.int64()
    table.validate(full=True)


def test_no_rows() -> None:
    table = pq.read_table(io.BytesIO(parquet_bytes(rows_table(rows(0), benchmark(), SPACE))))
    assert table.num_rows == 0
    assert "config_word" in table.column_names


def test_equal_rows_are_equal_bytes() -> None:
    first, second = (parquet_bytes(rows_table(rows(), benchmark(), SPACE)) for _ in range(2))
    assert first == second


def test_writing_results_does_not_import_pandas() -> None:
    code = (
        "import sys\n"
        "from hpoctl.testing import toy_benchmark, toy_table, run_quietly\n"
        "from hpoctl.builtins import ASHA\n"
        "from hpoctl.engine.table import parquet_bytes, plain_columns, rows_table\n"
        "benchmark = toy_benchmark()\n"
        "parquet_bytes(rows_table(run_quietly(ASHA, benchmark), benchmark, benchmark.space))\n"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_one_long_text_does_not_take_the_memory_of_many() -> None:
    texts = ["x" * 200_000, *["a", "a\0", None] * 2000]
    tracemalloc.start()
    try:
        table = pa.table(plain_columns({"note": texts}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert table.column("note").to_pylist() == texts
    assert peak < 20_000_000


def test_one_long_choice_does_not_take_the_memory_of_many() -> None:
    word, count = "x" * 100_000, 5000
    space = Space({**SPACE.domains, "word": Choice((word, "bb"))})
    made = rows(count)
    tracemalloc.start()
    try:
        table = rows_table(
            replace(made, configs=[{**made.configs[0], "word": word}, made.configs[1]]), benchmark(), space
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert set(table.column("config_word").to_pylist()) == {word, "bb"}
    assert peak < 20_000_000


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300, 2.0**63, -(2.0**70)])
def test_extra_values_beyond_whole_numbers_stay_numbers(value: float) -> None:
    made = replace(rows(3), extra={"large": np.array([np.nan, 1.0, value])})
    data = pq.read_table(io.BytesIO(parquet_bytes(rows_table(made, benchmark(), SPACE)))).to_pydict()
    assert data["large"] == [None, 1.0, value]
