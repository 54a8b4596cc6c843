"""Draws docs/images/run.svg: a real run as it looks in a terminal.

    python tools/terminal_picture.py

Runs the README's command in a new terminal, keeps the first and the last lines, and draws them.
"""

import os
import pty
import re
import shlex
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "run.svg"
COMMAND = "hpoctl run --method MOBSTER-RELU --benchmark fcnet-protein --verbose"
OPTIONS = "--tag docs-1 --random-seed 1"
WIDTH, FIRST = 128, 16


def terminal_output(command: list[str], environment: dict[str, str]) -> str:
    """What a command writes to a terminal of WIDTH columns."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, os.environ | environment)
    chunks = []
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # the terminal is closed when the command ends
            break
        if not chunk:
            break
        chunks.append(chunk)
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit(f"the command failed: {b''.join(chunks).decode()[-500:]}")
    return b"".join(chunks).decode().replace("\r\n", "\n")


def main() -> None:
    """Run the command and draw the picture."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"HPOCTL_ROOT": f"{folder}/hpoctl", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
        output = terminal_output(shlex.split(f"{COMMAND} {OPTIONS}"), environment)
    lines = output.replace(f"{folder}/hpoctl", "~/hpoctl").rstrip("\n").split("\n")
    table = next(place for place, line in enumerate(lines) if "┏" in line)
    left_out = table - 2 - FIRST
    shown = [f"$ {COMMAND}", *lines[:FIRST], f"... {left_out:,} lines more ...", *lines[table - 2 :]]
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    for line in shown:
        console.print(Text.from_ansi(line), overflow="ellipsis", no_wrap=True, crop=True)
    svg = console.export_svg(title="hpoctl", unique_id="run")
    # No fonts from elsewhere: the picture opens offline.
    svg = re.sub(r"@font-face \{.*?\}\n?", "", svg, flags=re.DOTALL)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(svg, encoding="utf-8")
    print(f"{PICTURE}: {len(svg) // 1024} KB")


if __name__ == "__main__":
    main()
