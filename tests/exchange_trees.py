"""Result trees of Syne Tune made by hand, and the small ones that Syne Tune 0.13 itself wrote."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "data" / "syne-tune"
ROWS = """loss,epoch,st_tuner_time,st_decision,st_status,trial_id,config_lr,config_act
3.5,1,1.0,CONTINUE,InProgress,0,0.1,relu
2.5,1,2.5,CONTINUE,InProgress,1,0.01,tanh
1.25,2,2.0,STOP,Stopped,0,0.1,relu
"""
SAID: Mapping[str, Any] = {
    "seed": 0,
    "algorithm": "ASHA",
    "tag": "old",
    "benchmark": "toy",
    "random_seed": 31,
    "max_wallclock_time": 600,
    "metric_names": ["loss"],
    "metric_mode": "min",
    "scheduler_name": "HyperbandScheduler",
    "entrypoint": "train",
    "backend": "LocalBackend",
    "config_space": "{}",
    "st_tuner_creation_timestamp": 1700000000.5,
    "st_tuner_start_timestamp": 1700000001.0,
}


def put_tuner(
    root: Path,
    name: str = "old-toy-0-2023-11-14-22-13-20-500",
    *,
    job: str = "old/ASHA",
    rows: str | bytes | None = ROWS,
    plain: bool = False,
    without: frozenset[str] = frozenset(),
    **values: Any,
) -> Path:
    """Write the files of one tuner, and return its folder.

    Args:
        root: The folder of all.
        name: The tuner's name.
        job: The folders between.
        rows: The rows as CSV; bytes: what stands in the file, whatever it is; None: there are none.
        plain: Whether the rows are not zipped.
        without: Keys to leave out of the metadata.
        values: Other values for the metadata.
    """
    folder = root / job / name
    folder.mkdir(parents=True)
    said = {key: value for key, value in {**SAID, **values}.items() if key not in without}
    (folder / "metadata.json").write_text(json.dumps(said))
    if rows is not None:
        content = rows if isinstance(rows, bytes) else rows.encode() if plain else archive(rows)
        (folder / f"results.csv{'' if plain else '.zip'}").write_bytes(content)
    return folder


def archive(rows: str, *names: str) -> bytes:
    """Rows as pandas zips them; under other names, and as often as there are names."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names or ("results.csv",):
            made.writestr(name, rows)
    return sink.getvalue()
