"""The registry: every name that a person can use, what it means, and where it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, Generic

from hpoctl.core.entries import Benchmark, ExtraResults, Importer, LauncherEntry, Method
from hpoctl.core.errors import UsageError, unknown_name
from hpoctl.core.study import Study
from hpoctl.core.trial_backends import BackendEntry
from hpoctl.plugins.kinds import (
    BENCHMARKS,
    EXTRA_RESULTS,
    IMPORTERS,
    LAUNCHERS,
    METHODS,
    STUDIES,
    TRIAL_BACKENDS,
    EntryKind,
    EntryT,
    Origin,
)
from hpoctl.plugins.loading import SELECTION, Contribution, State, load_builtin, load_plugins


@dataclass(frozen=True, slots=True)
class Registered(Generic[EntryT]):
    """An entry and where it comes from.

    Attributes:
        entry: The entry.
        origin: The plugin that registers it.
    """

    entry: EntryT
    origin: Origin


@dataclass(frozen=True, slots=True)
class PluginReport:
    """What became of one plugin.

    Attributes:
        origin: The plugin.
        state: `loaded`; `failed` if it could not be loaded at all; `skipped` if `HPOCTL_PLUGINS` leaves it out.
        registers: The names that can be used because of it, by kind; kinds without names are left out.
        failures: What went wrong, a line each; a loaded plugin may have some, too.
    """

    origin: Origin
    state: State
    registers: Mapping[str, tuple[str, ...]]
    failures: tuple[str, ...]

    @property
    def distribution(self) -> str:
        """The distribution that the plugin is a part of."""
        return self.origin.distribution


@dataclass(frozen=True, slots=True)
class Conflict:
    """A name that several plugins register, and that is ambiguous therefore.

    Attributes:
        kind: The kind of the entries, such as `methods`.
        names: The name, in each spelling.
        origins: The plugins.
    """

    kind: str
    names: tuple[str, ...]
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Registry:
    """All entries by name, built-in ones first, then those of plugins in the order of their distributions' names.

    Attributes:
        methods: Methods.
        benchmarks: Benchmarks.
        extra_results: Extra-result composers.
        launchers: Launchers.
        trial_backends: Trial backends.
        importers: Importers.
        studies: Studies.
        plugins: What became of each plugin, in the same order.
        conflicts: Names that several plugins register.
    """

    methods: Mapping[str, Registered[Method]]
    benchmarks: Mapping[str, Registered[Benchmark]]
    extra_results: Mapping[str, Registered[ExtraResults]]
    launchers: Mapping[str, Registered[LauncherEntry]]
    trial_backends: Mapping[str, Registered[BackendEntry]]
    importers: Mapping[str, Registered[Importer]]
    studies: Mapping[str, Registered[Study]]
    plugins: tuple[PluginReport, ...]
    conflicts: tuple[Conflict, ...] = ()

    def method(self, name: str) -> Method:
        """The method of that name.

        Raises:
            UsageError: There is none, or several plugins register it.
        """
        return self._find(METHODS, self.methods, name)

    def benchmark(self, name: str) -> Benchmark:
        """The benchmark of that name.

        Raises:
            UsageError: There is none, or several plugins register it.
        """
        return self._find(BENCHMARKS, self.benchmarks, name)

    def extra_result(self, name: str) -> ExtraResults:
        """The extra-result composer of that name.

        Raises:
            UsageError: There is none, or several plugins register it.
        """
        return self._find(EXTRA_RESULTS, self.extra_results, name)

    def study(self, name: str) -> Study:
        """The study of that name.

        Raises:
            UsageError: There is none, or several plugins register it.
        """
        return self._find(STUDIES, self.studies, name)

    def launcher(self, name: str) -> LauncherEntry:
        """The launcher of that name.

        Raises:
            UsageError: There is none, or several plugins register it.
        """
        return self._find(LAUNCHERS, self.launchers, name)

    def trial_backend(self, name: str) -> BackendEntry:
        """The trial backend of that name.

        Raises:
            UsageError: There is none, or several plugins register it.
        """
        return self._find(TRIAL_BACKENDS, self.trial_backends, name)

    def importer(self, name: str) -> Importer:
        """The importer of that name.

        Raises:
            UsageError: There is none, or several plugins register it.
        """
        return self._find(IMPORTERS, self.importers, name)

    def _find(self, kind: EntryKind[EntryT], table: Mapping[str, Registered[EntryT]], name: str) -> EntryT:
        if name in table:
            return table[name].entry
        for conflict in self.conflicts:
            if conflict.kind == kind.plural and name in conflict.names:
                raise UsageError(
                    f"The {kind.noun} {name!r} is registered more than once: by {_joined(conflict.origins)}.",
                    f"Keep one of them: uninstall the others, or list the plugins to load in {SELECTION}.",
                )
        error = unknown_name(kind.noun, name, table, kind.listing)
        if any(report.failures for report in self.plugins):
            raise UsageError(error.what, f"{error.fix} A plugin has failed: `hpoctl plugins` says why.")
        raise error


def load_registry(builtins: Sequence[object], entry_points: Iterable[EntryPoint] | None = None) -> Registry:
    """Load built-in modules and plugins; a plugin that fails is reported, not raised.

    Args:
        builtins: The built-in modules. Their names cannot be taken by a plugin.
        entry_points: The plugins; None: all that are installed.

    Raises:
        UsageError: The environment variable `HPOCTL_PLUGINS` names a plugin that is not installed.
    """
    contributions = [*(load_builtin(module) for module in builtins), *load_plugins(entry_points)]
    methods = _settle(METHODS, contributions)
    benchmarks = _settle(BENCHMARKS, contributions)
    extra_results = _settle(EXTRA_RESULTS, contributions)
    launchers = _settle(LAUNCHERS, contributions)
    trial_backends = _settle(TRIAL_BACKENDS, contributions)
    importers = _settle(IMPORTERS, contributions)
    studies = _settle(STUDIES, contributions)
    settled: dict[str, _Settled[Any]] = {
        METHODS.plural: methods,
        BENCHMARKS.plural: benchmarks,
        EXTRA_RESULTS.plural: extra_results,
        LAUNCHERS.plural: launchers,
        TRIAL_BACKENDS.plural: trial_backends,
        IMPORTERS.plural: importers,
        STUDIES.plural: studies,
    }
    return Registry(
        methods=methods.table,
        benchmarks=benchmarks.table,
        extra_results=extra_results.table,
        launchers=launchers.table,
        trial_backends=trial_backends.table,
        importers=importers.table,
        studies=studies.table,
        plugins=tuple(_report(contribution, settled) for contribution in contributions),
        conflicts=tuple(conflict for of_kind in settled.values() for conflict in of_kind.conflicts),
    )


@dataclass(frozen=True, slots=True)
class _Settled(Generic[EntryT]):
    """The names of one kind: who has them, who does not get them and why."""

    table: Mapping[str, Registered[EntryT]]
    conflicts: tuple[Conflict, ...]
    refusals: tuple[tuple[Origin, str], ...]


def _settle(kind: EntryKind[EntryT], contributions: Iterable[Contribution]) -> _Settled[EntryT]:
    """Give each name to the plugin that registers it; built-ins have precedence, other repeated names are ambiguous."""
    claims: dict[str, list[Registered[EntryT]]] = {}
    for contribution in contributions:
        for entry in contribution.entries:
            if isinstance(entry, kind.type):
                claim = Registered(entry, contribution.origin)
                claims.setdefault(entry.name.casefold(), []).append(claim)
    table: dict[str, Registered[EntryT]] = {}
    conflicts: list[Conflict] = []
    refusals: list[tuple[Origin, str]] = []
    for claimants in claims.values():
        leading = [claim for claim in claimants if claim.origin.built_in] or claimants
        if len(leading) == 1:
            table[leading[0].entry.name] = leading[0]
        else:
            conflicts.append(_conflict(kind, leading))
        for claim in claimants:
            rivals = [rival for rival in leading if rival is not claim]
            if rivals:
                refusals.append((claim.origin, _refusal(kind, claim, rivals)))
    return _Settled(table, tuple(conflicts), tuple(refusals))


def _conflict(kind: EntryKind[EntryT], claimants: Sequence[Registered[EntryT]]) -> Conflict:
    names = dict.fromkeys(claim.entry.name for claim in claimants)
    origins = dict.fromkeys(claim.origin for claim in claimants)
    return Conflict(kind.plural, tuple(names), tuple(origins))


def _refusal(kind: EntryKind[EntryT], claim: Registered[EntryT], rivals: Sequence[Registered[EntryT]]) -> str:
    name = claim.entry.name
    who = _joined(dict.fromkeys(rival.origin for rival in rivals if rival.origin != claim.origin))
    spellings = sorted({rival.entry.name for rival in rivals} - {name})
    cases = f"; names may not differ in case alone from {', '.join(spellings)}" if spellings else ""
    return f"{kind.noun} {name!r} is refused: {f'{who} registers it, too' if who else 'it is registered twice'}{cases}"


def _report(contribution: Contribution, settled: Mapping[str, _Settled[Any]]) -> PluginReport:
    registers, failures = {}, list(contribution.failures)
    for plural, of_kind in settled.items():
        names = tuple(name for name, claim in of_kind.table.items() if claim.origin == contribution.origin)
        if names:
            registers[plural] = names
        failures.extend(text for origin, text in of_kind.refusals if origin == contribution.origin)
    return PluginReport(contribution.origin, contribution.state, registers, tuple(failures))


def _joined(origins: Iterable[Origin]) -> str:
    return " and ".join(f"{origin} (plugin {origin.entry_point})" for origin in origins)
