"""All that the author of a plugin imports, and the loading of plugins.

A plugin is a module (or another object) with functions marked `@hookimpl`, named by an entry point of the group
`hpoctl`. `hpoctl.plugins.hookspecs` documents the hooks.
"""

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.columns import Composer, ExperimentView
from hpoctl.core.entries import (
    Benchmark,
    ExtraResults,
    Goal,
    Imported,
    Importer,
    LauncherEntry,
    Method,
    MethodContext,
    Progress,
)
from hpoctl.core.jobs import Launcher
from hpoctl.core.options import NoOptions
from hpoctl.core.protocols import Scheduler
from hpoctl.core.script_benchmark import ScriptBenchmark
from hpoctl.core.settings import Settings
from hpoctl.core.study import Study
from hpoctl.plugins.hookspecs import hookimpl
from hpoctl.plugins.kinds import Origin
from hpoctl.plugins.loading import SELECTION
from hpoctl.plugins.registry import Conflict, PluginReport, Registered, Registry, load_registry

__all__ = [
    "SELECTION",
    "Benchmark",
    "Blackbox",
    "Composer",
    "Conflict",
    "ExperimentView",
    "ExtraResults",
    "Goal",
    "Imported",
    "Importer",
    "Launcher",
    "LauncherEntry",
    "Method",
    "MethodContext",
    "NoOptions",
    "Origin",
    "PluginReport",
    "Progress",
    "Registered",
    "Registry",
    "Scheduler",
    "ScriptBenchmark",
    "Settings",
    "Study",
    "hookimpl",
    "load_registry",
]
