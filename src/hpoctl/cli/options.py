"""The options that several commands have, once: their types with their help, and back from values to words."""

from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
    from hpoctl.core.study import DecisionTime
    from hpoctl.ops.studies.overrides import Overrides

Benchmarks = Annotated[
    list[str] | None, typer.Option("--benchmark", "-b", help="Benchmark; repeatable. Default: all of the study.")
]
RandomSeed = Annotated[
    int | None, typer.Option(min=0, max=2**32 - 1, help="Master seed. Default: the tag's, or drawn and printed.")
]
NWorkers = Annotated[int | None, typer.Option(help="Trials at a time. Default: the study's or benchmark's.")]
MaxWallclockTime = Annotated[
    float | None,
    typer.Option(help="Budget in seconds of the experiment's clock. Default: the study's or benchmark's."),
]
MaxNumEvaluations = Annotated[int | None, typer.Option(help="Budget in reports.")]
MaxSizeDataForModel = Annotated[int | None, typer.Option(help="Most data a model is fitted to. Default: the method's.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="METHOD.option=value, as in ASHA.grace_period=3; repeatable."),
]
DecisionTimeText = Annotated[
    str | None,
    typer.Option(
        "--decision-time", help="Simulated cost of a suggestion: zero, measured, or a number of seconds. Default: zero."
    ),
]
PollInterval = Annotated[
    float | None,
    typer.Option(min=0.0, help="Simulated seconds between looks at the trials; 5 is Syne Tune's clock. Default: 0."),
]
Checkpointing = Annotated[
    bool | None, typer.Option(help="Whether a resumed trial goes on where it paused (the default), or starts over.")
]
RestrictConfigurations = Annotated[
    bool | None,
    typer.Option(
        "--restrict-configurations/--no-restrict-configurations",
        help="Whether methods may try only what a table lists. Default: the study's; some benchmarks always do.",
    ),
]
Results = Annotated[
    str | None,
    typer.Option(
        help="Root of results: a folder or s3://bucket/prefix. Default: $HPOCTL_ROOT, that of hpoctl.toml, or ~/hpoctl."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]


def parse_decision_time(text: str | None) -> "DecisionTime | None":
    """What `--decision-time` says.

    Raises:
        UsageError: It is neither of the words nor a number of seconds.
    """
    if text is None:
        return None
    if text == "zero":
        return "zero"
    if text == "measured":
        return "measured"
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"--decision-time cannot be {text!r}.", "Use zero, measured, or a number of seconds >= 0."
        ) from None


def experiment_words(changes: "Overrides") -> list[str]:
    """The options that change what an experiment is, as a person types them."""
    options = {
        "--n-workers": changes.n_workers,
        "--max-wallclock-time": changes.max_wallclock_time,
        "--max-num-evaluations": changes.max_num_evaluations,
        "--max-size-data-for-model": changes.max_size_data_for_model,
        "--decision-time": changes.decision_time,
        "--poll-interval": changes.poll_interval,
    }
    words = [word for name, value in options.items() if value is not None for word in (name, f"{value}")]
    if changes.checkpointing is not None:
        words.append("--checkpointing" if changes.checkpointing else "--no-checkpointing")
    if changes.restrict_configurations is not None:
        words.append(f"--{'' if changes.restrict_configurations else 'no-'}restrict-configurations")
    return words + [word for setting in changes.settings for word in ("--set", setting)]
