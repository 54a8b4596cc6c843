"""The options that several commands have, once: their types with their help, and back from values to words."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hpoctl.core.errors import UsageError
from hpoctl.core.setting_definition import Definition, Panel
from hpoctl.core.settings import DEFINITIONS, option_words

if TYPE_CHECKING:
    from hpoctl.ops.studies.overrides import Overrides


def option(
    panel: Panel,
    text: str,
    *names: str,
    metavar: str | None = None,
    parser: Callable[[str], object] | None = None,
) -> Any:
    """An option in a panel of the help.

    Args:
        panel: The panel.
        text: What it does.
        names: Its names; none: that of the parameter.
        metavar: What the help shows for its value; None: it is a flag.
        parser: Reads its value; None: Typer does, by the type.
    """
    return typer.Option(*names, help=text, rich_help_panel=panel, metavar=metavar, parser=parser)


Benchmarks = Annotated[
    list[str] | None,
    option("What", "Benchmark; repeatable. Default: all of the study.", "--benchmark", "-b", metavar="BENCHMARK"),
]
MethodOptions = Annotated[
    list[str] | None,
    option(
        "What", "Option of a method, as in ASHA.grace_period=3; repeatable.", "--set", metavar="METHOD.OPTION=VALUE"
    ),
]
RandomSeed = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=2**32 - 1,
        metavar="N",
        help="Random seed, below 2^32. Default: the tag's, or drawn and printed.",
        rich_help_panel="How many",
    ),
]
Results = Annotated[
    str | None,
    option(
        "Where",
        "Root of results: a folder or s3://bucket/prefix. Default: $HPOCTL_ROOT, that of hpoctl.toml, or ~/hpoctl.",
        metavar="ROOT",
    ),
]
LauncherOptions = Annotated[
    list[str] | None,
    option("Where", "Option of the launcher; repeatable.", "--launcher-option", metavar="OPTION=VALUE"),
]
BackendName = Annotated[
    str | None,
    option(
        "Where",
        "Where trials execute: simulator, local, or a plugin's. Default: simulator for a table, local for a script.",
        "--backend",
        metavar="BACKEND",
    ),
]
BackendOptions = Annotated[
    list[str] | None,
    option("Where", "Option of the trial backend; repeatable.", "--backend-option", metavar="OPTION=VALUE"),
]
AsJson = Annotated[bool, option("Output", "Print one JSON object instead of a table.", "--json")]


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each setting, in place of its parameter `experiment`.

    `experiment` gets those that were typed, by name.
    """
    signature = inspect.signature(command)

    @wraps(command)
    def with_options(**values: Any) -> None:
        given = {name: values.pop(name) for name in DEFINITIONS}
        command(**values, experiment={name: value for name, value in given.items() if value is not None})

    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        options = map(_option, DEFINITIONS.values()) if parameter.name == "experiment" else [parameter]
        parameters += [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in options]
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def _option(setting: Definition) -> inspect.Parameter:
    """The option of a setting, as the parameter of a command."""
    panel, text = setting.about.panel, f"{setting.about.help}. Default: {setting.default_text}."
    kind: Any
    if setting.is_flag:
        names = "/".join(word for value in (True, False) for word in setting.option_words(value))
        kind = Annotated[bool | None, option(panel, text, names)]
    else:
        kind = Annotated[Any, option(panel, text, setting.option, metavar=setting.metavar, parser=setting.parse)]
    return inspect.Parameter(setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def experiment_words(changes: "Overrides") -> list[str]:
    """The options that change what an experiment is, as a person types them."""
    words = option_words(changes.experiment) + [word for text in changes.settings for word in ("--set", text)]
    words += ["--backend", changes.backend] if changes.backend is not None else []
    for name, value in changes.backend_options.items():
        words += ["--backend-option", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
    return words


def named_values(texts: Sequence[str], noun: str, example: str) -> dict[str, str]:
    """The values of `OPTION=VALUE` words.

    Args:
        texts: The words.
        noun: Whose options they are.
        example: How one is written.

    Raises:
        UsageError: A word has another form.
    """
    options = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{text!r} is not an option of a {noun}.", f"Write option=value, as in {example}.")
        options[name.strip()] = value.strip()
    return options
