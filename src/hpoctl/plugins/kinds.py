"""The kinds of entries that a plugin can register, and where an entry comes from."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from hpoctl.core.entries import Benchmark, ExtraResults, Importer, LauncherEntry, Method
from hpoctl.core.study import Study
from hpoctl.core.trial_backends import BackendEntry

Entry = Method | Benchmark | ExtraResults | LauncherEntry | BackendEntry | Importer | Study
EntryT = TypeVar("EntryT", Method, Benchmark, ExtraResults, LauncherEntry, BackendEntry, Importer, Study)


@dataclass(frozen=True, slots=True)
class EntryKind(Generic[EntryT]):
    """A kind of entries.

    Attributes:
        plural: What the registry calls its table of them.
        noun: What one of them is called in messages.
        type: The class of its entries.
        listing: The command that lists them.
    """

    plural: str
    noun: str
    type: type[EntryT]
    listing: str

    @property
    def hook(self) -> str:
        """The hook that registers them."""
        return f"hpoctl_{self.plural}"


METHODS = EntryKind("methods", "method", Method, "hpoctl methods")
BENCHMARKS = EntryKind("benchmarks", "benchmark", Benchmark, "hpoctl benchmarks")
EXTRA_RESULTS = EntryKind("extra_results", "extra-result composer", ExtraResults, "hpoctl plugins")
LAUNCHERS = EntryKind("launchers", "launcher", LauncherEntry, "hpoctl plugins")
TRIAL_BACKENDS = EntryKind("trial_backends", "trial backend", BackendEntry, "hpoctl plugins")
IMPORTERS = EntryKind("importers", "importer", Importer, "hpoctl blackbox list")
STUDIES = EntryKind("studies", "study", Study, "hpoctl studies")
KINDS = (METHODS, BENCHMARKS, EXTRA_RESULTS, LAUNCHERS, TRIAL_BACKENDS, IMPORTERS, STUDIES)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entry comes from.

    Attributes:
        distribution: The installed distribution.
        version: Its version.
        entry_point: The name of its entry point, which `HPOCTL_PLUGINS` selects by.
        target: The module, or module and object, that the entry point names.
        built_in: Whether it is a part of hpoctl itself.
    """

    distribution: str
    version: str
    entry_point: str
    target: str
    built_in: bool = False

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"
