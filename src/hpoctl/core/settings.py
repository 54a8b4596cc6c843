"""Settings: what determines or limits an experiment. Each is defined once, as a field of `Settings`.

From the fields follow the options of `hpoctl run` and `hpoctl launch`, the keys of study files, the checks with their
messages, what a launch changes and carries over, the metadata, the identity, and the reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from hpoctl.core.setting_definition import About, Definition, Given, Group, Value

DecisionTime = Literal["zero", "measured"] | float
"""The time of a suggestion on the simulated clock: zero, measured, or a number of seconds."""

MOST_WORKERS = 10_000
"""Trials that run at a time: more is a slip of the pen, and each takes memory at once."""


@dataclass(frozen=True)
class Settings:
    """What determines or limits an experiment. Whole numbers of seconds become floats.

    Raises:
        UsageError: A value has the wrong type or is out of range.
    """

    n_workers: Annotated[
        int | None,
        About(
            "Trials that run at a time",
            "Budget",
            least=1,
            most=MOST_WORKERS,
            of_benchmark=True,
            group="budget",
            always=True,
        ),
    ] = None
    max_wallclock_time: Annotated[
        float | None,
        About(
            "Budget in seconds of the experiment's clock",
            "Budget",
            unit="seconds",
            above=0.0,
            of_benchmark=True,
            group="budget",
            always=True,
        ),
    ] = None
    # It determines rows through `max_wallclock_time`, which is in the identity.
    scale_max_wallclock_time: Annotated[
        float,
        About("Factor for the budget in seconds, of each benchmark or as it is set", "Budget", above=0.0),
    ] = 1.0
    max_num_evaluations: Annotated[
        int | None,
        About("Budget in reports", "Budget", least=1, of_benchmark=True, group="budget", always=True),
    ] = None
    max_num_trials: Annotated[
        int | None,
        About(
            "Budget in trials started; resuming one does not count. When the method wants one more, those that run are "
            "finished and the experiment ends",
            "Budget",
            least=1,
            group="budget",
        ),
    ] = None
    max_size_data_for_model: Annotated[
        int | None,
        About(
            "Most data points that a model is fitted to",
            "Budget",
            least=1,
            default="the method's",
            group="budget",
            always=True,
        ),
    ] = None
    decision_time: Annotated[
        DecisionTime,
        About(
            "What a suggestion costs on the simulated clock; measured: what it really took",
            "Clock",
            unit="seconds",
            least=0.0,
            group="clock",
            always=True,
        ),
    ] = "zero"
    poll_interval: Annotated[
        float,
        About(
            "Simulated seconds between polls of the trials; 0: every event at its own time; 5: as Syne Tune",
            "Clock",
            unit="seconds",
            least=0.0,
            group="clock",
            always=True,
        ),
    ] = 0.0
    checkpointing: Annotated[
        bool,
        About("Whether a resumed trial continues where it paused, or starts over", "Clock", group="clock", always=True),
    ] = True
    # Where the table has the whole space this changes nothing, so the engine adds it to the identity where it does.
    restrict_configurations: Annotated[
        bool,
        About(
            "Whether methods may try only what a table lists; otherwise any other configuration gets the curve of "
            "the nearest one. Some benchmarks always restrict them",
            "What",
        ),
    ] = False

    max_failures: Annotated[
        Literal["none"] | float,
        About("Trials that may fail, or their share of those started (below 1)", "Trials", least=0.0),
    ] = 3.0
    trial_retries: Annotated[
        int,
        About(
            "How often a trial that fails is started again, from its checkpoint where it keeps one", "Trials", least=0
        ),
    ] = 0
    trial_timeout: Annotated[
        float | None,
        About("Seconds of training that a trial may take, resumes included", "Trials", unit="seconds", above=0.0),
    ] = None
    report_timeout: Annotated[
        float | None,
        About("Seconds that a trial may take from one report to the next", "Trials", unit="seconds", above=0.0),
    ] = None
    stop_timeout: Annotated[
        float,
        About("Seconds that a trial gets to save its state before it is killed", "Trials", unit="seconds", least=0.0),
    ] = 10.0
    delete_checkpoints: Annotated[
        bool,
        About("Whether the checkpoints of trials that cannot resume are removed", "Trials"),
    ] = False
    gpus_to_use: Annotated[
        str | None,
        About("GPUs that trials may use, such as 0,2", "Trials", default="all that there are"),
    ] = None
    trial_poll_interval: Annotated[
        float,
        About("Seconds between two looks at what trials that train have reported", "Trials", unit="seconds", above=0.0),
    ] = 0.05
    min_free_disk: Annotated[
        float,
        About("Free GB of disk below which trials that train are held until there is more", "Trials", least=0.0),
    ] = 0.2
    price_per_hour: Annotated[
        float | None,
        About("What an hour of one trial costs, in money", "Trials", least=0.0),
    ] = None
    max_cost: Annotated[
        float | None,
        About("Budget in money, with --price-per-hour", "Budget", above=0.0),
    ] = None

    def __post_init__(self) -> None:
        for name, definition in DEFINITIONS.items():
            value = getattr(self, name)
            if value is not None or definition.default is not None:
                object.__setattr__(self, name, definition.check(value))

    def changed(self, given: Given) -> "Settings":
        """These settings with some of them changed."""
        return replace(self, **check_all(given))

    def seconds(self, of_benchmark: float | None = None) -> float | None:
        """The budget in seconds of the experiment's clock, scaled.

        Args:
            of_benchmark: The benchmark's, which holds where these settings have none.
        """
        seconds = of_benchmark if self.max_wallclock_time is None else self.max_wallclock_time
        return None if seconds is None else seconds * self.scale_max_wallclock_time

    def effective(self, of_benchmark: Mapping[str, Any]) -> "Settings":
        """The settings that count: the benchmark's where these say nothing, and the budget scaled.

        Args:
            of_benchmark: The values that the benchmark has for the settings in `OF_BENCHMARK`.
        """
        found = {name: value for name, value in of_benchmark.items() if getattr(self, name) is None}
        seconds = self.seconds(of_benchmark["max_wallclock_time"])
        return replace(self, **{**found, "max_wallclock_time": seconds, "scale_max_wallclock_time": 1.0})

    @staticmethod
    def from_json(given: Given) -> "Settings":
        """Settings by name; the others have their defaults.

        Raises:
            UsageError: A value has the wrong type or is out of range.
        """
        return Settings(**check_all(given))

    def to_json(self) -> dict[str, Value]:
        """The same as `given`."""
        return self.given()

    def given(self) -> dict[str, Value]:
        """Those that are not the default, by name."""
        values = {name: getattr(self, name) for name in DEFINITIONS}
        return {name: value for name, value in values.items() if value != DEFINITIONS[name].default}

    def recorded(self) -> dict[str, Value | None]:
        """What metadata say of these: all but those that are left out where they are the default."""
        return {
            name: getattr(self, name)
            for name, definition in DEFINITIONS.items()
            if definition.about.always or getattr(self, name) != definition.default
        }

    def determinants(self, group: Group) -> dict[str, Value | None]:
        """What these add to a part of what determines an experiment."""
        return {name: value for name, value in self.recorded().items() if DEFINITIONS[name].about.group == group}


def _definition(name: str, hint: Any, default: Any) -> Definition:
    kind, about = get_args(hint)
    members = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    words = tuple(word for member in members if get_origin(member) is Literal for word in get_args(member))
    types = tuple(member for member in members if member in (bool, int, float, str))
    return Definition(name, types, words, default, about)


_HINTS = get_type_hints(Settings, include_extras=True)
DEFINITIONS = {entry.name: _definition(entry.name, _HINTS[entry.name], entry.default) for entry in fields(Settings)}
"""All settings by name, in the order in which help and reference show them."""

OF_BENCHMARK = tuple(name for name, definition in DEFINITIONS.items() if definition.about.of_benchmark)
"""The settings whose default is a field of the benchmark."""


def check_all(given: Mapping[str, object]) -> dict[str, Any]:
    """Some settings by name, each as its field has it.

    Raises:
        UsageError: A value has the wrong type or is out of range.
        KeyError: There is no such setting.
    """
    return {name: DEFINITIONS[name].check(value) for name, value in given.items()}


def option_words(given: Given) -> list[str]:
    """The words that say some settings on a command line."""
    return [
        word
        for name, definition in DEFINITIONS.items()
        if name in given
        for word in definition.option_words(given[name])
    ]
