"""`hpoctl benchmark check` says in words what is wrong with a training script."""

import textwrap
from pathlib import Path
from typing import Any

import pytest

from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError
from hpoctl.core.findings import Finding
from hpoctl.core.script_benchmark import benchmark_from_table
from hpoctl.core.toml_files import Document
from hpoctl.ops.running.check_benchmark import CheckRequest, check_benchmark
from hpoctl.testing import toy_benchmark

TABLE: dict[str, Any] = {
    "script": "train.py",
    "metric": "loss",
    "resource_attr": "epoch",
    "max_resource_attr": "epochs",
    "max_wallclock_time": 60,
    "checkpoints": True,
    "space": {"lr": {"type": "uniform", "lower": 0.0, "upper": 1.0}, "epochs": 9},
}

HEAD = """
import argparse, os, pathlib, sys, time
import hpoctl
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
args, folder = parser.parse_args(), pathlib.Path(os.environ["HPOCTL_CHECKPOINT_DIR"])
state = folder / "epoch"
"""

GOOD = """
start = int(state.read_text()) if state.exists() else 0
for epoch in range(start + 1, args.epochs + 1):
    state.write_text(str(epoch))
    hpoctl.report(epoch=epoch, loss=args.lr / epoch, seen=epoch * 10)
"""

FORGETS = (
    "for epoch in range(1, args.epochs + 1):\n    state.write_text('x')\n    hpoctl.report(epoch=epoch, loss=1.0)\n"
)
ONCE = "state.write_text('x')\n"


def check(tmp_path: Path, body: str, *, head: str = HEAD, timeout: float = 20.0, **changes: Any) -> list[Finding]:
    folder = tmp_path / "script"
    folder.mkdir()
    (folder / "train.py").write_text(head + textwrap.dedent(body))
    table = {key: value for key, value in (TABLE | changes).items() if value is not None}
    benchmark = benchmark_from_table(Document(table, "benchmark.toml"), folder=folder, name="own")
    return run(benchmark, tmp_path, timeout)


def run(benchmark: Benchmark, tmp_path: Path, timeout: float = 20.0) -> list[Finding]:
    work = tmp_path / "work"
    work.mkdir()
    return list(check_benchmark(benchmark, CheckRequest(timeout=timeout), work))


def bad(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(found.subject, found.verdict, found.text) for found in findings if found.verdict != "ok"]


def test_a_good_script_is_fine(tmp_path: Path) -> None:
    findings = check(tmp_path, GOOD)
    assert [found.verdict for found in findings] == ["ok"] * 5, findings
    texts = {found.subject: found.text for found in findings}
    assert texts["reports"] == "epoch 1 to 2: loss 0.5, 0.25; also seen"
    assert texts["resume"] == "it continues at epoch 3"


@pytest.mark.parametrize(
    ("body", "subject", "words"),
    [
        ("pass", "reports", "reported nothing up to epoch 2"),
        ("print('epoch 1: loss 0.5')", "reports", "reported nothing"),
        ("hpoctl.report(epoch=1, val_loss=0.5)", "reports", "have no loss, but epoch, val_loss"),
        ("hpoctl.report(epoch=1, loss='low')", "reports", 'loss is "low", which is not a number'),
        ("hpoctl.report(loss=0.5)", "reports", "epoch is missing"),
        ("hpoctl.report(epoch=0, loss=0.5)", "reports", "epoch is 0: levels are whole numbers from 1 on"),
        ("for epoch in (2, 1): hpoctl.report(epoch=epoch, loss=1.0)", "reports", "epoch 1 comes after 2"),
        ("for epoch in (1, 1, 2): hpoctl.report(epoch=epoch, loss=1.0)", "reports", "epoch 1 comes after 1"),
        ("print('[tune-metric]: {broken')", "reports", "line 1: not JSON: {broken"),
        ("for e in (1, 2): hpoctl.report(epoch=e, loss=1.0)", "checkpoint", "HPOCTL_CHECKPOINT_DIR is empty"),
        (FORGETS, "resume", "it resumed from the start: it reported epoch 1 although 2 was done"),
        ("raise RuntimeError('no data')", "exit", "exit status 1: RuntimeError: no data"),
        ("sys.exit(7)", "exit", "exit status 7"),
        ("os.kill(os.getpid(), 9)", "exit", "SIGKILL"),
        (
            f"{ONCE}for e in range(1, args.epochs + 1): hpoctl.report(epoch=e, loss=1.0)\nsys.exit(3)",
            "exit",
            "exit status 3",
        ),
    ],
    ids=lambda part: str(part)[:40],
)
def test_what_is_wrong_is_said(tmp_path: Path, body: str, subject: str, words: str) -> None:
    found = bad(check(tmp_path, body))
    assert any(about == subject and verdict == "problem" and words in text for about, verdict, text in found), found
    assert all(finding[1] == "problem" for finding in found)


