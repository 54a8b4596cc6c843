"""What a script reports before it prints something counts first, whenever its files are read."""

from collections.abc import Callable
from pathlib import Path

from hpoctl.backends.scripts.files import GrowingFile
from hpoctl.backends.scripts.training import Written
from hpoctl.backends.scripts.workers import Output
from hpoctl.core.trial_rows import TrialRows


class Watched(GrowingFile):
    """A file that lets something happen after it was read."""

    def __init__(self, path: Path, after: Callable[[], None]) -> None:
        super().__init__(path)
        self._after = after

    def read(self) -> bytes:
        data = super().read()
        self._after()
        return data


def test_a_report_between_two_reads_is_not_overtaken(tmp_path: Path) -> None:
    epochs = iter((1,))
    paths = [tmp_path / name for name in ("reports", "out", "err")]

    def script() -> None:
        epoch = next(epochs, None)
        if epoch is not None:
            with paths[0].open("a") as reports, paths[1].open("a") as out:
                reports.write(f'{{"epoch": {epoch}, "loss": 0.5}}\n')
                out.write(f'[tune-metric]: {{"epoch": {epoch + 1}, "loss": 0.5}}\n')

    files = [Watched(path, script) for path in paths]
    written = Written(Output(files[0], files[1], files[2]), TrialRows(("loss",), "loss", "epoch", 0, 0))
    found = [row.resource for _ in range(3) for row in written.read()] + [row.resource for row in written.rest()]
    assert found == [1, 2]
