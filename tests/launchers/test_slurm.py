"""The Slurm launcher on a real Slurm: the contract of launchers, what Slurm refuses, and what goes wrong on the way."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.launchers.slurm import SlurmLauncher
from hpoctl.launchers.slurm_check import check_slurm
from hpoctl.launchers.slurm_commands import Element
from hpoctl.launchers.slurm_options import SlurmOptions
from hpoctl.launchers.slurm_states import judge, why_failed
from hpoctl.stores.job_files import JobReport
from hpoctl.testing import OtherSide, ToyJobs, check_launcher
from hpoctl.testing.polling import finish, poll_until, require_once, states, wait_until
from services.slurm import Slurm

FAST = SlurmOptions(poll_interval=0.2)


@pytest.fixture
def toys(tmp_path: Path) -> ToyJobs:
    return ToyJobs(tmp_path)


def elements(slurm: Slurm, state: str) -> list[str]:
    return slurm.ask("squeue", "--noheader", "--array", f"--states={state}", "--format=%F_%K").split()


@pytest.mark.timeout(600)
def test_contract(slurm: Slurm) -> None:
    other = OtherSide(slurm.kill_job, slurm.losing_replies, slurm.forget, slurm.submissions)
    check_launcher(lambda: SlurmLauncher(FAST), other)


def test_jobs_share_elements_and_elements_are_spread_over_arrays(slurm: Slurm, toys: ToyJobs) -> None:
    before = slurm.submissions()
    launcher = SlurmLauncher(replace(FAST, elements=2, max_array_size=1))
    jobs = toys.jobs()
    assert len(jobs) == 3
    receipts = launcher.submit(jobs)
    assert states(finish(launcher, receipts)) == ["done"] * 3
    require_once(toys, "")
    assert ["--array=0-0" in words for words in slurm.accepted()[before:]] == [True, True]
    assert all("complete" in launcher.log(receipt) for receipt in receipts)


def test_an_element_that_is_queued_again_goes_on(slurm: Slurm, toys: ToyJobs) -> None:
    jobs = toys.jobs(toys.cells("RS"))
    held, *_, first = toys.cells("RS")  # of those that take as long as each other the last one is the first
    toys.set_wire(held, "wait")
    launcher = SlurmLauncher(FAST)
    receipts = launcher.submit(jobs)
    poll_until(
        launcher, receipts, lambda: held in toys.running() and toys.standings()[first].state == "done", "no start"
    )
    slurm.ask("scontrol", "requeue", elements(slurm, "RUNNING")[0])
    seen: list[str] = []

    def stopped() -> bool:
        seen.extend(states(launcher.poll(receipts, 0.05)))
        return held not in toys.running()

    wait_until(stopped, "it continues as if nothing had happened")
    toys.cut_wire(held)
    wait_until(lambda: elements(slurm, "PENDING"), "it is not queued again")
    slurm.start_soon(elements(slurm, "PENDING")[0])
    (status,) = finish(launcher, receipts)
    assert (status.state, status.done) == ("done", 4)
    assert set(seen) <= {"waiting", "running"}
    recorded = sorted(one.recorded for one in toys.attempts() if one.cell == held)
    assert recorded == ["completed", "interrupted"]


def test_what_slurm_refuses_is_said_in_its_words_and_can_be_submitted_later(slurm: Slurm, toys: ToyJobs) -> None:
    jobs = toys.jobs(toys.cells("RS-EACH"))
    before = slurm.submissions()
    with pytest.raises(UsageError) as caught:
        SlurmLauncher(replace(FAST, partition="gpu")).submit(jobs)
    assert "invalid partition specified: gpu" in caught.value.what
    assert slurm.submissions() == before
    launcher = SlurmLauncher(FAST)
    assert states(launcher.poll(launcher.find(jobs), 0.0)) == ["unknown"] * 2
    assert states(finish(launcher, launcher.submit(jobs))) == ["done"] * 2


def test_a_controller_that_is_down_is_waited_for(slurm: Slurm, toys: ToyJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CONF", slurm.impatient["SLURM_CONF"])
    jobs = toys.jobs(toys.cells("RS-EACH"))
    before = slurm.submissions()
    launcher = SlurmLauncher(FAST)
    impatient = SlurmLauncher(replace(FAST, patience=0.01))
    slurm.stop_controller()
    try:
        receipts = launcher.submit(jobs)
        assert states(launcher.poll(receipts, 0.0)) == ["waiting"] * 2
        assert "does not answer" in launcher.activity()[0].what
        impatient.submit(jobs)
        with pytest.raises(HpoctlError, match="Slurm does not answer") as caught:
            finish(impatient, receipts)
        assert "scontrol ping" in caught.value.fix
        assert [finding.verdict for finding in check_slurm(FAST)] == ["problem"]
    finally:
        slurm.start_controller()
    assert states(finish(launcher, receipts)) == ["done"] * 2
    assert slurm.submissions() == before + 1


def test_an_array_that_was_submitted_twice_is_cancelled(slurm: Slurm, toys: ToyJobs) -> None:
    """As when sbatch lives on for a moment after its launch was killed, and another launch submits the same."""
    jobs = toys.jobs(toys.cells("RS-EACH"))
    held = jobs[0].tasks[0].cell
    toys.set_wire(held, "wait")
    launcher = SlurmLauncher(FAST)
    receipts = launcher.submit(jobs)
    name = slurm.accepted()[-1].partition("--job-name=")[2].split()[0]
    script = "#!/bin/bash\nsleep 60\n"
    words = ["sbatch", "--array=0-1", f"--job-name={name}", "--output=/dev/null"]
    subprocess.run(words, input=script, text=True, check=True, capture_output=True)
    wait_until(lambda: held in toys.running(), "it does not begin")

    def cancelled() -> bool:
        launcher.poll(receipts, 0.05)
        live = slurm.ask("squeue", "--noheader", f"--name={name}", "--format=%F").split()
        return bool(live) and len(set(live)) == 1

    assert len(set(slurm.ask("squeue", "--noheader", f"--name={name}", "--format=%F").split())) == 2
    wait_until(cancelled, "a job that was submitted twice still runs")
    toys.cut_wire(held)
    assert states(finish(launcher, receipts)) == ["done"] * 2


def test_a_launch_waits_while_another_one_submits(slurm: Slurm, toys: ToyJobs) -> None:
    jobs = toys.jobs(toys.cells("RS-EACH"))
    before = slurm.submissions()
    source = f"""
        from pathlib import Path
        from hpoctl.stores.claims import LocalClaims
        assert LocalClaims(Path({toys.store.location("")!r})).take("toys/slurm")
        print("taken", flush=True)
        input()
    """
    words = [sys.executable, "-c", textwrap.dedent(source)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        launcher = SlurmLauncher(FAST)
        receipts = launcher.submit(jobs)
        assert states(launcher.poll(receipts, 0.0)) == ["waiting"] * 2
        assert slurm.submissions() == before
        other.communicate("\n")
    assert states(finish(launcher, receipts)) == ["done"] * 2
    assert slurm.submissions() == before + 1


def test_a_job_that_cannot_start_says_why(slurm: Slurm, toys: ToyJobs) -> None:
    (job,) = toys.jobs(toys.cells("RS"))
    launcher = SlurmLauncher(replace(FAST, setup="echo from setup", python="/no/such/python"))
    (status,) = finish(launcher, launcher.submit([job]))
    assert status.state == "failed"
    assert status.reason.startswith("Slurm says FAILED (NonZeroExitCode), and it has not reported its end: ")
    assert "/no/such/python: No such file or directory" in status.reason
    assert "/no/such/python" in launcher.log(job.name)


def test_what_was_not_submitted_yet_is_cancelled_too(
    slurm: Slurm, toys: ToyJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", slurm.impatient["SLURM_CONF"])
    jobs = toys.jobs(toys.cells("RS-EACH"))
    before = slurm.submissions()
    launcher = SlurmLauncher(replace(FAST, patience=1.0))
    slurm.stop_controller()
    try:
        receipts = launcher.submit(jobs)
        with pytest.raises(HpoctlError, match="Slurm does not answer"):  # it may have them
            launcher.cancel(receipts)
    finally:
        slurm.start_controller()
    assert states(launcher.poll(receipts, 0.3)) == ["unknown"] * 2
    assert slurm.submissions() == before


def test_an_array_that_is_cancelled_before_it_begins_says_so(slurm: Slurm, toys: ToyJobs) -> None:
    jobs = toys.jobs(toys.cells("RS-EACH"))
    launcher = SlurmLauncher(replace(FAST, sbatch="--begin=now+1hour"))
    receipts = launcher.submit(jobs)

    def told() -> bool:
        waiting = launcher.poll(receipts, 0.05)
        return [(status.state, status.reason) for status in waiting] == [("waiting", "BeginTime")] * 2

    wait_until(told, "why jobs wait is not said")
    launcher.cancel(receipts)
    ended = finish(launcher, receipts)
    assert [(status.state, status.reason) for status in ended] == [("failed", "it was cancelled")] * 2
    assert not toys.attempts()


def fake(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of Slurm with given output."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")


def test_a_limit_that_nothing_of_ours_has_used_up_is_an_error(
    toys: ToyJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting"
    fake(tmp_path, "sbatch", f"echo '{said}' >&2; exit 1", monkeypatch)
    fake(tmp_path, "squeue", "exit 0", monkeypatch)
    with pytest.raises(UsageError, match="takes no more jobs: AssocMaxSubmitJobLimit") as caught:
        SlurmLauncher(FAST).submit(toys.jobs())
    assert "elements=" in caught.value.fix


def test_beyond_a_limit_jobs_wait_for_room(toys: ToyJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second array is taken when the first one has gone; as a fake, because limits need Slurm's accounting."""
    room = tmp_path / "room"
    room.touch()
    fake(
        tmp_path,
        "sbatch",
        f"if rm {room}; then echo 7; else echo QOSMaxSubmitJobPerUserLimit >&2; exit 1; fi",
        monkeypatch,
    )
    fake(tmp_path, "squeue", "exit 0", monkeypatch)
    launcher = SlurmLauncher(replace(FAST, elements=2, max_array_size=1, poll_interval=1e-9))
    jobs = toys.jobs(toys.cells("RS-EACH"))
    receipts = launcher.submit(jobs)
    waiting = [status.reason for status in launcher.poll(receipts, 0.0) if status.state == "waiting"]
    assert any("QOSMaxSubmitJobPerUserLimit" in reason for reason in waiting)


