"""What would stop a launch on Slurm, for `hpoctl doctor`."""

import shutil
from collections.abc import Iterator

from hpoctl.core.errors import HpoctlError
from hpoctl.core.findings import Finding
from hpoctl.launchers.slurm_commands import ask_slurm
from hpoctl.launchers.slurm_options import SlurmOptions

PROGRAMS = ("sbatch", "squeue", "scancel")


def check_slurm(options: SlurmOptions) -> Iterator[Finding]:
    """Look at Slurm's programs, its controller, the partition, and the accounting."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        text = f"{', '.join(missing)} not found on this machine's PATH"
        yield Finding("Slurm", "problem", text, "Launch from a login node, or load the module that has Slurm.")
        return
    partitions = _partitions()
    if isinstance(partitions, str):
        remedy = "`scontrol ping` says whether the controller is up; $SLURM_CONF names another configuration."
        yield Finding("Slurm", "problem", f"it does not answer: {partitions}", remedy)
        return
    yield Finding("Slurm", "ok", f"it answers, with {len(partitions)} partitions")
    yield _partition(options.partition, partitions)
    if not _accounting():
        text = (
            "missing, or it does not answer: Slurm forgets ended jobs after a while, then only their reports are known"
        )
        yield Finding("Slurm accounting", "ok", text)


def _partitions() -> dict[str, str] | str:
    """Whether each partition is up, by its name; its default has a star. A text: why that is not known."""
    try:
        code, output, errors = ask_slurm(["sinfo", "--noheader", "--format=%P|%a"])
    except HpoctlError as error:
        return error.what
    if code != 0:
        return errors or f"sinfo ended with exit code {code}"
    rows = [line.partition("|") for line in output.splitlines()]
    return {name.strip(): state.strip() for name, _, state in rows}


def _partition(wanted: str | None, partitions: dict[str, str]) -> Finding:
    listed = ", ".join(name.rstrip("*") for name in partitions) or "none"
    remedy = f"Choose another with --launcher-option partition=NAME: {listed}."
    found = next((name for name in partitions if name.rstrip("*") == wanted or (not wanted and "*" in name)), None)
    if found is None and wanted is None:
        return Finding("Slurm partition", "problem", "there is no default partition, and none is chosen", remedy)
    if found is None:
        return Finding("Slurm partition", "problem", f"there is no partition {wanted}", remedy)
    name = found.rstrip("*")
    if partitions[found] != "up":
        return Finding("Slurm partition", "warning", f"{name} is {partitions[found]}: jobs will wait", remedy)
    return Finding("Slurm partition", "ok", f"{name} is up")


def _accounting() -> bool:
    if shutil.which("sacct") is None:
        return False
    try:
        return ask_slurm(["sacct", "--noheader", "--parsable2", "--allocations", "--format=JobID"])[0] == 0
    except HpoctlError:
        return False
