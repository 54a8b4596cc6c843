"""Benchmark files: anywhere a command or a study file takes the name of a benchmark, it takes a benchmark.toml."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hpoctl.core.cells import METADATA
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError
from hpoctl.core.metadata import read_metadata
from hpoctl.core.names import legal_name
from hpoctl.core.script_benchmark import benchmark_from_table
from hpoctl.core.sealed import DamagedError
from hpoctl.core.storage import Store
from hpoctl.core.toml_files import read_toml
from hpoctl.core.trial_call import missing_program
from hpoctl.plugins import Registry
from hpoctl.stores.ledger import read_attempts

USUAL_NAME = "benchmark"


@dataclass(frozen=True)
class Named:
    """Benchmarks by name, some of them from files.

    Attributes:
        names: The names, in the order given.
        files: The files that some of them are in, absolute, by name.
    """

    names: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)


def is_benchmark_file(name: str) -> bool:
    """Whether a person means a benchmark file, not a registered benchmark."""
    return name.endswith(".toml") or "/" in name


def benchmark_path(given: str, folder: Path) -> Path:
    """The benchmark file that a text names.

    Args:
        given: The text.
        folder: What the path is relative to.

    Raises:
        UsageError: No file can have this path.
    """
    try:
        return (folder / Path(given).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # circular links, an unknown home, characters of no path
        raise UsageError(
            f"{given!r} cannot be the path of a benchmark file: {error}.",
            "Check the path, or take a name that `hpoctl benchmarks` lists.",
        ) from error


def load_benchmark(path: Path) -> Benchmark:
    """The benchmark in a file. One without a name is called after the file, or after its folder.

    Raises:
        UsageError: The file is missing, not TOML, or describes no benchmark; or its script is not there.
    """
    try:
        document = read_toml(path)
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no benchmark file {path}.",
            "Check the path, or take a name that `hpoctl benchmarks` lists; `hpoctl benchmark new` writes a file.",
        ) from error
    path = path.resolve()
    name = legal_name(path.stem if path.stem != USUAL_NAME else path.parent.name, "benchmark")
    benchmark = benchmark_from_table(replace(document, name=str(path)), folder=path.parent, name=name)
    missing = missing_program(benchmark.script) if benchmark.script is not None else None
    if missing is not None:
        raise UsageError(f"{path}: {missing.what}", missing.fix)
    return replace(benchmark, file=str(path))


def open_benchmark(name: str, registry: Registry, folder: Path) -> Benchmark:
    """The benchmark of a file or of a name.

    Args:
        name: The name of a registered benchmark, or a file: what ends in `.toml` or has a `/`.
        registry: What is registered.
        folder: What the path of a file is relative to.

    Raises:
        UsageError: There is no such file, or it describes no benchmark.
    """
    return load_benchmark(benchmark_path(name, folder)) if is_benchmark_file(name) else registry.benchmark(name)


def name_benchmarks(names: Sequence[str], folder: Path) -> Named:
    """Names of benchmarks from names and files.

    Args:
        names: Names of registered benchmarks, or files: what ends in `.toml` or has a `/`.
        folder: What the paths of files are relative to.

    Raises:
        UsageError: A file describes no benchmark, or two of them have one name.
    """
    named: list[str] = []
    files: dict[str, str] = {}
    for given in names:
        if not is_benchmark_file(given):
            named.append(given)
            continue
        path = benchmark_path(given, folder)
        name = load_benchmark(path).name
        if files.get(name, str(path)) != str(path):
            raise UsageError(f"{files[name]} and {path} are both called {name}.", "Give one of them another name.")
        named.append(name)
        files[name] = str(path)
    return Named(tuple(named), files)


def find_benchmark(name: str, path: str | None, registry: Registry) -> Benchmark:
    """The benchmark in a file, or the registered one.

    Args:
        name: Its name.
        path: The file; None: it is registered.
        registry: What is registered.

    Raises:
        UsageError: There is no such benchmark, or another one has its name.
    """
    if path is None:
        return registry.benchmark(name)
    benchmark = load_benchmark(Path(path))
    if benchmark.name != name:
        raise UsageError(
            f"{path} was called {name}, and is called {benchmark.name} now.", f'Set name = "{name}" in it again.'
        )
    taken = registry.benchmarks.get(name)
    if taken is not None:
        raise UsageError(
            f"{path} is called {name}, as a benchmark of {taken.origin} is.", "Give it another name in the file."
        )
    return benchmark


def files_of_tag(names: Collection[str], store: Store, tag: str) -> dict[str, str]:
    """The files of some benchmarks, by name, so far as the results of a tag name them.

    Raises:
        HpoctlError: The store cannot be read.
    """
    files: dict[str, str] = {}
    for attempt in sorted(read_attempts(store, tag), key=lambda attempt: attempt.started):
        if attempt.cell is not None and attempt.cell.benchmark in names:
            try:
                path = read_metadata(store.get(f"{attempt.directory}/{METADATA}")).benchmark_file
            except (DamagedError, FileNotFoundError):
                continue  # damaged, or removed meanwhile: another one may say it
            if path is not None:
                files[attempt.cell.benchmark] = path
    return files
