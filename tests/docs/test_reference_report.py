"""The report of the reference study: small enough, and every number on it follows from the data in it."""

from pathlib import Path

from hpoctl.analysis.report_check import check_page

REPORT = Path(__file__).parents[2] / "docs" / "reports" / "reference.html"


def test_the_report_of_the_reference_study() -> None:
    page = REPORT.read_text(encoding="utf-8")
    assert len(page.encode()) < 5_000_000
    checked = check_page(page)
    assert checked.wrong == ()
    how_to = REPORT.parents[1] / "how-to" / "write-a-report.md"
    assert f"{checked.numbers:,} of {checked.numbers:,} numbers as computed" in how_to.read_text(encoding="utf-8")
    assert "modelled curves, not measured ones" in page
