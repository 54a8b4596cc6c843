"""An Optuna study in memory, as hpoctl needs it: quiet, and with trials that pause at a level and resume later."""

import copy
import warnings
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from hpoctl_optuna.parameters import Params

CLIPPED = "Clip non-finite values"
"""How a warning of the Gaussian process begins that says what happens to diverged trials: it is as it should be."""


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna neither logs nor says that something is experimental. Its settings, and Python's, are put back."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            warnings.filterwarnings("ignore", CLIPPED)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


class Levels(InMemoryStorage):
    """Shows trials that stand at a level below the largest one as pruned there, though they may resume.

    In Optuna a pruned trial has come to its end. For hpoctl's multi-fidelity schedulers that is open: a paused trial
    can be promoted. In the storage they are running; samplers see what `stand` was told last.
    """

    def __init__(self) -> None:
        super().__init__()
        self._standing: dict[int, FrozenTrial] = {}

    def stand(self, trial: FrozenTrial) -> None:
        """Show this instead of the trial of its number."""
        self._standing[trial.number] = trial

    def finish(self, number: int) -> None:
        """Show the trial itself again."""
        self._standing.pop(number, None)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """The trials in the order of their starts."""
        if not self._standing or states == (TrialState.WAITING,):
            return super().get_all_trials(study_id, deepcopy, states)
        trials = super().get_all_trials(study_id, deepcopy=False)
        shown = [self._standing.get(trial.number, trial) for trial in trials]
        wanted = [trial for trial in shown if states is None or trial.state in states]
        return copy.deepcopy(wanted) if deepcopy else wanted


class Memory:
    """The trials of one experiment, as Optuna knows them: by number, with values to be minimised.

    Args:
        sampler: Suggests parameters.
        distributions: The distribution of each parameter.
    """

    def __init__(self, sampler: BaseSampler, distributions: Mapping[str, BaseDistribution]) -> None:
        self._distributions = dict(distributions)
        self._levels = Levels()
        with quiet():
            self._study = optuna.create_study(
                storage=self._levels, sampler=sampler, study_name="hpoctl", direction="minimize"
            )

    def ask(self) -> Trial:
        """A trial with parameters that the sampler suggests, running from now on."""
        with quiet():
            return self._study.ask(self._distributions)

    def run(self, params: Params, instead_of: Trial | None = None) -> int:
        """A trial with given parameters, running from now on.

        Args:
            params: The parameters.
            instead_of: A trial that was asked for, and is given up; what the sampler has noted about it is kept.

        Returns:
            The number of the trial.
        """
        trial = create_trial(
            state=TrialState.RUNNING,
            params=dict(params),
            distributions=self._distributions,
            system_attrs={} if instead_of is None else self._trials()[instead_of.number].system_attrs,
        )
        if instead_of is not None:
            self.fail(instead_of.number)
        with quiet():
            self._study.add_trial(trial)
        return len(self._trials()) - 1

    def stand(self, number: int, level: int, value: float) -> None:
        """A trial has reported at a level below the largest one."""
        trial = copy.copy(self._trials()[number])
        trial.state = TrialState.PRUNED
        trial.intermediate_values = {**trial.intermediate_values, level: value}
        trial.value = value
        self._levels.stand(trial)

    def finish(self, number: int, value: float) -> None:
        """A trial has reported its final value."""
        self._levels.finish(number)
        with quiet():
            self._study.tell(number, value)

    def fail(self, number: int) -> None:
        """A trial without a report is given up."""
        with quiet():
            self._study.tell(number, state=TrialState.FAIL)

    def _trials(self) -> list[FrozenTrial]:
        """The trials by number, to look at."""
        return self._study.get_trials(deepcopy=False)
