"""`hpoctl methods`, `hpoctl benchmarks` and `hpoctl plugins`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hpoctl.cli.options import AsJson

if TYPE_CHECKING:
    from hpoctl.ops.studies.listing import BenchmarkInfo, MethodInfo, Problem
    from hpoctl.plugins import Origin, PluginReport, Registry

InfoT = TypeVar("InfoT")


def methods(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show one method and its options.")] = None,
    as_json: AsJson = False,
) -> None:
    """List methods: what each does, its options, where it comes from."""
    from hpoctl.ops.studies.listing import list_methods

    _list("methods", list_methods, name, as_json=as_json, overview=_print_methods, details=_print_method)


def benchmarks(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show one benchmark and its space: its name, or its file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List benchmarks: metric, resource, workers, budget, what is known of the data, where each comes from."""
    from hpoctl.ops.studies.listing import list_benchmarks

    _list("benchmarks", list_benchmarks, name, as_json=as_json, overview=_print_benchmarks, details=_print_benchmark)


def plugins(as_json: AsJson = False) -> None:
    """List plugins: what is loaded, from where, what each registers, what failed and why."""
    from hpoctl.ops.studies.listing import plugin_problems
    from hpoctl.ops.studies.registry import open_registry

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
    from hpoctl.ops.studies.listing import plugin_problems
    from hpoctl.ops.studies.registry import open_registry

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
    from hpoctl.cli.output import emit_json

    errors = [{"what": problem.what, "fix": problem.fix} for problem in problems]
    emit_json(command, "partial" if errors else "success", {command: found}, errors)


def warn(problems: "Iterable[Problem]") -> None:
    """A line for each plugin that failed, before a list that may lack something."""
    from hpoctl.cli.output import err

    for problem in problems:
        err().print(f"warning: {problem.what}", style="yellow", markup=False, soft_wrap=True)


def print_table(columns: Mapping[str, Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print columns of texts. Plugins wrote them, so they are no markup."""
    from rich.table import Table
    from rich.text import Text

    from hpoctl.cli.output import out

    rows = list(zip(*columns.values(), strict=True))
    if not rows:
        print_lines(["none"])
        return
    table = Table(show_lines=True)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if column in right else "left", no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    out().print(table)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines as they are. Plugins wrote them, so they are no markup."""
    from hpoctl.cli.output import out

    for line in lines:
        out().print(line, markup=False, emoji=False, soft_wrap=True)


def print_facts(title: str, facts: Mapping[str, str]) -> None:
    """A title, and one line for each fact that there is."""
    print_lines([title, *(f"  {key}: {fact}" for key, fact in facts.items() if fact)])


def _print_methods(found: "Sequence[MethodInfo]") -> None:
    from hpoctl.cli.output import hint

    print_table(
        {
            "method": [method.name for method in found],
            "what it does": [method.summary for method in found],
            "options": [pairs({option.name: option.default for option in method.options}) or "-" for method in found],
            "from": [method.origin for method in found],
        }
    )
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


def _print_benchmarks(found: "Sequence[BenchmarkInfo]") -> None:
    print_table(
        {
            "benchmark": [benchmark.name for benchmark in found],
            "what it is": [benchmark.summary for benchmark in found],
            "metric": [f"{benchmark.metric} ({benchmark.mode})" for benchmark in found],
            "resource": [_resource(benchmark) for benchmark in found],
            "workers": [benchmark.n_workers for benchmark in found],
            "budget": [_budget(benchmark) for benchmark in found],
            "data": [_provenance(benchmark) or "-" for benchmark in found],
            "from": [benchmark.origin or benchmark.source for benchmark in found],
        },
        right=("workers", "budget"),
    )


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
    print_table(
        {
            "hyperparameter": [entry.name for entry in benchmark.space],
            "allowed": [entry.allowed for entry in benchmark.space],
        }
    )


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


def pairs(values: Mapping[str, Any]) -> str:
    """Names and values in a line."""
    return ", ".join(f"{key}={_text(value)}" for key, value in values.items())


def _text(value: object) -> str:
    """A value as a person types it after `--set`."""
    return str(value).lower() if isinstance(value, bool | None) else str(value)
