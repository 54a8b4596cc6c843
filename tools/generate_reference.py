"""Writes docs/reference from the code: commands and their options, hooks, entries, exit codes.

python tools/generate_reference.py            write the pages
python tools/generate_reference.py --check    fail if a page is not what the code says
"""

import inspect
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from reference_commands import commands_page, prose
from reference_texts import (
    BACKENDS,
    BENCHMARK_FILES,
    DOMAINS,
    EXAMPLE,
    HPOCTL_TOML,
    SETTINGS,
    STUDY_FILES,
    WHAT_A_SCRIPT_SEES,
)

from hpoctl import builtins
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


def hooks_page() -> str:
    """The hooks, what they return, and the built-in methods with their options."""
    lines = ["# Hooks", "", prose(hookspecs), ""]
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("hpoctl_"):
            returned = get_args(get_type_hints(hook)["return"])[0]
            kinds = " | ".join(kind.__name__ for kind in get_args(returned) or (returned,))
            lines += [f"## {name}() -> Iterable[{kinds}]", "", prose(hook), ""]
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


def _attributes(entry: type) -> list[str]:
    """The docstring's first line and its attributes as a table."""
    head = prose(entry).partition("\n\nAttributes:\n")[0]
    rows = [f"| `{name}` | {meaning} |" for name, meaning in _attribute_rows(entry).items()]
    return [head, "", "| field | meaning |", "|---|---|", *rows]


def _attribute_rows(entry: type) -> dict[str, str]:
    """What the docstring says about each attribute."""
    names = {field.name for field in fields(entry)}
    rows: dict[str, str] = {}
    last = ""
    for line in prose(entry).partition("\n\nAttributes:\n")[2].splitlines():
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
