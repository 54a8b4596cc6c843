"""A training script with its benchmark file, for tests: it reports, saves, and waits at an epoch until it may go on."""

import io
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from hpoctl.core.cells import WORK
from hpoctl.core.storage import Store
from hpoctl.stores.folder_copies import fetch
from hpoctl.stores.ledger import read_attempts, read_results

TRAIN = """
import argparse, os, time
from pathlib import Path
import hpoctl

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
args = parser.parse_args()
print("trial", os.environ["HPOCTL_TRIAL_ID"], "trains", flush=True)
state = Path(os.environ["HPOCTL_CHECKPOINT_DIR"]) / "state"
done = int(state.read_text()) if state.exists() else 0
go = Path(os.environ.get("OWN_SCRIPT_GO") or Path(__file__).parents[1] / "go")
end = time.monotonic() + 300
for epoch in range(done + 1, args.epochs + 1):
    hpoctl.report(epoch=epoch, loss=args.lr + 1 / epoch, loaded=done)
    state.with_suffix(".new").write_text(str(epoch))
    state.with_suffix(".new").replace(state)
    while epoch == 2 and not go.exists() and time.monotonic() < end:
        time.sleep(0.02)
"""

BENCHMARK = """
name = "own"
script = "train.py"
checkpoints = true
metric = "loss"
mode = "min"
resource_attr = "epoch"
max_resource_attr = "epochs"
n_workers = 2
max_wallclock_time = 600
[space]
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
epochs = 3
"""


def write(folder: Path, train: str = TRAIN, benchmark: str = BENCHMARK) -> Path:
    """Write the script and its benchmark file below a folder, as `own`; returns their folder."""
    own = folder / "own"
    own.mkdir()
    (own / "train.py").write_text(train)
    (own / "benchmark.toml").write_text(benchmark)
    return own


def let_go(folder: Path) -> None:
    """Let the scripts below a folder go on that wait."""
    (folder / "go").touch()


def saved(store: Store, tag: str) -> list[str]:
    """What the checkpoints hold that a copy beside the results has; none, if there is no attempt or copy yet."""
    found = []
    for attempt in read_attempts(store, tag):
        with tempfile.TemporaryDirectory() as folder:
            fetch(store, f"{WORK}/{attempt.directory}", Path(folder))
            found += [path.read_text() for path in Path(folder).rglob("checkpoints/state")]
    return found


def loaded(store: Store, tag: str) -> dict[tuple[int, int], int]:
    """The checkpoint that each epoch was trained from, by trial and epoch, in the latest complete attempt."""
    attempts = [found for found in read_attempts(store, tag) if found.recorded == "completed"]
    table = pq.read_table(io.BytesIO(read_results(store, attempts[-1]))).to_pydict()
    keys = list(zip(table["trial_id"], table["epoch"], strict=True))
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, map(int, table["extra_loaded"]), strict=True))