def test_without_slurm_nothing_is_submitted(toys: ToyJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="There is no sbatch on this machine's PATH") as caught:
        SlurmLauncher(FAST).submit(toys.jobs())
    assert "login node" in caught.value.fix
    (finding,) = check_slurm(FAST)
    assert (finding.verdict, finding.text) == ("problem", "sbatch, squeue, scancel not found on this machine's PATH")


def test_what_is_damaged_is_said(slurm: Slurm, toys: ToyJobs) -> None:
    jobs = toys.jobs(toys.cells("RS-EACH"))
    launcher = SlurmLauncher(FAST)
    finish(launcher, launcher.submit(jobs))
    (file,) = [name for name in toys.store.list("toys/.hpoctl/slurm") if name.endswith("json") and "answer" not in name]
    toys.store.put(file, b"{}")
    late = SlurmLauncher(FAST)
    with pytest.raises(HpoctlError, match="is damaged"):
        late.poll(late.find(jobs), 0.0)


def test_the_check_finds_the_partition_or_says_which_there_are(slurm: Slurm) -> None:
    def verdicts(options: SlurmOptions) -> list[str]:
        return [f"{finding.verdict}: {finding.text}" for finding in check_slurm(options)]

    assert verdicts(FAST)[:2] == ["ok: it answers, with 1 partitions", "ok: main is up"]
    assert verdicts(replace(FAST, partition="main"))[1] == "ok: main is up"
    *_, wrong, _ = check_slurm(replace(FAST, partition="gpu"))
    assert (wrong.verdict, wrong.text) == ("problem", "there is no partition gpu")
    assert "main" in wrong.remedy


