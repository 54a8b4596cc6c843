"""Each promise names the tests that hold it, and they are there."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "promises.md"
PROMISE = re.compile(r"^\| (P\d+) \| .* \| (.*) \|$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)]+)\)")


def test_each_promise_is_held_by_tests_that_exist() -> None:
    promises = PROMISE.findall(PAGE.read_text(encoding="utf-8"))
    assert [name for name, _ in promises] == [f"P{number}" for number in range(1, len(promises) + 1)]
    assert len(promises) >= 10
    for name, held_by in promises:
        files = [PAGE.parent / link for link in LINK.findall(held_by)]
        assert files, name
        for file in files:
            assert "def test_" in file.read_text(encoding="utf-8"), (name, file)
