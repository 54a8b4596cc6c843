"""Writes docs/reference from the code: commands and their options, hooks, entries, exit codes.

python tools/generate_reference.py            write the pages
python tools/generate_reference.py --check    fail if a page is not what the code says
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from hpoctl import builtins
from hpoctl.cli.app import app
from hpoctl.cli.commands import COMMANDS, application
from hpoctl.core.entries import Benchmark, ExtraResults, Imported, Importer, LauncherEntry, Method
from hpoctl.core.errors import HpoctlError
from hpoctl.core.options import option_help, option_values
from hpoctl.core.records import entries_of, wanted
from hpoctl.core.script_benchmark import ScriptBenchmark
from hpoctl.core.setting_definition import Definition
from hpoctl.core.settings import DEFINITIONS, Settings
from hpoctl.core.space.plain import TYPES
from hpoctl.core.study import Study
from hpoctl.core.trial_backends import BackendEntry
from hpoctl.ops.studies import config
from hpoctl.ops.studies.choose_study import study_toml
from hpoctl.plugins import hookspecs

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
HEADER = "<!-- Written by tools/generate_reference.py from the code: edit the docstrings, then run `make docs`. -->\n\n"

STUDY_FILES = """
A study as TOML, anywhere a command takes the name of a study: what ends in `.toml` or has a `/` is a file. Options of
the command line change what it says. An unknown key is an error that names the closest known one.

`hpoctl studies show NAME` prints a registered study, or another file, as a study file to start from:
see [Write a study file](../how-to/write-a-study-file.md).
""".strip().splitlines()

EXAMPLE = """
`settings` are what stands after `--set`. A method that is named in `settings` or in `fixed` has to be one of
`methods`, and values have to fit the space of every benchmark: what does not is refused before anything runs.
`default` is for studies that a plugin registers; in a file it says nothing.
""".strip().splitlines()

SETTINGS = """
What determines or limits an experiment. A setting can be said as an option of `hpoctl run` and `hpoctl launch`, and as
a key of a study file or of `hpoctl.toml`. The option counts before the study, the study before `hpoctl.toml`, and that
before the default. A later launch of the tag keeps what an earlier one said. What is in force is in the metadata of
each experiment under the same name, so `--where` finds it; settings that are not in every identity are there where they
are not the default.
""".strip().splitlines()

HPOCTL_TOML = """
What a folder says about the studies run in it: a file `hpoctl.toml`, or the table `[tool.hpoctl]` of `pyproject.toml`
with the same keys. It is looked for in the folder in which the command is typed. Where both exist `hpoctl.toml` wins,
and nothing of `pyproject.toml` is read.
""".strip().splitlines()

BENCHMARK_FILES = """
A training script and its configuration space, as TOML. A benchmark file stands anywhere a command or a study
file takes the name of a benchmark: what ends in `.toml` or has a `/` is a file. Paths in it are relative to the file;
in a study file, the path of a benchmark file is relative to the study file. An unknown key is an error that names the
closest known one.

`hpoctl benchmark new train.py` writes a first file, `hpoctl benchmark check FILE` tries it out. A plugin registers the
same with `ScriptBenchmark(folder=Path(__file__).parent, ...)`, whose arguments are these keys.

```toml
name = "toy-script"
script = "train.py"                 # gets --lr 0.01 --epochs 9
metric = "loss"
mode = "min"
resource_attr = "epoch"
max_resource_attr = "epochs"
n_workers = 2
max_wallclock_time = 20

[space]
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
epochs = 9
```
""".strip().splitlines()

BACKENDS = """
## Options of trial backends

`[backends.NAME]` has options that trials of this benchmark need on a trial backend, whatever the study: an image,
libraries, the size of a machine. The keys are those that `--backend-option` takes. It counts where that backend is
chosen, with `--backend` or in a study file:

```toml
[backends.sagemaker]
image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/digits:3"
requirements = "requirements.txt"       # relative to this file
instance_type = "ml.g5.xlarge"
```

* `backend_options` of a study file go before these, and `--backend-option` before both.
* Paths of files are relative to the benchmark file. Those below its folder travel with jobs to other machines.
* A key that the backend does not have is an error that names the closest one. `hpoctl benchmark check` looks at all
  tables. A table of a backend that is not installed is not used; `hpoctl benchmark check` says so.
* Options are no part of the identity of results, as `--backend-option` is not: the same trial elsewhere is the same
  trial.
* Values that look like credentials are refused; see [pass a token](../how-to/pass-a-token.md).
""".strip().splitlines()

DOMAINS = """
## The space

Each line of `[space]` is a hyperparameter: a fixed value, or a domain with its `type` and the keys of that type. Fixed
values reach the script and the results as well.
""".strip().splitlines()

WHAT_A_SCRIPT_SEES = """
## What a script sees

