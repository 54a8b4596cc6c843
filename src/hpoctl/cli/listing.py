"""`hpoctl methods`, `hpoctl benchmarks` and `hpoctl plugins`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hpoctl.cli.layout import print_facts, print_lines, print_table
from hpoctl.cli.options import AsJson

if TYPE_CHECKING:
    from hpoctl.ops.studies.listing import BenchmarkInfo, MethodInfo, Problem
    from hpoctl.plugins import Origin, PluginReport, Registry

InfoT = TypeVar("InfoT")

Wide = Annotated[bool, typer.Option("--wide", help="Show all columns, in lines wider than the terminal.")]


def methods(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show one method and its options.")] = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """List methods; with --wide their options and origin, too."""
    from hpoctl.ops.studies.listing import list_methods

    overview = partial(_print_methods, wide=wide)
    _list("methods", list_methods, name, as_json=as_json, overview=overview, details=_print_method)


def benchmarks(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show one benchmark and its space: its name, or its file.")
    ] = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """List benchmarks with their data and budget; with --wide metric, resource, workers and origin, too."""
    from hpoctl.ops.studies.listing import list_benchmarks

    overview = partial(_print_benchmarks, wide=wide)
    _list("benchmarks", list_benchmarks, name, as_json=as_json, overview=overview, details=_print_benchmark)


def plugins(as_json: AsJson = False) -> None:
    """List plugins: what each registers, its origin, and why one failed."""
    from hpoctl.builtins import open_registry
    from hpoctl.ops.studies.listing import plugin_problems

    registry = open_registry()
    problems = plugin_problems(registry)
    if as_json:
        emit_list("plugins", registry.plugins, problems)
    else:
        _print_plugins(registry.plugins, problems)


def _list(
    command: str,
    find: "Callable[[Registry, str | None], Sequence[InfoT]]",
    name: str | None,
    *,
    as_json: bool,
    overview: Callable[[Sequence[InfoT]], None],
    details: Callable[[InfoT], None],
) -> None:
    from hpoctl.builtins import open_registry
    from hpoctl.ops.studies.listing import plugin_problems

    registry = open_registry()
    found, problems = find(registry, name), plugin_problems(registry)
    if as_json:
        emit_list(command, found, problems)
        return
    warn(problems)
    if name is None:
        overview(found)
    else:
        details(found[0])


def emit_list(command: str, found: Sequence[object], problems: "Sequence[Problem]") -> None:
    """A list is partial if a plugin failed: something may be missing from it."""
    from hpoctl.cli.output import emit_json, error_json

    errors = [error_json(problem) for problem in problems]
    emit_json(command, "partial" if errors else "success", {command: found}, errors)


def warn(problems: "Iterable[Problem]") -> None:
    """A line for each plugin that failed, before a list that may lack something."""
    from hpoctl.cli.output import err

    for problem in problems:
        err().print(f"warning: {problem.what}", style="yellow", markup=False, soft_wrap=True)


def _print_methods(found: "Sequence[MethodInfo]", *, wide: bool) -> None:
    from hpoctl.cli.output import hint

    columns: dict[str, Sequence[object]] = {
        "method": [method.name for method in found],
        "what it does": [method.summary for method in found],
    }
    if wide:
        options = [pairs({option.name: option.default for option in method.options}) for method in found]
        columns |= {"options": [text or "-" for text in options], "from": [method.origin for method in found]}
    print_table(columns, wide=wide)
    hint("`hpoctl methods NAME` explains the options; `hpoctl run --method NAME --set NAME.option=value` sets one")


def _print_method(method: "MethodInfo") -> None:
    print_facts(
        f"{method.name}: {method.summary}",
        {
            "from": source_text(method.origin),
            "scheduler": method.kind,
            "jobs": "one for each seed" if method.expensive else "one for all seeds",
            "fixed": pairs(method.fixed),
            "options": "" if method.options else "none",
        },
    )
    if method.options:
        print_table(
            {
                "option": [option.name for option in method.options],
                "type": [option.type for option in method.options],
                "default": [_text(option.default) for option in method.options],
                "what it does": [option.help for option in method.options],
            }
        )


def _print_benchmarks(found: "Sequence[BenchmarkInfo]", *, wide: bool) -> None:
    from hpoctl.cli.output import hint

    columns: dict[str, Sequence[object]] = {
        "benchmark": [benchmark.name for benchmark in found],
        "summary": [benchmark.summary for benchmark in found],
        "budget": [_budget(benchmark) for benchmark in found],
    }
    if wide:
        columns |= {
            "metric": [f"{benchmark.metric} ({benchmark.mode})" for benchmark in found],
            "resource": [_resource(benchmark) for benchmark in found],
            "workers": [benchmark.n_workers for benchmark in found],
            "data": [_provenance(benchmark) or "-" for benchmark in found],
            "from": [benchmark.origin or benchmark.source for benchmark in found],
        }
    else:
        columns["curves"] = ["trained" if each.script else in_short(each.provenance.get("curves")) for each in found]
    print_table(columns, right=("workers", "budget"), wide=wide)
    hint("`hpoctl benchmarks NAME` shows one with its space")


def _print_benchmark(benchmark: "BenchmarkInfo") -> None:
    count = benchmark.configurations
    of_all = "infinitely many" if count is None else f"{count:,}"
    print_facts(
        f"{benchmark.name}: {benchmark.summary}",
        {
            "from": source_text(benchmark.origin) if benchmark.origin else benchmark.source,
            **_script_facts(benchmark),
            "data": _provenance(benchmark),
            "metric": f"{benchmark.metric} ({benchmark.mode})",
            "recorded": ", ".join(benchmark.metrics),
            "resource": _resource(benchmark, from_attr=True),
            "workers": str(benchmark.n_workers),
            "budget": _budget(benchmark),
            "configurations": f"those of {of_all} that its table lists" if benchmark.restricted else of_all,
        },
    )
    print_space(benchmark)


def print_space(benchmark: "BenchmarkInfo") -> None:
    """The hyperparameters of a benchmark, and what each may be."""
    names, allowed = [entry.name for entry in benchmark.space], [entry.allowed for entry in benchmark.space]
    print_table({"hyperparameter": names, "allowed": allowed})


def _resource(benchmark: "BenchmarkInfo", *, from_attr: bool = False) -> str:
    if benchmark.max_resource is None:
        return f"{benchmark.resource_attr}, no largest"
    attr = f" ({benchmark.max_resource_attr})" if from_attr else ""
    return f"{benchmark.resource_attr} to {benchmark.max_resource}{attr}"


def _script_facts(benchmark: "BenchmarkInfo") -> Mapping[str, str]:
    import shlex

    script = benchmark.script
    if script is None:
        return {}
    share = f"{script.cpus} core{'' if script.cpus == 1 else 's'}"
    return {
        "script": shlex.join(script.command),
        "in": script.folder,
        "arguments": "--NAME VALUE" if script.arguments == "options" else "--config FILE (JSON)",
        "checkpoints": "yes: a resumed trial continues" if script.checkpoints else "no: a resumed trial starts over",
        "for each trial": share + (f", {script.gpus} GPU{'' if script.gpus == 1 else 's'}" if script.gpus else ""),
        "content hash": (script.content_hash or "")[:16],
    }


def _print_plugins(reports: "Sequence[PluginReport]", problems: "Sequence[Problem]") -> None:
    from hpoctl.cli.output import hint

    print_table(
        {
            "plugin": [report.origin.entry_point or "-" for report in reports],
            "from": [report.origin for report in reports],
            "state": [_state(report) for report in reports],
            "registers": [_registers(report) for report in reports],
        }
    )
    print_lines(problem.what for problem in problems)
    for remedy in dict.fromkeys(problem.fix for problem in problems):
        hint(remedy)


def _state(report: "PluginReport") -> str:
    return "loaded, with errors" if report.state == "loaded" and report.failures else report.state


def _registers(report: "PluginReport") -> str:
    named = [f"{kind.replace('_', ' ')}: {', '.join(names)}" for kind, names in report.registers.items()]
    return "\n".join(named) or "-"


def source_text(origin: "Origin") -> str:
    """A plugin and its module."""
    return f"{origin} ({origin.target})"


def _budget(benchmark: "BenchmarkInfo") -> str:
    reports = f", {benchmark.max_num_evaluations:,} reports" if benchmark.max_num_evaluations is not None else ""
    return f"{benchmark.max_wallclock_time:,.0f} s{reports}"


def _provenance(benchmark: "BenchmarkInfo") -> str:
    return ", ".join(f"{key}: {fact}" for key, fact in benchmark.provenance.items())


def in_short(curves: str | None) -> str:
    """Whether curves are modelled or real, without what is said of it in brackets."""
    return (curves or "-").partition(" (")[0]


def pairs(values: Mapping[str, Any]) -> str:
    """Names and values in a line."""
    return ", ".join(f"{key}={_text(value)}" for key, value in values.items())


def _text(value: object) -> str:
    """A value as a person types it after `--set`."""
    return str(value).lower() if isinstance(value, bool | None) else str(value)
