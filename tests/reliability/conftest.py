"""Says which lane runs."""

from toy_studies import LANE


def pytest_report_header() -> str:
    return f"reliability: {LANE}"