| what | when |
|---|---|
| `--NAME VALUE` for each hyperparameter, in the order of the space | `arguments = "options"` |
| `--config FILE`, a JSON object with all hyperparameters | `arguments = "json"` |
| `--st_checkpoint_dir DIR`, and `--st_config_json_filename FILE` in place of `--config FILE` | `syne_tune_arguments` |

The words are given to the operating system as they are, without a shell: a value may hold spaces and quotes.
Control characters, such as line breaks, are refused. A text that begins with a dash and is not a number is passed as
`--NAME=VALUE`, so that parsers do not take it for an option. True and false are `true` and `false`; with
`syne_tune_arguments`, `True` and `False`.

| environment variable | value |
|---|---|
| `HPOCTL_TRIAL_ID` | the number of the trial in its experiment |
| `HPOCTL_CHECKPOINT_DIR` | the folder for the trial's checkpoints; the same when it is resumed |
| `HPOCTL_RESUME_FROM` | the resource level that is known already; `0`: none, or the script keeps no checkpoints |
| `HPOCTL_CONFIG` | the configuration as a JSON file |
| `HPOCTL_REPORTS` | the file for reports, a JSON object a line; `-`: standard output |
| `HPOCTL_SEED` | a seed for the random numbers of the trial; the same when it is resumed |
| `CUDA_VISIBLE_DEVICES` | the trial's GPUs, where the benchmark asks for any |
| `OMP_NUM_THREADS`, `OPENBLAS_NUM_THREADS`, `MKL_NUM_THREADS` | `cpus`, unless they are set already |
| `PYTHONUNBUFFERED` | `1`, unless it is set already: what Python prints arrives at once |

## Reports

Three ways, which may be mixed:

* in Python, `import hpoctl` and `hpoctl.report(epoch=3, loss=0.2)`. The import takes milliseconds and needs the
  standard library only. Without hpoctl around, the values are printed;
* a line `[tune-metric]: {"epoch": 3, "loss": 0.2}` on standard output, as Syne Tune's Reporter prints it;
* a line `{"epoch": 3, "loss": 0.2}` at the end of the file that `HPOCTL_REPORTS` names.

