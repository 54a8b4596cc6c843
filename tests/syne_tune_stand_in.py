"""Syne Tune's Reporter for tests: the real one where it is installed, elsewhere one that prints the same lines."""

import importlib.util
from pathlib import Path

REPORTER = '''
"""Stands in for Syne Tune: what its Reporter prints, by the format that its documentation describes."""

import json
import time


class Reporter:
    def __init__(self):
        self._began, self._number = time.time(), 0

    def __call__(self, **values):
        facts = {
            "st_worker_timestamp": time.time(),
            "st_worker_time": time.time() - self._began,
            "st_worker_iter": self._number,
        }
        self._number += 1
        print(f"[tune-metric]: {json.dumps({**values, **facts})}\\n", flush=True)
'''


def place_of_syne_tune(folder: Path) -> Path:
    """The folder from which `import syne_tune` works: that of the installed one, or a new one with the stand-in."""
    found = importlib.util.find_spec("syne_tune")
    if found is not None and found.origin is not None:
        return Path(found.origin).parents[1]
    folder.mkdir()
    (folder / "syne_tune.py").write_text(REPORTER)
    return folder
