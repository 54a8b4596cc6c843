"""Load plugins one by one: a failure of one is reported, and the others are loaded.

pluggy's own loading stops at the first entry point that fails, and its combined hook call at the first hook that
raises. Here each plugin has a plugin manager of its own, and each of its hooks is called and consumed apart.

A plugin that kills or hangs the process cannot be contained. The environment variable `HPOCTL_PLUGINS` skips it: a
comma-separated list of the entry points to load; empty: none.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any, Literal

from pluggy import HookImpl, PluginManager

from hpoctl import __version__
from hpoctl.core.errors import UsageError
from hpoctl.core.script_benchmark import ScriptBenchmark
from hpoctl.plugins import hookspecs
from hpoctl.plugins.isolation import attempt, raw_output_to_stderr
from hpoctl.plugins.kinds import BENCHMARKS, KINDS, Entry, EntryKind, Origin

GROUP = "hpoctl"
SELECTION = "HPOCTL_PLUGINS"
"""The environment variable that names the entry points to load."""

UNKNOWN = "unknown"

State = Literal["loaded", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What came of one plugin.

    Attributes:
        origin: The plugin.
        state: `failed` if it could not be loaded at all, `skipped` if it was not selected.
        entries: What it registers.
        failures: What went wrong, a line each; a loaded plugin may have some, too.
    """

    origin: Origin
    state: State
    entries: tuple[Entry, ...] = ()
    failures: tuple[str, ...] = ()


def load_builtin(module: object) -> Contribution:
    """Load a built-in module, through the same hooks as everybody else's."""
    name = getattr(module, "__name__", type(module).__name__)
    return _contribution(Origin("hpoctl", __version__, name, name, built_in=True), module)


def load_plugins(entry_points: Iterable[EntryPoint] | None = None) -> list[Contribution]:
    """Load plugins in the order of their distributions' names, then of their entry points' names.

    Args:
        entry_points: Their entry points; None: those of the group `hpoctl` of everything that is installed.

    Raises:
        UsageError: `HPOCTL_PLUGINS` names an entry point that does not exist.
    """
    if entry_points is None:
        found, unreadable = _installed()
    else:
        found, unreadable = list(entry_points), []
    origins = sorted(((_origin(point), point) for point in found), key=lambda pair: _order(pair[0]))
    selected = _selected([origin.entry_point for origin, _ in origins])
    loaded = []
    with raw_output_to_stderr():
        for origin, point in origins:
            chosen = selected is None or origin.entry_point in selected
            loaded.append(_load(origin, point) if chosen else Contribution(origin, "skipped"))
    return sorted([*loaded, *unreadable], key=lambda contribution: _order(contribution.origin))


def _order(origin: Origin) -> tuple[str, str]:
    return origin.distribution.casefold(), origin.entry_point


def _selected(known: Sequence[str]) -> frozenset[str] | None:
    """The entry points that `HPOCTL_PLUGINS` names; None: all."""
    text = os.environ.get(SELECTION)
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            installed = ", ".join(dict.fromkeys(known)) or "none"
            raise UsageError(f"{SELECTION} names the plugin {name!r}.", f"Installed plugins: {installed}.")
    return frozenset(names)


def _installed() -> tuple[list[EntryPoint], list[Contribution]]:
    """The entry points of installed distributions, and a report for each distribution that cannot be read.

    `importlib.metadata.entry_points` would fail as a whole at one damaged distribution. Of two copies of a
    distribution the one that is found first counts, as in an import.
    """
    found: list[EntryPoint] = []
    unreadable: list[Contribution] = []
    seen: set[str] = set()
    for distribution in distributions():
        failures: list[str] = []
        points = attempt("its entry points cannot be read", partial(_points, distribution), failures) or []
        if not points and not failures:
            continue
        name, version = _name_and_version(distribution)
        if name != UNKNOWN and _normalized(name) in seen:
            continue
        seen.add(_normalized(name))
        found.extend(points)
        if failures:
            unreadable.append(Contribution(Origin(name, version, "", ""), "failed", failures=tuple(failures)))
    return found, unreadable


