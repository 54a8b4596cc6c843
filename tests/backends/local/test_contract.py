"""The local backend keeps the contract of trial backends."""

from itertools import count
from pathlib import Path

import pytest

from hpoctl.backends.scripts.backend import ScriptBackend
from hpoctl.testing import check_backend, check_failures, check_recovery
from training_scripts import TRAIN, backend

CONFIG = {"lr": 0.1, "epochs": 9}
WITHOUT = "for epoch in range(1, epochs + 1):\n    time.sleep(0.02)\n    report(epoch=epoch, loss=epoch)"


@pytest.mark.parametrize(("body", "checkpoints"), [(TRAIN, True), (WITHOUT, False)], ids=["checkpoints", "none"])
def test_contract(tmp_path: Path, body: str, checkpoints: bool) -> None:
    numbers = count()

    def make() -> ScriptBackend:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return backend(folder, body, checkpoints=checkpoints)

    check_backend(make, CONFIG, 9)
    folder = tmp_path / "recovery"
    folder.mkdir()
    check_recovery(lambda: backend(folder, body, checkpoints=checkpoints), CONFIG, 9)


@pytest.mark.parametrize("body", ["sys.exit(1)", "report(epoch=1, loss=1)\ntime.sleep(60)", "pass"])
def test_failures(tmp_path: Path, body: str) -> None:
    check_failures(lambda: backend(tmp_path, body, limits={"report_timeout": 1.0}), CONFIG)
