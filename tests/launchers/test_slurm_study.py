"""A study on Slurm, with failures, an element queued again and a launch killed half-way: the same results as here."""

from pathlib import Path

import pytest

from hpoctl.core.cells import Cell
from services.slurm import Slurm
from slurm_studies import Plan, Study

STUDY = """
summary = "Toys"
methods = ["RS", "RS-EACH"]
benchmarks = ["toy-1", "toy-2"]
num_seeds = 4
extra_results = ["trip-wire"]
"""
PLAN = Plan(
    study=STUDY,
    fails=[Cell("RS-EACH", "toy-1", 0), Cell("RS-EACH", "toy-2", 0), Cell("RS-EACH", "toy-1", 2)],
    held=Cell("RS", "toy-1", 0),
    options={"poll_interval": "0.2", "elements": "3"},
)


@pytest.mark.timeout(600)
def test_after_a_second_launch_everything_is_complete_and_as_it_is_here(slurm: Slurm, tmp_path: Path) -> None:
    study = Study(tmp_path, slurm, PLAN)
    study.prepare()
    here = study.launch("local")
    assert here.returncode == 0, here.stderr
    study.launch_and_kill()
    assert len(study.results("slurm")) < 16
    second = study.launch("slurm")
    assert second.returncode == 0, second.stderr
    assert "16 of 16 experiments are complete" in second.stdout + second.stderr
    assert study.results("slurm") == study.results("local")
    assert len(study.results("local")) == 16
    jobs = study.submitted()
    assert len(jobs) == len(set(jobs))
    assert study.recorded() == {"completed": 16, "failed": 3, "interrupted": 1}