def _points(distribution: Distribution) -> list[EntryPoint]:
    return list(distribution.entry_points.select(group=GROUP))


def _origin(point: EntryPoint) -> Origin:
    name, version = _name_and_version(point.dist)
    return Origin(name, version, point.name, point.value)


def _name_and_version(distribution: Distribution | None) -> tuple[str, str]:
    """A distribution's name and version; its metadata may be damaged."""
    return _field(distribution, "Name"), _field(distribution, "Version")


def _field(distribution: Distribution | None, key: str) -> str:
    return attempt(key, lambda: distribution.metadata[key] if distribution else None, []) or UNKNOWN


def _normalized(name: str) -> str:
    """A distribution's name as Python compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _load(origin: Origin, point: EntryPoint) -> Contribution:
    failures: list[str] = []
    plugin = attempt("cannot be loaded", point.load, failures)
    if failures:
        return Contribution(origin, "failed", failures=tuple(failures))
    return _contribution(origin, plugin)


def _contribution(origin: Origin, plugin: object) -> Contribution:
    """Call a plugin's hooks, each apart, and check what they return."""
    failures: list[str] = []
    hooks = attempt("cannot be registered", partial(_hooks, plugin), failures)
    if hooks is None:
        return Contribution(origin, "failed", failures=tuple(failures))
    entries: list[Entry] = []
    for kind in KINDS:
        for hook in hooks.get(kind.hook, ()):
            attempt(kind.hook, partial(_gather, kind, hook, entries, failures), failures)
    failures.extend(_mistakes(plugin, hooks))
    return Contribution(origin, "loaded", tuple(entries), tuple(failures))


def _hooks(plugin: object) -> dict[str, list[HookImpl]]:
    """The functions that a plugin marks as hooks, by the names of the hooks."""
    manager = PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, "plugin")
    return {caller.name: caller.get_hookimpls() for caller in manager.get_hookcallers(plugin) or ()}


def _gather(kind: EntryKind[Any], hook: HookImpl, entries: list[Entry], failures: list[str]) -> None:
    """Add what a hook returns; what a generator yields before it raises counts."""
    if hook.wrapper or hook.hookwrapper:
        failures.append(f"{kind.hook}: is a wrapper, and hooks of hpoctl cannot be wrapped")
        return
    returned = hook.function()
    if not isinstance(returned, Iterable) or isinstance(returned, str | bytes | Mapping):
        failures.append(f"{kind.hook}: returned {_type_name(returned)}, not an iterable of {kind.type.__name__}")
        return
    for place, item in enumerate(returned):
        if isinstance(item, kind.type):
            entries.append(item)
        elif kind is BENCHMARKS and isinstance(item, ScriptBenchmark):
            benchmark = attempt(f"{kind.hook}: item {place}", item.benchmark, failures)
            entries.extend([benchmark] if benchmark else [])
        else:
            failures.append(f"{kind.hook}: item {place} is {_type_name(item)}, not {kind.type.__name__}")


def _mistakes(plugin: object, hooks: Mapping[str, list[HookImpl]]) -> list[str]:
    """Misspelt hooks, and hooks that are not marked."""
    known = [kind.hook for kind in KINDS]
    mistakes = []
    for name, functions in hooks.items():
        if name not in known and not all(function.optionalhook for function in functions):
            close = get_close_matches(name, known, n=1)
            mistakes.append(f"{name}: is not a hook of hpoctl" + (f"; did you mean {close[0]}?" if close else ""))
    unmarked = [name for name in known if name not in hooks and name in dir(plugin)]
    mistakes.extend(f"{name}: is not marked with @hookimpl" for name in unmarked)
    if not hooks and not unmarked:
        mistakes.append("registers nothing: it has no function that is marked with @hookimpl")
    return mistakes


def _type_name(value: object) -> str:
    return "None" if value is None else type(value).__name__
