"""What the options of a command change about a study."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hpoctl.core.errors import UsageError
from hpoctl.core.options import parse_setting
from hpoctl.core.records import RecordError, from_plain, to_plain
from hpoctl.core.setting_definition import Given
from hpoctl.core.settings import DEFINITIONS, check_all
from hpoctl.core.storage import Store
from hpoctl.core.study import Study
from hpoctl.ops.studies.benchmark_files import files_of_tag, name_benchmarks
from hpoctl.plugins import Registry


@dataclass(frozen=True)
class Overrides:
    """What a person set on the command line; None and nothing leave what the study says.

    Attributes:
        methods: Names of methods.
        benchmarks: Names of benchmarks.
        benchmark_files: The files that some of them are in, by name.
        settings: `METHOD.option=value` settings, on top of the study's.
        start_seed: The first seed.
        num_seeds: One more than the last seed.
        experiment: Settings of the experiments, by name.
        launcher: Where jobs execute.
        launcher_options: Options of the launcher, on top of the study's.
        backend: Where trials execute.
        backend_options: Options of the trial backend, on top of the study's.
    """

    methods: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    benchmark_files: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    start_seed: int | None = None
    num_seeds: int | None = None
    experiment: Given = field(default_factory=dict)
    launcher: str | None = None
    launcher_options: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    backend: str | None = None
    backend_options: Mapping[str, bool | int | float | str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """These as plain values, without what is not set."""
        return to_plain(replace(self, experiment={}), defaults=False) | dict(self.experiment)

    @staticmethod
    def from_json(table: Any) -> "Overrides":
        """From plain values back.

        Raises:
            UsageError: A key is unknown, or a value does not fit.
        """
        if not isinstance(table, Mapping):
            raise UsageError(f"{table!r} are no changes.", "Give a table.")
        settings = check_all({name: table[name] for name in DEFINITIONS if name in table})
        own = {name: value for name, value in table.items() if name not in settings}
        try:
            return from_plain(Overrides, own, given={"experiment": settings})
        except RecordError as error:
            raise UsageError(f"{error}.", error.fix) from error

    def experiments_only(self) -> "Overrides":
        """These without what says where their jobs are run."""
        return replace(self, launcher=None, launcher_options={})


def carried(earlier: Overrides, changes: Overrides) -> Overrides:
    """The changes, on top of earlier settings of the experiments.

    Which experiments were meant earlier does not matter, nor do options of methods that are not meant now.
    """
    own = [text for text in earlier.settings if not changes.methods or parse_setting(text).owner in changes.methods]
    backend = changes.backend or earlier.backend
    options = earlier.backend_options if backend == earlier.backend else {}
    return replace(
        changes,
        settings=(*own, *changes.settings),
        experiment={**earlier.experiment, **changes.experiment},
        backend=backend,
        backend_options={**options, **changes.backend_options},
    )


def override(study: Study, changes: Overrides) -> Study:
    """The study with some of it changed.

    Options and fixed values of methods that are left out are left out, too.

    Raises:
        UsageError: A value is out of range, or an option belongs to a method that is not run.
    """
    methods = tuple(dict.fromkeys(changes.methods or study.methods))
    for text in changes.settings:
        owner = parse_setting(text).owner
        if owner not in methods:
            raise _not_run(owner)
    kept = [text for text in study.settings if parse_setting(text).owner in methods]
    benchmarks = tuple(dict.fromkeys(changes.benchmarks or study.benchmarks))
    files = {**study.benchmark_files, **changes.benchmark_files}
    launcher = changes.launcher or study.launcher
    of_study = study.launcher_options if launcher == study.launcher else {}
    backend = changes.backend or study.backend
    of_backend = study.backend_options if backend == study.backend else {}
    if backend is None and changes.backend_options:
        raise UsageError("--backend-option goes with a backend, and none is named.", "Add --backend NAME.")
    return replace(
        study,
        methods=methods,
        benchmarks=benchmarks,
        benchmark_files={name: files[name] for name in benchmarks if name in files},
        start_seed=study.start_seed if changes.start_seed is None else changes.start_seed,
        num_seeds=study.num_seeds if changes.num_seeds is None else changes.num_seeds,
        settings=(*kept, *changes.settings),
        fixed={name: values for name, values in study.fixed.items() if name in methods},
        experiment=study.experiment.changed(changes.experiment),
        launcher=launcher,
        launcher_options={**of_study, **changes.launcher_options},
        backend=backend,
        backend_options={**of_backend, **changes.backend_options},
    )


def with_files_of_tag(changes: Overrides, registry: Registry, store: Store, tag: str) -> Overrides:
    """The changes with the files of benchmarks that are known by the results of a tag only.

    Raises:
        HpoctlError: The store cannot be read.
    """
    unknown = set(changes.benchmarks) - registry.benchmarks.keys() - changes.benchmark_files.keys()
    files = files_of_tag(unknown, store, tag) if unknown else {}
    return replace(changes, benchmark_files={**files, **changes.benchmark_files})


def with_names(changes: Overrides, registry: Registry, folder: Path) -> Overrides:
    """The changes with benchmark files under the names of their benchmarks, and with all methods looked up.

    Args:
        changes: What a person set.
        registry: What is registered.
        folder: What the paths of files are relative to.

    Raises:
        UsageError: There is no such method, a method with settings is not run, a file describes no benchmark, or two of
            them have one name.
    """
    named = name_benchmarks(changes.benchmarks, folder)
    for name in changes.methods:
        registry.method(name)
    for owner in (parse_setting(text).owner for text in changes.settings):
        if changes.methods and owner not in changes.methods:
            registry.method(owner)
            raise _not_run(owner)
    return replace(changes, benchmarks=named.names, benchmark_files={**changes.benchmark_files, **named.files})


def _not_run(method: str) -> UsageError:
    return UsageError(f"--set changes {method}, which is not run.", f"Add --method {method}.")
