"""Where and by what experiments are run: versions, commit, command line."""

import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from hpoctl.core.credentials import command_text
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.plugins import Registry

LIBRARIES = ("numpy", "scipy", "pyarrow")


def provenance_of(specs: Sequence[ExperimentSpec], registry: Registry) -> Provenance:
    """The versions of hpoctl, of the plugins that the experiments use and of the numerical libraries, and the rest."""
    return Provenance(versions_of(specs, registry), git_commit(), command_line())


def versions_of(specs: Sequence[ExperimentSpec], registry: Registry) -> dict[str, str]:
    """The versions of hpoctl, of the numerical libraries, of the plugins that are used and of what these require."""
    versions = {"hpoctl": version("hpoctl"), "python": sys.version.split()[0]}
    versions |= {name: version(name) for name in LIBRARIES}
    used = [registry.methods[spec.method.name].origin for spec in specs]
    registered = [registry.benchmarks.get(spec.benchmark.name) for spec in specs]  # others are in files
    used += [entry.origin for entry in registered if entry is not None]
    used += [registry.extra_results[entry.name].origin for spec in specs for entry in spec.extra_results]
    plugins = {origin.distribution: origin.version for origin in used}
    for plugin in sorted(plugins.keys() - versions.keys()):
        versions |= _libraries(plugin)
    return versions | plugins


def _libraries(distribution: str) -> dict[str, str]:
    """The versions of what a distribution requires, optional things included, as far as they are installed."""
    try:
        required = requires(distribution) or []
    except PackageNotFoundError:  # a plugin without a distribution
        return {}
    versions = {}
    for name in sorted(re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in required):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def command_line() -> str:
    """The command as it was typed, without credentials."""
    return command_text([Path(sys.argv[0]).name, *sys.argv[1:]])


def own_python() -> list[str]:
    """The words before the name of a module that is to be run; nothing is imported from the current folder."""
    return [sys.executable, "-P", "-m"]


def git_commit() -> str | None:
    """The commit of the current folder; None where there is no git or no checkout."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - git from the person's own PATH
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
