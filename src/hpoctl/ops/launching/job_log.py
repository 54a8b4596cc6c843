"""What a job of a launcher elsewhere has printed, for `hpoctl logs --job`."""

from hpoctl.core.errors import IncompleteError, unknown_name
from hpoctl.core.names import check_tag
from hpoctl.ops.launching.launchers import launchers_of
from hpoctl.ops.studies.roots import Root
from hpoctl.plugins import Registry
from hpoctl.stores.job_files import job_names, read_log, read_manifest


def read_job_log(root: Root, tag: str, job: str, registry: Registry) -> str:
    """What a job has printed: what its launcher can show, else what was kept beside the results; empty: nothing.

    Raises:
        UsageError: The tag is none.
        IncompleteError: There is no such job, or its manifest is damaged.
        HpoctlError: The launcher cannot be asked.
    """
    names = job_names(root.store, check_tag(tag))
    manifest = read_manifest(root.store, tag, job) if job in names else None
    if manifest is None:
        fix = unknown_name("job", job, names, root.command("status", "--tag", tag, "--json")).fix
        raise IncompleteError(f"Tag {tag} has no job {job!r}.", fix)
    launcher = launchers_of([manifest], registry)[manifest.launcher]
    receipts = launcher.find([manifest.job])
    return launcher.log(receipts[0]) or read_log(root.store, tag, job)
