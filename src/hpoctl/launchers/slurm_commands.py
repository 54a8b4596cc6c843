"""What is sent to Slurm, and what it answers: sbatch, squeue, sacct and scancel, in one request for many jobs."""

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from hpoctl.core.errors import HpoctlError, UsageError

ANSWER_LIMIT = 60.0
"""Seconds that one request may take: Slurm's own programs try again for a while when the controller is busy."""

TRANSIENT = re.compile(
    r"unable to contact|timed out|connection (refused|reset)|communication|temporarily unable|temporarily unavailable"
    r"|zero bytes|standby mode|transport endpoint|rate limit",
    re.IGNORECASE,
)
LIMIT = re.compile(r"(Assoc|QOS)\w+")
AT_A_TIME = 500
"""How many elements are named in one scancel."""

ALL = -1
"""The index of what Slurm has one row for."""

LIVE = frozenset(
    {
        "PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD",
        "SPECIAL_EXIT", "RESIZING", "SIGNALING", "STAGE_OUT", "STOPPED", "RESV_DEL_HOLD",
    }
)  # fmt: skip
"""The states of what may run still, or again."""


class SlurmUnreachableError(HpoctlError):
    """Slurm does not answer; the request may or may not have been carried out."""


class SlurmFullError(HpoctlError):
    """Slurm takes no more jobs from this person at the moment."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element of an array, as Slurm knows it.

    Attributes:
        array: The array's number.
        index: The element's index; -1: those that were cancelled before they began, as Slurm has one row for all.
        name: The array's name.
        state: Its state, such as `PENDING`.
        reason: Why it waits, or how it ended; empty: Slurm does not say.
    """

    array: int
    index: int
    name: str
    state: str
    reason: str

    @property
    def live(self) -> bool:
        """Whether it runs, or may still."""
        return self.state in LIVE


def submit_array(words: Sequence[str], script: str) -> int:
    """Submit an array; returns its number.

    Args:
        words: The options of sbatch.
        script: The script.

    Raises:
        SlurmUnreachableError: The controller does not answer; the array may have been taken in.
        SlurmFullError: A limit on the number of jobs is reached.
        UsageError: Slurm refuses it.
    """
    code, output, errors = ask_slurm(["sbatch", "--parsable", *words], script)
    number = output.strip().partition(";")[0]
    if code == 0 and number.isdigit():
        return int(number)
    if TRANSIENT.search(errors):
        raise _unreachable("sbatch", errors)
    limit = LIMIT.search(errors)
    if "Submit" in limit.group() if limit else "job submit limit" in errors:
        raise SlurmFullError(f"Slurm takes no more jobs: {errors}.", "Wait, or use fewer of them.")
    raise UsageError(
        f"Slurm refuses the jobs: {errors or output.strip() or f'sbatch ended with exit code {code}'}.",
        "Change the launcher's options, such as --launcher-option partition=NAME; `sinfo` lists partitions.",
    )


def queued(names: Sequence[str]) -> list[Element]:
    """The elements of arrays that wait or run, and those that ended a short while ago.

    Raises:
        SlurmUnreachableError: The controller does not answer.
    """
    if not names:
        return []
    words = ["squeue", "--noheader", "--array", "--states=all", f"--name={','.join(names)}", "--format=%F|%K|%T|%j|%r"]
    code, output, errors = ask_slurm(words)
    if code != 0:
        raise _unreachable("squeue", errors)
    rows = [line.split("|", 4) for line in output.splitlines()]
    return [
        Element(int(row[0]), int(row[1]) if row[1].isdigit() else ALL, row[3], row[2], row[4].replace("None", ""))
        for row in rows
        if len(row) == 5 and row[0].isdigit()
    ]


def accounted(names: Sequence[str], days: int) -> list[Element] | None:
    """The elements of arrays that ended, from Slurm's accounting; None: it is missing, or does not answer.

    Args:
        names: The arrays' names.
        days: How many days ago the first of them can have been submitted.
    """
    words = ["sacct", "--noheader", "--parsable2", "--allocations", f"--starttime=now-{days}days"]
    words += [f"--name={','.join(names)}", "--format=JobID,State,ExitCode,JobName"]
    try:
        code, output, _ = ask_slurm(words)
    except HpoctlError:
        return None
    if code != 0:
        return None
    found = []
    for line in output.splitlines():
        number, state, exit_code, name = (*line.split("|", 3), "", "", "")[:4]
        array, _, index = number.partition("_")
        if array.isdigit() and index.isdigit() and state:
            reason = "" if exit_code in {"", "0:0"} else f"exit code {exit_code.partition(':')[0]}"
            found.append(Element(int(array), int(index), name, state.split()[0], reason))  # CANCELLED by 1000
    return found


def cancel_elements(elements: Iterable[Element]) -> None:
    """Cancel elements; those that have ended meanwhile are not errors.

    Raises:
        SlurmUnreachableError: The controller does not answer.
    """
    numbers = iter([f"{element.array}_{element.index}" for element in elements])
    while some := list(islice(numbers, AT_A_TIME)):
        code, _, errors = ask_slurm(["scancel", *some])
        if code != 0 and TRANSIENT.search(errors):
            raise _unreachable("scancel", errors)


def ask_slurm(words: Sequence[str], text: str = "") -> tuple[int, str, str]:
    """Run one of Slurm's programs; returns its exit code, what it printed, and what went wrong, in one line.

    Raises:
        UsageError: There is no such program.
        SlurmUnreachableError: It does not end in time.
    """
    try:
        answer = subprocess.run(  # noqa: S603 - Slurm's own programs, no shell
            words,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWER_LIMIT,
            check=False,
            env=os.environ | {"SLURM_TIME_FORMAT": "standard", "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no {words[0]} on this machine's PATH.", "Launch from a login node of the cluster."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise _unreachable(words[0], f"no answer within {ANSWER_LIMIT:.0f} s") from error
    lines = [line.removeprefix(f"{words[0]}: ").removeprefix("error: ") for line in answer.stderr.splitlines()]
    return answer.returncode, answer.stdout, "; ".join(line.strip() for line in lines if line.strip()).rstrip(".")


def _unreachable(program: str, why: str) -> SlurmUnreachableError:
    return SlurmUnreachableError(
        f"Slurm does not answer {program}: {why or 'it says nothing'}.",
        "`scontrol ping` says whether its controller is up. Submitted jobs continue; repeat the command later.",
    )
