"""`hpoctl stop`."""

from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.options import AsJson, Results

if TYPE_CHECKING:
    from hpoctl.ops.launching.stop import Running, Stopped

SOME_LEFT = 1


def stop(
    tag: Annotated[str, typer.Option(help="Name of the study's results.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be stopped.")] = False,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Stop the launches and jobs of a tag, on this machine, on Slurm or elsewhere."""
    from hpoctl.builtins import open_registry
    from hpoctl.cli.output import agreed, emit_json, hint, out
    from hpoctl.ops.launching.stop import find_running
    from hpoctl.ops.launching.stop import stop as stop_all
    from hpoctl.ops.studies.config import open_root

    root, registry = open_root(results), open_registry()
    running = find_running(root, tag, registry)
    question = _question(running)
    if dry_run:
        if as_json:
            emit_json("stop", "success", _running_json(running))
        else:
            out().print(f"would stop {question}", markup=False, soft_wrap=True)
        return
    if not yes and not agreed(f"This stops {question}.", as_json=as_json):
        out().print("nothing was stopped", markup=False)
        return
    stopped = stop_all(root, running, registry)
    if as_json:
        _emit(stopped, root.command("stop", "--tag", tag))
    else:
        _print(stopped)
        hint(f"continue later: {root.command('launch', '--tag', tag)}")
    if stopped.left:
        raise typer.Exit(SOME_LEFT)


def _question(running: "Running") -> str:
    from hpoctl.cli.words import many

    parts = [f"the launch of process {launch.pid}" for launch in running.launches]
    names = dict.fromkeys(job.manifest.launcher for job in running.jobs)
    parts += [f"{many(sum(job.manifest.launcher == name for job in running.jobs), 'job')} on {name}" for name in names]
    parts += [f"not the launch on {launch.host}: stop it there" for launch in running.elsewhere]
    return f"of {running.tag}: {', '.join(parts)}"


def _running_json(running: "Running") -> dict[str, object]:
    return {
        "tag": running.tag,
        "launches": running.launches,
        "elsewhere": running.elsewhere,
        "jobs": [{"name": job.manifest.job.name, "launcher": job.manifest.launcher} for job in running.jobs],
    }


def _print(stopped: "Stopped") -> None:
    from hpoctl.cli.output import err, out
    from hpoctl.cli.words import many

    done = [f"the launch of process {launch.pid}" for launch in stopped.launches]
    done += [many(len(stopped.jobs), "job")] if stopped.jobs else []
    if done:
        out().print(f"stopped: {', '.join(done)}; complete experiments are kept", markup=False, soft_wrap=True)
    for line in stopped.left:
        err().print(f"still runs: {line}", style="yellow", markup=False, soft_wrap=True)


def _emit(stopped: "Stopped", again: str) -> None:
    from hpoctl.cli.output import emit_json

    errors = [{"what": f"Still runs: {line}.", "fix": again} for line in stopped.left]
    data = {"tag": stopped.tag, "launches": stopped.launches, "jobs": stopped.jobs}
    emit_json("stop", "partial" if errors else "success", data, errors)
