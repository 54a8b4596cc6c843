"""The page on tables of users is executed, and shows the printed output."""

from pathlib import Path

import pytest

from pages import Folder, blocks, missing_lines

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "bring-your-own-table.md"


@pytest.mark.timeout(600)
def test_the_page_is_what_happens(tmp_path: Path) -> None:
    path = tmp_path / "tables"
    path.mkdir()
    places = {name: str(tmp_path / name.lower()) for name in ("HOME", "HPOCTL_ROOT", "HPOCTL_CACHE", "HPOCTL_DATA")}
    folder = Folder(path, "/home/ada/tables", {"COLUMNS": "120", "NO_COLOR": "1", "HPOCTL_PLUGINS": "", **places})
    printed, shown = "", 0
    for block in blocks(PAGE):
        if block.language == "sh":
            code, printed = folder.run(block.content)
            assert code == 0, printed
        elif block.language == "text":
            assert not missing_lines(block.content, printed), printed
            shown += 1
        else:
            folder.write(block.purpose, block.content)
    assert shown >= 3
    assert (path / "curves.svg").stat().st_size > 10_000
    assert not list((tmp_path / "hpoctl_data" / "tables").iterdir())