def test_every_problem_has_a_remedy(tmp_path: Path) -> None:
    (problem,) = [found for found in check(tmp_path, "hpoctl.report(epoch=1, los=0.5)") if found.verdict != "ok"]
    assert "Did you mean los?" in problem.remedy


def test_arguments_that_the_parser_refuses(tmp_path: Path) -> None:
    space = {**TABLE["space"], "momentum": {"type": "uniform", "lower": 0.0, "upper": 1.0}}
    (found,) = bad(check(tmp_path, GOOD, space=space))
    assert found[0] == "arguments"
    assert "unrecognized arguments: --momentum 0.5" in found[2]


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    (found,) = bad(check(tmp_path, GOOD, script="gone.py"))
    assert (found[0], found[1]) == ("script", "problem")
    assert "gone.py" in found[2]


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    found = bad(check(tmp_path, GOOD, script=None, command=["no-such-program-here"]))
    assert len(found) == 1
    assert "no-such-program-here" in found[0][2]


def test_nothing_is_reported_for_too_long(tmp_path: Path) -> None:
    found = bad(check(tmp_path, "time.sleep(60)", timeout=1.0))
    assert any("no report for 1 s" in text for _, _, text in found), found


def test_a_script_that_starts_over_and_says_so(tmp_path: Path) -> None:
    body = "for e in range(1, args.epochs + 1): hpoctl.report(epoch=e, loss=1.0)"
    findings = check(tmp_path, body, checkpoints=False)
    assert bad(findings) == []
    assert any("starts over (epoch 1)" in found.text for found in findings)


def test_a_script_that_continues_and_does_not_say_so(tmp_path: Path) -> None:
    (found,) = bad(check(tmp_path, GOOD, checkpoints=False))
    assert found == ("resume", "warning", "it continues at epoch 3, although checkpoints is false")


def test_a_resource_that_is_not_obeyed(tmp_path: Path) -> None:
    body = GOOD.replace("args.epochs + 1", "args.epochs + 3")
    assert ("resource", "warning", "it went on to epoch 4, although epochs was 2") in bad(check(tmp_path, body))


def test_a_trial_that_fails_when_it_is_resumed(tmp_path: Path) -> None:
    body = "if state.exists(): sys.exit('cannot load')\n" + GOOD
    (found,) = bad(check(tmp_path, body))
    assert found[0] == "resume"
    assert "cannot load" in found[2]


def test_a_script_that_ignores_sigterm_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpoctl.ops.running.tiny_trial.GRACE", 0.3)
    body = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + GOOD.replace(
        "    hpoctl", "    time.sleep(epoch > 3)\n    hpoctl"
    )
    found = bad(check(tmp_path, body))
    assert [(subject, verdict) for subject, verdict, _ in found] == [("pause", "warning")]
    assert "ignores SIGTERM" in found[0][2]


def test_metrics_that_are_not_finite_are_a_warning(tmp_path: Path) -> None:
    found = bad(check(tmp_path, GOOD.replace("args.lr / epoch", "float('nan')")))
    assert [(subject, verdict) for subject, verdict, _ in found] == [("reports", "warning")]


def test_a_metric_beside_the_tuned_one_that_is_missing(tmp_path: Path) -> None:
    found = bad(check(tmp_path, GOOD, metrics=["accuracy"]))
    assert found == [("reports", "problem", "the metric accuracy is not reported")]


