"""The command line as a separate process, with plugins from a folder."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import warm_process
from support import write_distribution


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


@dataclass(frozen=True)
class CommandLine:
    """Runs `hpoctl` with plugins from a folder and results in another one."""

    plugins: Path
    root: Path
    environment: dict[str, str]

    def command(self, *words: str) -> list[str]:
        """A command for those who start its process themselves."""
        return [sys.executable, "-W", "error", "-m", "hpoctl", *words]

    def __call__(self, *words: str, **environment: str) -> Answer:
        return Answer(*warm_process.run(words, self.environment | environment, self.root.parent, timeout=100))

    def install(self, name: str, source: str) -> None:
        write_distribution(self.plugins, name, source)


def hold(cli: CommandLine) -> None:
    """Let experiments of the benchmark `toy-held` wait from now on, wherever they run."""
    (cli.root.parent / "held").touch()


def release(cli: CommandLine) -> None:
    """Let them continue."""
    (cli.root.parent / "held").unlink(missing_ok=True)
