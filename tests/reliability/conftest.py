"""Says which lane runs, and what figures its tests found, from whichever worker of pytest-xdist."""

import pytest

from toy_studies import FIGURES, LANE


def pytest_report_header() -> str:
    return f"reliability: {LANE}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for found in terminalreporter.stats.values() for report in found]
    figures = {
        report.nodeid: value  # each test has several reports
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == FIGURES
    }
    for test, value in figures.items():
        terminalreporter.write_line(f"{test}, {LANE}: {value}")
