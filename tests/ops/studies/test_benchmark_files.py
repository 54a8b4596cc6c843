"""A benchmark file stands wherever the name of a benchmark does."""

from pathlib import Path

import pytest

from hpoctl import builtins
from hpoctl.core.entries import Benchmark, MethodContext
from hpoctl.core.errors import UsageError
from hpoctl.core.rng import Streams
from hpoctl.core.study import Study
from hpoctl.ops.running.run import RunRequest, plan_run
from hpoctl.ops.studies.benchmark_files import load_benchmark, name_benchmarks
from hpoctl.ops.studies.choose_study import find_study, study_from_table, study_table
from hpoctl.ops.studies.listing import list_benchmarks
from hpoctl.ops.studies.overrides import Overrides, override
from hpoctl.ops.studies.resolve import resolve
from hpoctl.plugins import Registry, ScriptBenchmark, hookimpl, load_registry
from hpoctl.testing import toy_benchmark

TOML = """
script = "train.py"
metric = "loss"
resource_attr = "epoch"
max_resource_attr = "epochs"
max_wallclock_time = 20
[space]
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
epochs = 9
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "digits")


def write(folder: Path, text: str = TOML) -> Path:
    folder.mkdir()
    (folder / "train.py").write_text("")
    (folder / "benchmark.toml").write_text(text)
    return folder / "benchmark.toml"


class Toys:
    @hookimpl
    def hpoctl_benchmarks(self) -> list[Benchmark]:
        return [toy_benchmark()]


@pytest.fixture
def registry() -> Registry:
    return load_registry([builtins, Toys()], [])


def test_it_is_called_after_its_folder_or_its_file(file: Path) -> None:
    assert load_benchmark(file).name == "digits"
    other = file.with_name("large net.toml")
    file.rename(other)
    assert load_benchmark(other).name == "large-net"


def test_missing_files_are_named(file: Path) -> None:
    with pytest.raises(UsageError, match="no benchmark file"):
        load_benchmark(file.with_name("gone.toml"))
    (file.parent / "train.py").unlink()
    with pytest.raises(UsageError, match=r"no script .*train\.py"):
        load_benchmark(file)


def test_names_and_files_together(file: Path) -> None:
    named = name_benchmarks(["toy", "digits/benchmark.toml", str(file)], file.parents[1])
    assert named.names == ("toy", "digits", "digits")
    assert named.files == {"digits": str(file)}


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [str(write(tmp_path / name, f'name = "same"\n{TOML}')) for name in ("a", "b")]
    with pytest.raises(UsageError, match="both called same"):
        name_benchmarks(files, tmp_path)


def test_a_run_of_a_file(file: Path, registry: Registry, tmp_path: Path) -> None:
    changes = Overrides(methods=("RS",), benchmarks=("digits/benchmark.toml", "toy"))
    request = RunRequest(changes, tag="t", results=str(tmp_path / "results"), folder=file.parents[1])
    plan = plan_run(request, registry)
    assert [spec.benchmark.name for spec in plan.specs] == ["digits", "toy"]
    assert plan.specs[0].benchmark.script is not None
    assert plan.provenance.versions["hpoctl"]


def test_a_study_file_names_it_relative_to_itself(file: Path, registry: Registry) -> None:
    study_file = file.parents[1] / "study.toml"
    study_file.write_text('methods = ["RS"]\nbenchmarks = ["toy", "digits/benchmark.toml"]\n')
    study, _ = find_study(str(study_file), registry, Path("/"))
    assert study.benchmarks == ("toy", "digits")
    assert study.benchmark_files == {"digits": str(file)}
    assert study_from_table(study_table(study), where="plan", name=study.name) == study
    assert resolve(study, registry, "t", 7)["RS", "digits"].benchmark == load_benchmark(file)
    narrowed = override(study, Overrides(benchmarks=("toy",)))
    assert narrowed.benchmark_files == {}
    assert override(study, Overrides(benchmarks=("digits",))).benchmark_files == study.benchmark_files


def test_a_file_that_has_another_name_by_now_is_refused(file: Path, registry: Registry) -> None:
    study = Study("s", "", ("RS",), ("other",), benchmark_files={"other": str(file)})
    with pytest.raises(UsageError, match="was called other"):
        resolve(study, registry, "t", 7)


def test_a_name_that_is_registered_is_refused(file: Path, registry: Registry) -> None:
    file.write_text(f'name = "toy"\n{TOML}')
    study = Study("s", "", ("RS",), ("toy",), benchmark_files={"toy": str(file)})
    with pytest.raises(UsageError, match="hpoctl"):
        resolve(study, registry, "t", 7)


def test_what_is_known_of_it(file: Path, registry: Registry) -> None:
    (info,) = list_benchmarks(registry, str(file))
    assert (info.name, info.source, info.origin) == ("digits", str(file), None)
    assert info.script is not None
    assert info.script.command == ("python", "train.py")
    assert info.script.content_hash is not None
    (toy,) = list_benchmarks(registry, "toy")
    assert (toy.source, toy.script) == ("toy", None)


@pytest.mark.parametrize("method", ["ASHA", "HYPERBAND", "SYNCHB", "MEDIAN", "MOBSTER"])
def test_methods_that_decide_at_levels_need_a_largest_resource(file: Path, registry: Registry, method: str) -> None:
    file.write_text(TOML.replace('max_resource_attr = "epochs"', ""))
    benchmark = load_benchmark(file)
    context = MethodContext(benchmark.space, benchmark.goal, benchmark.max_resource, Streams(0, 0))
    assert registry.method("RS").make(context, registry.method("RS").options)  # type: ignore[truthy-bool]
    entry = registry.method(method)
    with pytest.raises(UsageError, match="no largest one"):
        entry.make(context, entry.options)


def test_a_plugin_registers_a_script(file: Path) -> None:
    def made(**changes: object) -> ScriptBenchmark:
        facts = {"name": "own", "folder": file.parent, "script": "train.py", "metric": "loss"}
        space = {"lr": {"type": "uniform", "lower": 0.0, "upper": 1.0}}
        return ScriptBenchmark(**(facts | {"max_wallclock_time": 5.0, "space": space} | changes))  # type: ignore[arg-type]

    class Plugin:
        @hookimpl
        def hpoctl_benchmarks(self) -> list[ScriptBenchmark]:
            return [made(), made(name="bad name"), made(name="second")]

    registry = load_registry([Plugin()], [])
    assert list(registry.benchmarks) == ["own", "second"]
    assert registry.benchmark("own").script is not None
    (report,) = registry.plugins
    assert len(report.failures) == 1
    assert "bad name" in report.failures[0]


@pytest.mark.parametrize("given", ["a\x00/b.toml", "\ud800/b.toml", "~no-such-user/b.toml", "~\x00/b.toml"])
def test_a_text_that_is_no_path_is_one_error(given: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be the path of a benchmark file|no benchmark file"):
        name_benchmarks([given], tmp_path)
