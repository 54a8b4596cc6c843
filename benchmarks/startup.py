"""The time of `hpoctl --help` beside a bare Typer program that imports typer and rich.

    python benchmarks/startup.py [--runs 15]

Runs the two in turn and prints the medians of their wall times and of the ratio pair by pair.
"""

import argparse
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


def seconds(command: list[str]) -> float:
    """The wall time of a command."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
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
        seconds(bare), seconds(ours)
        pairs = [(seconds(ours), seconds(bare)) for _ in range(options.runs)]
    print(f"hpoctl --help   {median(our for our, _ in pairs):.3f} s")
    print(f"bare Typer      {median(other for _, other in pairs):.3f} s")
    print(f"ratio           {median(our / other for our, other in pairs):.2f} (budget 2)")


if __name__ == "__main__":
    main()
