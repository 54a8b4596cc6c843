"""A page in headless Chromium: what a script in it finds, and what the console said."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000", "--enable-logging=stderr")
NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND"


@dataclass(frozen=True)
class Seen:
    """What a script found, what the console said, and the page as it was in the end."""

    found: dict[str, Any]
    console: list[str]
    page: str


def find_chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class _Results(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = ("id", "found") in attrs

    def handle_data(self, data: str) -> None:
        self.text += data if self._inside else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def look(page: str, script: str, folder: Path, *, width: int = 1000) -> Seen:
    """Open a page, run the body of an async function in it after its own script, and return what it returns.

    The page's policy gets the hash of this script besides, and stays as it is otherwise.
    """
    code = f"(async () => {{ const work = async () => {{ {script} }};"
    code += " const found = await work().catch((error) => ({ error: String(error) }));"
    code += ' document.body.append(html("pre", { id: "found" }, JSON.stringify(found))); })();'
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    changed, count = re.subn(r"script-src &#x27;", f"script-src &#x27;sha256-{digest}&#x27; &#x27;", page, count=1)
    assert count == 1
    file = folder / "page.html"
    file.write_text(changed.replace("</body>", f"<script>{code}</script></body>"), encoding="utf-8")
    chromium = find_chromium()
    assert chromium is not None
    words = [chromium, *FLAGS, NOWHERE, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900"]
    done = subprocess.run(
        [*words, "--dump-dom", file.as_uri()], capture_output=True, text=True, check=True, timeout=100
    )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    reader = _Results()
    reader.feed(done.stdout)
    return Seen(json.loads(reader.text), console, done.stdout)