REPORT = JobReport("failed", 1, (), 0.0, "node", "interrupted")


def element(state: str, reason: str = "") -> Element:
    return Element(1, 0, "name", state, reason)


@pytest.mark.parametrize(
    ("report", "known", "taken_in", "state"),
    [
        (None, [], False, "unknown"),
        (None, [], True, "failed"),
        (None, [element("PENDING", "Resources")], False, "waiting"),
        (None, [element("RUNNING")], True, "waiting"),
        (replace(REPORT, state="running"), [element("RUNNING")], True, "running"),
        (REPORT, [element("RUNNING")], True, "running"),
        (REPORT, [element("PENDING", "BeginTime")], True, "waiting"),
        (REPORT, [], False, "failed"),
        (replace(REPORT, state="running"), [element("NODE_FAIL")], True, "failed"),
        (replace(REPORT, state="running"), [element("CANCELLED"), element("RUNNING")], True, "running"),
        (replace(REPORT, state="done"), [element("PENDING")], True, "done"),
        (replace(REPORT, state="done"), [element("NODE_FAIL")], True, "done"),
        (replace(REPORT, state="done"), [], False, "done"),
    ],
)
def test_storage_wins_then_what_is_live_then_what_has_ended(
    report: JobReport | None, known: Sequence[Element], taken_in: bool, state: str
) -> None:
    assert judge(report, known, taken_in=taken_in).state == state


