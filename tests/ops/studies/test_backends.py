"""Options of trial backends: those of the benchmark file, of the study, and of the command line."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hpoctl import builtins
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError
from hpoctl.core.study import Study
from hpoctl.core.trial_backends import BackendEntry
from hpoctl.ops.studies.backends import check_backend_tables
from hpoctl.ops.studies.benchmark_files import load_benchmark, name_benchmarks
from hpoctl.ops.studies.overrides import Overrides, override
from hpoctl.ops.studies.resolve import resolve
from hpoctl.plugins import Registry, hookimpl, load_registry
from hpoctl.testing import toy_benchmark

TOML = """
script = "train.py"
metric = "loss"
max_wallclock_time = 20
[space]
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
"""


@dataclass(frozen=True)
class FarOptions:
    """Options of a backend."""

    image: str = "plain"
    machines: int = 1
    requirements: str | None = field(default=None, metadata={"file": True})
    login: str | None = field(default=None, metadata={"secret": True})

    def __post_init__(self) -> None:
        if self.machines < 1:
            raise UsageError(f"machines is {self.machines}.", "Use a whole number >= 1.")


class Far:
    @hookimpl
    def hpoctl_trial_backends(self) -> list[BackendEntry]:
        return [BackendEntry("far", "Far away", lambda context, options: None, FarOptions(), "script")]  # type: ignore[arg-type, return-value]  # never made

    @hookimpl
    def hpoctl_benchmarks(self) -> list[Benchmark]:
        return [toy_benchmark()]


@pytest.fixture
def registry() -> Registry:
    return load_registry([builtins, Far()], [])


def write(folder: Path, tables: str) -> Path:
    folder.mkdir()
    (folder / "train.py").write_text("")
    (folder / "benchmark.toml").write_text(TOML + tables)
    return folder / "benchmark.toml"


def study_of(*files: Path, backend: str | None = "far", **options: str | int) -> Study:
    named = name_benchmarks([str(file) for file in files], Path())
    return Study("s", "", ("RS",), named.names, benchmark_files=named.files, backend=backend, backend_options=options)


def options_of(study: Study, registry: Registry, benchmark: str) -> FarOptions:
    backend = resolve(study, registry, "t", 7)["RS", benchmark].backend
    assert backend is not None
    assert isinstance(backend.options, FarOptions)
    return backend.options


def test_each_benchmark_has_its_options(registry: Registry, tmp_path: Path) -> None:
    large = write(tmp_path / "large", '[backends.far]\nimage = "cuda"\nmachines = 4\nrequirements = "all.txt"\n')
    small = write(tmp_path / "small", "")
    study = study_of(large, small)
    assert options_of(study, registry, "large") == FarOptions("cuda", 4, str(tmp_path / "large" / "all.txt"))
    assert options_of(study, registry, "small") == FarOptions()
    assert resolve(study_of(large, backend=None), registry, "t", 7)["RS", "large"].backend is None
    assert resolve(study_of(large, backend="local"), registry, "t", 7)["RS", "large"].backend is not None


def test_the_command_line_goes_before_the_study_and_that_before_the_file(registry: Registry, tmp_path: Path) -> None:
    file = write(tmp_path / "net", '[backends.far]\nimage = "cuda"\nmachines = 4\nrequirements = "all.txt"\n')
    study = study_of(file, machines=3, requirements="mine.txt")
    assert options_of(study, registry, "net") == FarOptions("cuda", 3, "mine.txt")
    changed = override(study, Overrides(backend_options={"machines": "2"}))
    assert options_of(changed, registry, "net") == FarOptions("cuda", 2, "mine.txt")


@pytest.mark.parametrize(
    ("tables", "what", "fix"),
    [
        ('[backends.far]\nimge = "x"', "benchmark.toml: [backends.far]: Unknown option 'imge'", "Did you mean image?"),
        ('[backends.far]\nmachines = "many"', "benchmark.toml: [backends.far]: far.machines cannot be 'many'", "whole"),
        ("[backends.far]\nmachines = 0", "machines is 0", ">= 1"),
        ('[backends.fra]\nimage = "x"', "benchmark.toml: [backends.fra]: there is no trial backend fra", "mean far?"),
        ('[backends.far]\nlogin = "hunter2"', "login of trial backend far is secret", "Export the value"),
    ],
)
def test_what_does_not_fit_is_refused(registry: Registry, tmp_path: Path, tables: str, what: str, fix: str) -> None:
    file = write(tmp_path / "net", f"{tables}\n")
    with pytest.raises(UsageError) as refused:
        resolve(study_of(file), registry, "t", 7)
    assert what in refused.value.what
    assert fix in refused.value.fix
    (finding,) = check_backend_tables(load_benchmark(file), registry)
    assert finding.verdict == "problem"
    assert finding.text in refused.value.what


def test_tables_of_backends_that_are_not_used(registry: Registry, tmp_path: Path) -> None:
    file = write(tmp_path / "net", '[backends.zeppelin]\ngas = "H"\n[backends.far]\nrequirements = "all.txt"\n')
    assert options_of(study_of(file), registry, "net").requirements == str(tmp_path / "net" / "all.txt")
    absent, missing = check_backend_tables(load_benchmark(file), registry)
    assert (absent.verdict, absent.subject) == ("warning", "backends.zeppelin")
    assert absent.text == "no trial backend zeppelin is installed here: its options are not checked"
    assert (missing.verdict, missing.text) == ("problem", f"there is no file {tmp_path / 'net' / 'all.txt'}")
    (tmp_path / "net" / "all.txt").write_text("")
    _, found = check_backend_tables(load_benchmark(file), registry)
    assert (found.verdict, found.text) == ("ok", "requirements = all.txt")


def test_a_backend_that_fits_no_benchmark(registry: Registry) -> None:
    study = Study("s", "", ("RS",), ("toy",), backend="far")
    with pytest.raises(UsageError, match="The backend far runs a script, and toy is a table"):
        resolve(study, registry, "t", 7)