A report is a JSON object. `NaN`, `Infinity` and numbers beyond the range of doubles, such as `1e400`, are metrics: the
worst there are. The report that has the tuned metric makes a row; values that were reported before it since the last
row belong to it. Other values than metrics are kept in columns `extra_NAME`; no metric or resource may begin with
`extra_`. Levels of the resource are whole numbers from 1 on and increase within a trial. A line of more than 200,000
bytes, or one that is nested more than 100 levels deep, is no report.
""".strip().splitlines()


def commands_page() -> str:
    """All commands with their arguments and options, from the signatures behind them."""
    callback = app.registered_callback
    lines = ["# Commands", "", f"{app.info.help}", "", f"{app.info.epilog}", ""]
    lines += ["## hpoctl", "", "Options before the command:", "", *_parameters(callback.callback if callback else None)]
    for entry in COMMANDS:
        found = application(entry)
        if found.registered_callback is None:
            lines += _commands(found, "hpoctl")
            continue
        function = found.registered_callback.callback
        lines += [f"## hpoctl {entry.name}", "", _prose(function), "", *_parameters(function)]
        lines += _commands(found, f"hpoctl {entry.name}")
    return "\n".join(lines)


def _commands(parent: typer.Typer, words: str) -> Iterator[str]:
    """The commands of an application."""
    for command in parent.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        yield from [f"## {words} {name}", "", _prose(command.callback), "", *_parameters(command.callback)]


def hooks_page() -> str:
    """The hooks, what they return, and the built-in methods with their options."""
    lines = ["# Hooks", "", _prose(hookspecs), ""]
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("hpoctl_"):
            returned = get_args(get_type_hints(hook)["return"])[0]
            kinds = " | ".join(kind.__name__ for kind in get_args(returned) or (returned,))
            lines += [f"## {name}() -> Iterable[{kinds}]", "", _prose(hook), ""]
    lines += ["# Entries", ""]
    for entry in (Method, Benchmark, ExtraResults, LauncherEntry, BackendEntry, Importer, Imported, Study):
        lines += [f"## {entry.__name__}", "", *_attributes(entry), ""]
    lines += ["# Built-in methods", ""]
    for method in builtins.hpoctl_methods():
        lines += [f"## {method.name}", "", f"{method.summary}.", ""]
        values, helps = option_values(method.options), option_help(method.options)
        if values:
            lines += ["| option | default | what it does |", "|---|---|---|"]
            lines += [f"| `{method.name}.{name}` | {value} | {helps[name]} |" for name, value in values.items()]
            lines += [""]
    return "\n".join(lines)


def errors_page() -> str:
    """The exit codes."""
    lines = ["# Exit codes", "", "| code | error | when |", "|---|---|---|", "| 0 | | everything is done |"]
    for kind in _family(HpoctlError):
        lines += [f"| {kind.exit_code} | {kind.__name__} | {inspect.getdoc(kind).splitlines()[0]} |"]  # type: ignore[union-attr]
    lines += ["| 130 | | interrupted (Ctrl-C); complete experiments are kept |", ""]
    return "\n".join(lines)


def study_file_page() -> str:
    """The keys of study files and of hpoctl.toml."""
    example = Study(
        name="grace",
        summary="Does ASHA need a longer grace period once the activations are fixed?",
        methods=("RS", "ASHA", "ASHA-RELU"),
        benchmarks=("fcnet-protein", "fcnet-naval"),
        num_seeds=10,
        extra_results=("rung-levels",),
        settings=("ASHA.grace_period=3",),
        tag="grace-1",
        random_seed=7,
        experiment=Settings(max_wallclock_time=1800.0),
        fixed={"ASHA": {"hp_batch_size": 32}},
        launcher_options={"retries": 2},
        panels={"tuned": ("RS", "ASHA"), "fixed": ("ASHA-RELU",)},
    )
    rows = _attribute_rows(Study)
    lines = ["# Study files", "", *STUDY_FILES, "", "## Keys", ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    for entry in fields(Study):
        if entry.name == "experiment":
            lines += [_setting_row(setting) for setting in DEFINITIONS.values()]
            continue
        meaning = rows[entry.name].replace("None: ", "left out: ")
        lines += [f"| `{entry.name}` | {_wanted(Study, entry.name)} | {_shown_default(entry)} | {meaning} |"]
    lines += ["", "## An example", "", "```toml", study_toml(example).rstrip(), "```", "", *EXAMPLE, ""]
    lines += ["## hpoctl.toml", "", *HPOCTL_TOML, "", "| key | meaning |", "|---|---|"]
    lines += [f"| `{key}` | {_attribute_rows(config.Config)[key]} |" for key in config.OWN_KEYS]
    lines += ["| each of the [settings](settings.md) | Where the study does not say it. |"]
    return "\n".join(lines)


def benchmark_file_page() -> str:
    """The keys of benchmark files, and what a training script sees."""
    rows = _attribute_rows(ScriptBenchmark)
    lines = ["# Benchmark files", "", *BENCHMARK_FILES, "", "## Keys", ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    for entry in sorted(fields(ScriptBenchmark), key=lambda entry: BENCHMARK_KEYS_SHOWN.index(entry.name)):
        if entry.name != "folder":
            wanted = _wanted(ScriptBenchmark, entry.name)
            lines += [f"| `{entry.name}` | {wanted} | {_benchmark_default(entry)} | {rows[entry.name]} |"]
    lines += ["", *BACKENDS, "", *DOMAINS, "", "| type | keys |", "|---|---|"]
    for name, domain in TYPES.items():
        keys = [field for field in fields(domain) if field.init]
        shown = ", ".join(f"`{key.name}`" if _is_required(key) else f"`{key.name}` (optional)" for key in keys)
        lines += [f"| `{name}` | {shown} |"]
    return "\n".join([*lines, "", *WHAT_A_SCRIPT_SEES])


BENCHMARK_KEYS_SHOWN = (
    "name", "summary", "script", "command", "args", "python", "working_folder", "files", "space", "arguments",
    "syne_tune_arguments", "environment", "metric", "mode", "metrics", "resource_attr", "max_resource_attr",
    "max_wallclock_time", "max_num_evaluations", "n_workers", "checkpoints", "cpus", "gpus", "backends", "folder",
)  # fmt: skip


def _is_required(entry: Field[Any]) -> bool:
    # A field that shares its name with a property of a base class has the property as its default.
    return entry.default is MISSING or isinstance(entry.default, property)


def _benchmark_default(entry: Field[Any]) -> str:
    if entry.name == "name":
        return "the name of the file or its folder"
    if entry.name in {"script", "command"}:
        return "one of the two is required"
    if entry.default is MISSING and entry.default_factory is MISSING:
        return "required"
    return f"`{str(entry.default).lower()}`" if entry.default not in (MISSING, None, (), "") else "none"


def settings_page() -> str:
    """What determines or limits an experiment, and whether it is in the identity."""
    lines = ["# Settings", "", *SETTINGS, "", "| setting | option | value | default | meaning | in the identity |"]
    lines += ["|---|---|---|---|---|---|"]
    for setting in DEFINITIONS.values():
        name, option = f"`{setting.name}`", ", ".join(f"`{word}`" for word in _option_names(setting))
        within: str = setting.about.group or "indirectly, where it changes what is run"
        within += "" if setting.about.always or not setting.about.group else ", unless it is the default"
        lines += [f"| {name} | {option} | {setting.wanted} | {_default_of(setting)} | {_meaning(setting)} | {within} |"]
    return "\n".join(lines)


def _option_names(setting: Definition) -> list[str]:
    if not setting.is_flag:
        return [setting.option]
    return [word for value in (True, False) for word in setting.option_words(value)]


def _setting_row(setting: Definition) -> str:
    return f"| `{setting.name}` | {setting.wanted} | {_default_of(setting)} | {_meaning(setting)} |"


def _default_of(setting: Definition) -> str:
    text = setting.default_text
    return text if setting.default is None else f"`{text}`"


def _meaning(setting: Definition) -> str:
    return f"{setting.about.help}."


def _wanted(record: Any, key: str) -> str:
    return next(wanted(hint) for entry, hint in entries_of(record) if entry.name == key)


def _shown_default(entry: Field[Any]) -> str:
    if entry.name == "name":
        return "the name of the file"
    if entry.default is MISSING and entry.default_factory is MISSING:
        return "none" if entry.name == "summary" else "required"
    if entry.default in (MISSING, None, ()):
        return "none"
    return f"`{str(entry.default).lower()}`"


def _family(kind: type[HpoctlError]) -> Iterator[type[HpoctlError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def _parameters(function: Callable[..., Any] | None) -> list[str]:
    """A table of the arguments and options of a command."""
    if function is None:
        return []
    hints = get_type_hints(function, include_extras=True)
    rows = []
    for name, parameter in inspect.signature(function).parameters.items():
        if hints[name] is typer.Context:
            continue
        kind, info = get_args(hints[name])[:2]
        if info.hidden:
            continue
        if isinstance(info, ArgumentInfo):
            rows.append(f"| `{info.metavar or name.upper()}` | | {info.help} |")
        else:
            rows.append(_option_row(name, kind, info, parameter.default))
    return ["| option | value | what it does |", "|---|---|---|", *rows, ""] if rows else []


def _option_row(name: str, kind: Any, info: OptionInfo, default: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    # Within Annotated, Typer takes the first name for a default.
    declared = [str(word) for word in (info.default, *(info.param_decls or ())) if str(word).startswith("-")]
    words = [word for names in declared for word in names.split("/")] or (
        [flag, flag.replace("--", "--no-", 1)] if kind is bool else [flag]
    )
    required = " Required." if default is inspect.Parameter.empty else ""
    shown = isinstance(default, (int, float, str)) and not isinstance(default, bool)
    listed = ", ".join(f"`{word}`" for word in words)
    value = f"`{info.metavar}`".replace("|", "\\|") if info.metavar else _value(kind)
    help_text = " ".join((info.help or "").split()) + required + (f" Default: `{default}`." if shown else "")
    return f"| {listed} | {value} | {help_text} |"


def _value(kind: Any) -> str:
    """What a person types after the option; nothing after a flag."""
    if get_origin(kind) is Literal:
        return "`" + "`, `".join(map(str, get_args(kind))) + "`"
    names = {int: "whole number", float: "number", str: "text", Path: "path"}
    inner = [member for member in (get_args(kind) or (kind,)) if member is not NoneType]
    if get_origin(inner[0]) is Literal:
        return _value(inner[0])
    if any(get_origin(member) is list for member in (*inner, kind)):
        return "text, repeatable"
    return names.get(inner[0], "")


def _prose(thing: object) -> str:
    return inspect.getdoc(thing) or ""


def _attributes(entry: type) -> list[str]:
    """The docstring's first line and its attributes as a table."""
    head = _prose(entry).partition("\n\nAttributes:\n")[0]
    rows = [f"| `{name}` | {meaning} |" for name, meaning in _attribute_rows(entry).items()]
    return [head, "", "| field | meaning |", "|---|---|", *rows]


def _attribute_rows(entry: type) -> dict[str, str]:
    """What the docstring says about each attribute."""
    names = {field.name for field in fields(entry)}
    rows: dict[str, str] = {}
    last = ""
    for line in _prose(entry).partition("\n\nAttributes:\n")[2].splitlines():
        name, colon, what = line.strip().partition(": ")
        if colon and name in names and line.startswith("    ") and not line.startswith("     "):
            last, rows[name] = name, what
        elif last and line.strip():
            rows[last] += f" {line.strip()}"
    return rows


PAGES = {
    "commands.md": commands_page,
    "hooks.md": hooks_page,
    "exit-codes.md": errors_page,
    "study-file.md": study_file_page,
    "benchmark-file.md": benchmark_file_page,
    "settings.md": settings_page,
}


def main() -> int:
    """Write or check the pages."""
    check = "--check" in sys.argv
    stale = []
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        text = HEADER + page().rstrip() + "\n"
        path = REFERENCE / name
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(str(path))
        elif not check:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"not what the code says: {', '.join(stale)}; run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