@pytest.mark.parametrize(
    ("report", "known", "log", "why"),
    [
        (REPORT, [element("TIMEOUT")], "", "it reached its time limit"),
        (None, [element("OUT_OF_MEMORY")], "", "it needed more memory than it was given"),
        (REPORT, [], "", "interrupted"),
        (replace(REPORT, reason=""), [element("FAILED")], "", ""),
        (None, [], "a\nlast\n", "Slurm does not know it any more, and it has not reported its end: last"),
        (
            None,
            [element("FAILED", "exit code 3")],
            "",
            "Slurm says FAILED (exit code 3), and it has not reported its end",
        ),
    ],
)
def test_why_a_job_has_failed(report: JobReport | None, known: Sequence[Element], log: str, why: str) -> None:
    assert why_failed(report, known, log) == why


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"cpus": 0}, "cpus"),
        ({"elements": 0}, "elements"),
        ({"max_array_size": 0}, "max_array_size"),
        ({"poll_interval": 0.0}, "poll_interval"),
        ({"patience": float("nan")}, "patience"),
        ({"time": "soon"}, "time"),
        ({"memory": "4 GB"}, "memory"),
        ({"sbatch": "--array=1-3"}, "--array=1-3"),
        ({"sbatch": "'"}, "cannot be read"),
        ({"jobs": 0}, "experiments at a time"),
        ({"retries": -1}, "--retries"),
        ({"timeout": 0.0}, "--timeout"),
    ],
)
def test_options_out_of_range_are_refused(values: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        SlurmOptions(**values)  # type: ignore[arg-type]


def test_options_become_those_of_sbatch() -> None:
    options = SlurmOptions(
        partition="p", account="a", qos="q", constraint="c", time="1-12", memory="4G", cpus=3,
        sbatch="--nice=5 --x 'y z'", requeue=False,
    )  # fmt: skip
    assert options.words == [
        "--partition=p", "--account=a", "--qos=q", "--constraint=c", "--time=1-12", "--mem=4G", "--nodes=1",
        "--ntasks=1", "--cpus-per-task=3", "--no-requeue", "--nice=5", "--x", "y z",
    ]  # fmt: skip


def test_accounting_says_how_what_the_queue_has_forgotten_ended(
    toys: ToyJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fake: real accounting needs a database server."""
    fake(tmp_path, "sbatch", "echo '7;cluster'", monkeypatch)
    fake(tmp_path, "squeue", "exit 0", monkeypatch)
    launcher = SlurmLauncher(FAST)
    jobs = toys.jobs(toys.cells("RS-EACH"))
    receipts = launcher.submit(jobs)
    name = next(iter(toys.store.list("toys/.hpoctl/slurm"))).rpartition("/")[2].partition(".")[0]
    rows = f"7_0|CANCELLED by 1000|0:0|hpoctl-toys-{name}\n7_1|RUNNING|0:0|hpoctl-toys-{name}\n7_[2-3]|PENDING|0:0|x"
    fake(tmp_path, "sacct", f"cat <<'E'\n{rows}\nE", monkeypatch)
    first, second = finish(launcher, receipts)
    assert (first.state, first.reason) == ("failed", "it was cancelled")
    assert (second.state, second.reason) == (
        "failed",
        "Slurm does not know it any more, and it has not reported its end",
    )


@pytest.mark.timeout(600)
def test_the_smoke_test(slurm: Slurm, tmp_path: Path) -> None:
    (tmp_path / "hpoctl.toml").write_text('launcher = "slurm"\n[launcher_options]\npoll_interval = 0.2\n')
    environment = {**os.environ, **slurm.environment, "HPOCTL_DATA": str(tmp_path / "data"), "HPOCTL_PLUGINS": ""}
    done = subprocess.run(
        [sys.executable, "-m", "hpoctl", "doctor", "--smoke", "--results", "there", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    found = {finding["subject"]: finding["verdict"] for finding in json.loads(done.stdout)["data"]["findings"]}
    assert [found.get(f"job on slurm{what}") for what in ("", ": pause", ": resume")] == ["ok"] * 3
    assert [path.name for path in (tmp_path / "there").iterdir()] == [".claims"]
