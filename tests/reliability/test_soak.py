"""Launches, cleans, undos, syncs, stops and kills at random, on a local root and on S3 at once."""

import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.seaweedfs import Server
from soaking import Soak
from toy_studies import FIGURES, ToyStudy, fast_folder, generator, lane

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see what runs"),
    pytest.mark.timeout(3 * 3600),
]

SECONDS = float(os.environ.get("HPOCTL_SOAK_SECONDS", lane(8, 3600)))
SEED = os.environ.get("HPOCTL_SOAK_SEED", "1")


def _soak(soak: Soak, until: float) -> None:
    try:
        while time.monotonic() < until:
            soak.step()
        soak.finish()
    finally:
        soak.close()


def test_nothing_is_lost_whatever_happens(
    seaweedfs: Server, s3_root: str, record_property: Callable[[str, object], None]
) -> None:
    with fast_folder() as folder, ThreadPoolExecutor() as pool:
        expected: dict[object, str] = {}
        soaks = []
        for name, root in (("local", str(folder / "results")), ("s3", s3_root)):
            (folder / name).mkdir()
            study = ToyStudy(folder / name)
            study.install()
            environment = {**study.environment, **seaweedfs.environment, "HPOCTL_ROOT": root}
            soaks.append(Soak(root, study, environment, generator("soak", name, SEED), expected))  # type: ignore[arg-type]
        soaks[0].command("methods")  # starts the process that commands are forked from, before there are threads
        began = time.monotonic()
        try:
            for ended in [pool.submit(_soak, soak, began + SECONDS) for soak in soaks]:
                ended.result()
        finally:
            minutes = (time.monotonic() - began) / 60.0
            counts = sum((soak.counts for soak in soaks), Counter())
            figures = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
            record_property(FIGURES, f"{minutes:.1f} minutes, seed {SEED}: {figures}")
        assert counts["steps"] > 0
