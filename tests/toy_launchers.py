"""A plugin with a launcher whose jobs end at once, for tests of what a launch does about that."""

PLUGIN = """
from dataclasses import dataclass, field
from typing import Literal

from hpoctl.core.entries import LauncherEntry
from hpoctl.core.jobs import JobStatus
from hpoctl.plugins import hookimpl


@dataclass(frozen=True)
class Options:
    {options}


class Toy:
    def __init__(self, options):
        self.options = options

    def submit(self, jobs):
        {submit}
        return self.find(jobs)

    def find(self, jobs):
        return [job.name for job in jobs]

    def poll(self, receipts, seconds):
        return [{status} for _ in receipts]

    def activity(self):
        return []

    def cancel(self, receipts):
        pass

    def log(self, receipt):
        return ""


@hookimpl
def hpoctl_launchers():
    yield LauncherEntry("{name}", "Ends its jobs at once", Toy, Options())
"""


def launcher_plugin(name: str, options: list[str], status: str, submit: str = "pass") -> str:
    """The source of the plugin.

    Args:
        name: The name of the launcher.
        options: Its options: fields of a dataclass, a line each.
        status: What `poll` says of each job: an expression, which may use `self.options`.
        submit: What `submit` does besides: a statement.
    """
    return PLUGIN.format(name=name, options="\n    ".join(options), status=status, submit=submit)
