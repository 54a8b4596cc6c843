"""The options that several commands have, once: their types with their help, and back from values to words."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hpoctl.core.settings import DEFINITIONS, Definition, option_words

if TYPE_CHECKING:
    from hpoctl.ops.studies.overrides import Overrides

Methods = Annotated[
    list[str] | None,
    typer.Option("--method", "-m", metavar="METHOD", help="Method; repeatable.", rich_help_panel="What"),
]
Benchmarks = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark",
        "-b",
        metavar="BENCHMARK",
        help="Benchmark; repeatable. Default: all of the study.",
        rich_help_panel="What",
    ),
]
MethodOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="METHOD.OPTION=VALUE",
        help="Option of a method, as in ASHA.grace_period=3; repeatable.",
        rich_help_panel="What",
    ),
]
RandomSeed = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=2**32 - 1,
        metavar="N",
        help="Master seed, below 2^32. Default: the tag's, or drawn and printed.",
        rich_help_panel="How many",
    ),
]
Results = Annotated[
    str | None,
    typer.Option(
        metavar="ROOT",
        help="Root of results: a folder or s3://bucket/prefix. Default: $HPOCTL_ROOT, that of hpoctl.toml, or "
        "~/hpoctl.",
        rich_help_panel="Where",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object instead of a table.", rich_help_panel="Output")
]


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each setting, in place of its parameter `experiment`.

    `experiment` gets those that were typed, by name.
    """
    signature = inspect.signature(command)

    @wraps(command)
    def with_options(**values: Any) -> None:
        said = {name: values.pop(name) for name in DEFINITIONS}
        command(**values, experiment={name: value for name, value in said.items() if value is not None})

    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        options = map(_option, DEFINITIONS.values()) if parameter.name == "experiment" else [parameter]
        parameters += [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in options]
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def _option(setting: Definition) -> inspect.Parameter:
    """The option of a setting, as the parameter of a command."""
    help_text = f"{setting.about.help}. Default: {setting.default_text}."
    panel = setting.about.panel
    kind: Any
    if setting.is_flag:
        names = "/".join(word for value in (True, False) for word in setting.option_words(value))
        kind = Annotated[bool | None, typer.Option(names, help=help_text, rich_help_panel=panel)]
    else:
        option = typer.Option(
            setting.option, help=help_text, rich_help_panel=panel, metavar=setting.metavar, parser=setting.parse
        )
        kind = Annotated[Any, option]
    return inspect.Parameter(setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def experiment_words(changes: "Overrides") -> list[str]:
    """The options that change what an experiment is, as a person types them."""
    return option_words(changes.experiment) + [word for text in changes.settings for word in ("--set", text)]
