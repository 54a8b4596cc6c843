import pytest

from hpoctl.cli.words import many, rough_time, size_text, utc_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (95_240_000, "95.2 MB"),
        (999_960, "1.0 MB"),
        (5_000_000_000, "5.0 GB"),
        (12_345e12, "12,345.0 TB"),
    ],
)
def test_sizes(size: float, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3570.0, "1 h 0 min"),
        (7800.0, "2 h 10 min"),
        (3_600_000.0, "1,000 h"),
    ],
)
def test_rough_times(seconds: float, text: str) -> None:
    assert rough_time(seconds) == text


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [(1795498932.2, "2026-11-24 05:42:12 UTC"), (0.0, "-"), (-5.0, "-"), (1e30, "-"), (float("inf"), "-")],
)
def test_dates(timestamp: float, text: str) -> None:
    assert utc_text(timestamp) == text


def test_counts() -> None:
    assert [many(count, "seed") for count in (0, 1, 1200)] == ["0 seeds", "1 seed", "1,200 seeds"]
