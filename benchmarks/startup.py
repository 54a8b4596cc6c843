"""The time of `hpoctl --help` beside a bare Typer program that imports typer and rich, and of a completion in a shell.

    python benchmarks/startup.py [--runs 15]

Runs the three in turn and prints the medians of their wall times and of the ratio pair by pair.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

BARE = '''
import rich
import rich.table
import typer

app = typer.Typer()


@app.command()
def one(number: int = 1) -> None:
    """One command."""


@app.command()
def two(number: int = 1) -> None:
    """Another command."""


app()
'''


COMPLETION = {"_HPOCTL_COMPLETE": "complete_bash", "COMP_WORDS": "hpoctl launch --method MO", "COMP_CWORD": "3"}


def seconds(command: list[str], **environment: str) -> float:
    """The wall time of a command."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=os.environ | environment)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(BARE, encoding="utf-8")
        bare = [sys.executable, str(script), "--help"]
        ours = [sys.executable, "-m", "hpoctl", "--help"]
        program = [sys.executable, "-m", "hpoctl"]
        seconds(bare), seconds(ours), seconds(program, **COMPLETION)
        rounds = [(seconds(ours), seconds(bare), seconds(program, **COMPLETION)) for _ in range(options.runs)]
    print(f"hpoctl --help   {median(our for our, _, _ in rounds):.3f} s")
    print(f"bare Typer      {median(other for _, other, _ in rounds):.3f} s")
    print(f"ratio           {median(our / other for our, other, _ in rounds):.2f} (budget 1.2)")
    print(f"completion      {median(completed for _, _, completed in rounds):.3f} s (budget 0.3)")


if __name__ == "__main__":
    main()
