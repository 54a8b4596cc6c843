"""Settings of all tests: how long an example takes is not what is tested; what a person has imported is left alone."""

import os
from itertools import zip_longest
from pathlib import Path

import pytest
from hypothesis import settings

from services.fixtures import data_of_tests, s3_root, seaweedfs

__all__ = ["data_of_tests", "s3_root", "seaweedfs"]

settings.register_profile("hpoctl", deadline=None, max_examples=50)
settings.register_profile("long", deadline=None, max_examples=400)
settings.register_profile("fast", deadline=None, max_examples=15)
RELIABILITY = os.environ.get("HPOCTL_RELIABILITY") == "long"
settings.load_profile("long" if RELIABILITY else "hpoctl")

os.environ.pop("COLUMNS", None)  # where lines break does not depend on who runs the tests

ROOT = Path(__file__).parents[1]
MARKS = {
    "plugins/hpoctl-ray": "services",
    "plugins/hpoctl-fcnet/tests/test_blackbox.py": "tables",
    "plugins/hpoctl-fcnet/tests/test_imported.py": "tables",
    "plugins/hpoctl-fcnet/tests/test_original.py": "tables",
    "plugins/hpoctl-fcnet/tests/test_pool.py": "tables",
    "plugins/hpoctl-fcnet/tests/test_table.py": "tables",
    "plugins/hpoctl-fcnet/tests/test_trainer.py": "tables",
    "plugins/hpoctl-lcbench/tests/test_importer.py": "tables",
    "plugins/hpoctl-optuna/tests/test_contract.py": "studies",
    "plugins/hpoctl-optuna/tests/test_methods.py": "studies",
    "plugins/hpoctl-sagemaker": "services",
    "tests/acceptance": "studies",
    "tests/analysis/test_comparison_figure.py": "pictures",
    "tests/analysis/test_coverage.py": "simulations",
    "tests/analysis/test_critical_difference.py": "pictures",
    "tests/analysis/test_decisions.py": "simulations",
    "tests/analysis/test_equivalence.py": "simulations",
    "tests/analysis/test_group_sequential.py": "simulations",
    "tests/analysis/test_report.py": "pictures",
    "tests/analysis/test_report_in_a_browser.py": "services",
    "tests/analysis/test_trial_curves.py": "pictures",
    "tests/backends/local": "kills",
    "tests/blackboxes/test_storage.py": "kills",
    "tests/cli": "studies",
    "tests/docs": "studies",
    "tests/engine/test_golden.py": "studies",
    "tests/engine/test_so_far.py": "studies",
    "tests/engine/test_training.py": "kills",
    "tests/launchers": "kills",
    "tests/ops/answers/test_why.py": "studies",
    "tests/ops/launching/test_launches.py": "kills",
    "tests/ops/launching/test_stop.py": "kills",
    "tests/ops/launching/test_until_decided.py": "studies",
    "tests/ops/running/test_check_benchmark.py": "kills",
    "tests/ops/studies/test_tags.py": "kills",
    "tests/ops/upkeep/test_clean_hostile.py": "kills",
    "tests/ops/upkeep/test_clean_wrecks.py": "kills",
    "tests/reliability": "studies",
    "tests/stores/test_claims.py": "kills",
    "tests/stores/test_faults.py": "kills",
    "tests/test_builtins.py": "studies",
    "tests/testing/test_check_method.py": "studies",
}
"""What `make test-fast` leaves out, by folder or file: see the markers in pyproject.toml."""

NAMES = {"kill": "kills", "level_and_coverage": "simulations", "seldom_called": "simulations", "[s3": "services"}
"""The same by a part of a test's name."""

FIXTURES = {"seaweedfs": "services", "cluster": "services", "cli": "studies"}
"""The same by what a test asks for."""

LONGEST = ("soak", "fuzzing", "state_machine", "eight_launches", "damage", "kills", "names")
"""Parts of the names of the tests that take longest in `make reliability`."""


def longest_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """The longest tests first, with a short one after each: a worker is given two at a time."""
    rank = {item: next((i for i, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST)) for item in items}
    long = sorted((item for item in items if rank[item] < len(LONGEST)), key=rank.__getitem__)
    short = [item for item in items if rank[item] == len(LONGEST)]
    return [item for pair in zip_longest(long, short) for item in pair if item is not None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests as the tables say; from here on, processes that tests start write no bytecode into their folders."""
    if RELIABILITY:
        items[:] = longest_first(items)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for item in items:
        path = item.path.relative_to(ROOT) if item.path.is_relative_to(ROOT) else item.path
        places = {str(folder) for folder in (path, *path.parents)}
        marks = {mark for place, mark in MARKS.items() if place in places}
        marks |= {mark for part, mark in NAMES.items() if part in item.name}
        marks |= {mark for name, mark in FIXTURES.items() if name in getattr(item, "fixturenames", ())}
        for mark in marks:
            item.add_marker(mark)