def test_training_that_changes_the_script_itself(tmp_path: Path) -> None:
    found = bad(check(tmp_path, GOOD + "pathlib.Path('model.bin').write_text('x')\n"))
    assert found == [("files", "warning", "training changed what belongs to the script: model.bin")]


def test_a_script_without_a_largest_resource(tmp_path: Path) -> None:
    space = {"lr": TABLE["space"]["lr"]}
    findings = check(
        tmp_path, "hpoctl.report(loss=1.0)", resource_attr=None, max_resource_attr=None, space=space, checkpoints=False
    )
    assert bad(findings) == []
    assert any("report_number 1: loss 1" in found.text for found in findings)


def test_a_table_is_checked_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a table"):
        run(toy_benchmark(), tmp_path)


class TestBadInput:
    """Whatever a script prints or does, its reports count and the outcome is one."""

    @pytest.mark.parametrize(
        "noise",
        [
            "print('garbage' * 20)",
            "print('x\\n' * 1_000_000)",
            "sys.stdout.write('no line break')",
            "sys.stdout.buffer.write(bytes(range(256)) * 40)",
            "print('y' * 10_000_000)",
            "print('[tune-metric]: {\"loss\": ' + '1' * 10_000_000)",
        ],
        ids=["garbage", "a million lines", "no newline", "binary", "10 MB in a line", "10 MB in a report"],
    )
    def test_output_hides_no_report(self, tmp_path: Path, noise: str) -> None:
        body = f"{noise}\nsys.stdout.flush()\n{GOOD}"
        findings = check(tmp_path, body)
        assert any(found.text.startswith("epoch 1 to 2: loss 0.5, 0.25") for found in findings), findings
        long = "longer than 200,000 bytes"
        assert all(found.verdict == "ok" or long in found.text for found in findings), findings

    def test_values_of_a_configuration_arrive_unchanged(self, tmp_path: Path) -> None:
        values = ["two words", "a'b\"c`$(x)", "-relu", "--help"]
        body = f"""
        wanted = {values!r}
        parser.add_argument("--text")
        args = parser.parse_args()
        assert args.text in wanted, args.text
        """
        head = HEAD.replace("args, folder = parser.parse_args(), ", "folder = ")
        for place, value in enumerate(values):
            space = {**TABLE["space"], "text": value}
            inner = tmp_path / str(place)
            inner.mkdir()
            assert bad(check(inner, textwrap.dedent(body) + GOOD, head=head, space=space)) == []

    def test_a_value_with_a_line_break_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="has a control character"):
            check(tmp_path, GOOD, space={**TABLE["space"], "text": "two\nlines"})

    def test_a_script_that_forks_and_exits(self, tmp_path: Path) -> None:
        body = f"if os.fork(): os._exit(0)\nstate.write_text('0')\ntime.sleep(0.2)\n{GOOD}"
        findings = check(tmp_path, body)
        assert ("processes", "warning", "processes that it had left behind were ended") in bad(findings)
        assert all(found.subject in {"script", "processes", "reports"} for found in findings), findings
        assert len([found for found in findings if found.verdict == "problem"]) <= 1

    def test_two_processes_that_report_at_once(self, tmp_path: Path) -> None:
        body = (
            GOOD.replace("    state", "    child = os.fork()\n    state")
            + "    if not child: os._exit(0)\n    os.wait()\n"
        )
        found = bad(check(tmp_path, body))
        assert found
        assert all("levels have to increase" in text for _, _, text in found), found

    def test_a_value_beyond_doubles_is_a_metric(self, tmp_path: Path) -> None:
        body = GOOD.replace(
            "hpoctl.report(epoch=epoch, loss=args.lr / epoch, seen=epoch * 10)",
            'print(\'[tune-metric]: {"epoch": %d, "loss": 1e400}\' % epoch, flush=True)',
        )
        found = bad(check(tmp_path, body))
        assert found == [("reports", "warning", "epoch 1 to 2: loss inf, inf")]
