"""The experiments of the golden test, and how they are run and recorded: identities, and the bytes of their results.

python tests/golden_experiments.py      writes golden.json again; for a change that is meant to change results
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_info

from own_tables import Own, description, write_toml
from support import write_distribution

FILE = Path(__file__).with_name("golden.json")
MODELS = ("BO", "MOBSTER", "OPTUNA")
"""How the names of methods begin whose results depend on the kernels that numpy and BLAS choose for a processor."""

TOY_MAX = """
from functools import partial

import numpy as np

from hpoctl.plugins import hookimpl
from hpoctl.testing import toy_benchmark, toy_table


@hookimpl
def hpoctl_benchmarks():
    yield toy_benchmark(partial(toy_table, change=np.negative), name="toy-max", mode="max")
"""


@dataclass(frozen=True)
class Group:
    """Experiments that one command runs."""

    methods: str
    benchmarks: str
    options: str = ""

    def words(self) -> list[str]:
        names = [word for method in self.methods.split() for word in ("--method", method)]
        names += [word for benchmark in self.benchmarks.split() for word in ("--benchmark", benchmark)]
        return [*names, *self.options.split()]


SHORT = "--max-num-evaluations 400"
GROUPS = (
    Group("RS BO ASHA HYPERBAND SYNCHB MEDIAN MOBSTER", "fcnet-protein", SHORT),
    Group("ASHA MOBSTER", "fcnet-naval fcnet-parkinsons fcnet-slice", SHORT),
    Group("RS BO ASHA MOBSTER", "fcnet-pool-protein fcnet-pool-naval fcnet-pool-parkinsons", SHORT),
    Group("ASHA-TANH MOBSTER-TANH ASHA-RELU MOBSTER-RELU", "fcnet-naval", SHORT),
    Group("RS ASHA", "mine", "--restrict-configurations"),
    Group("RS ASHA", "mine", "--start-seed 3 --num-seeds 4"),
    Group("ASHA MOBSTER", "fcnet-protein", f"--poll-interval 5 {SHORT}"),
    Group("ASHA", "fcnet-protein", f"--no-checkpointing {SHORT} --set ASHA.type=stopping"),
    Group("BO", "fcnet-naval", "--decision-time 3 --n-workers 2 --max-size-data-for-model 20 --max-wallclock-time 900"),
    Group("RS BO ASHA MOBSTER", "toy-max"),
    Group("OPTUNA-TPE OPTUNA-CMAES OPTUNA-TPE-ASHA", "fcnet-protein", "--max-num-evaluations 2000"),
)


def kernels() -> str:
    """What numpy and BLAS compute with on this processor."""
    features = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    blas = {f"{entry['internal_api']} {entry.get('architecture')}" for entry in threadpool_info()}
    wide = [name for name in ("AVX2", "FMA3", "AVX512F", "AVX512_SKX", "NEON", "SVE") if features.get(name)]
    return " ".join([*sorted(blas), *wide])


def rows_digest(file: Path) -> str:
    """A hash of the names, types and values of a table, whichever version of pyarrow wrote it."""
    table = pq.read_table(file)
    digest = hashlib.sha256()
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        digest.update(f"{name}:{column.type}:{column.null_count}:".encode())
        digest.update(json.dumps(column.to_pylist()).encode())
    return digest.hexdigest()


def run_group(group: Group, tag: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Run the experiments of a group with the command line, and say what came of each."""
    environment = os.environ | {
        "HPOCTL_ROOT": str(folder / "results"),
        "HPOCTL_DATA": str(folder / "data"),
        "PYTHONPATH": str(folder / "plugins"),
        "OPENBLAS_NUM_THREADS": "1",
    }
    words = ["run", "--tag", tag, "--random-seed", "20261128", "--json", *group.words()]
    command = [sys.executable, "-m", "hpoctl", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr}")
    for file in sorted((folder / "results" / tag).rglob("metadata.json")):
        metadata = json.loads(file.read_text())
        results = file.with_name("results.parquet")
        yield {
            "options": group.options,
            "method": metadata["algorithm"],
            "benchmark": metadata["benchmark"],
            "identity": metadata["identity"],
            "rows": metadata["rows"],
            "rows_digest": rows_digest(results),
            "results_sha256": hashlib.sha256(results.read_bytes()).hexdigest(),
        }


def prepare(folder: Path) -> None:
    """What the experiments need besides installed plugins: an imported table and a maximised benchmark."""
    (folder / "plugins").mkdir()
    write_distribution(folder / "plugins", "golden-toys", TOY_MAX)
    np.savez(folder / "mine.npz", **Own().arrays())
    write_toml(folder / "mine.toml", description())
    environment = os.environ | {"HPOCTL_DATA": str(folder / "data")}
    command = [sys.executable, "-m", "hpoctl", "blackbox", "import", "table", str(folder / "mine.npz")]
    subprocess.run(command, env=environment, capture_output=True, check=True)


def record() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        entries = [entry for k, group in enumerate(GROUPS) for entry in run_group(group, f"golden-{k}", folder)]
    facts = {"kernels": kernels(), "pyarrow": pa.__version__, "experiments": entries}
    FILE.write_text(json.dumps(facts, indent=1) + "\n")
    print(f"{len(entries)} experiments recorded in {FILE}")


if __name__ == "__main__":
    record()
