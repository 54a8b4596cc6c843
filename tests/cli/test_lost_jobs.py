"""Jobs that end without their experiments: a launch counts complete experiments, independent of its launcher."""

from dataclasses import replace

import pytest

from command_line import CommandLine
from toy_launchers import launcher_plugin

LOSING = launcher_plugin(
    "losing",
    ['fate: Literal["failed", "unknown", "done"] = "failed"'],
    'JobStatus(self.options.fate, reason="node-7 \\x1b[2J caught fire" if self.options.fate == "failed" else "")',
)
WORDS = ("launch", "--method", "RS", "--benchmark", "toy", "--num-seeds", "2", "--study", "toys", "--tag", "lost")


@pytest.fixture
def losing(cli: CommandLine) -> CommandLine:
    cli.install("losing", LOSING)
    return replace(cli, environment=cli.environment | {"HPOCTL_PLUGINS": "toys-plugin,losing"})


@pytest.mark.parametrize(
    ("fate", "why"),
    [("failed", "node-7 \\x1b[2J caught fire"), ("unknown", "does not say why"), ("done", "does not say why")],
)
def test_a_launch_is_no_success_when_its_jobs_end_without_their_experiments(
    losing: CommandLine, fate: str, why: str
) -> None:
    answer = losing(*WORDS, "--on", "losing", "--launcher-option", f"fate={fate}", "--json")
    assert answer.code == 1
    assert answer.json["status"] == "error"
    assert answer.json["data"]["done"] == 0
    assert len(answer.json["data"]["failures"]) == 2
    assert all(why in error["what"].replace("\x1b", "\\x1b") for error in answer.json["errors"])


def test_the_reason_of_a_lost_job_is_told_once(losing: CommandLine) -> None:
    answer = losing(*WORDS, "--on", "losing")
    assert answer.code == 1
    assert "0 of 2 experiments are complete, 2 failed" in answer.out
    assert answer.err.count("caught fire") == 1
    assert "\x1b" not in answer.err
