"""`hpoctl run`: experiments here, in this process, one after another."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hpoctl.core.cells import claim_key
from hpoctl.core.clock import SystemTime
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import Claims
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.finished import Finished
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.engine.tuner import Watcher
from hpoctl.ops.running.run_plan import RunPlan
from hpoctl.ops.studies.tags import keep_master_seed


@dataclass(frozen=True, slots=True)
class Failed:
    """An experiment that failed.

    Attributes:
        name: Method, benchmark and seed, for people.
        error: What went wrong, and what to do.
    """

    name: str
    error: HpoctlError


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What `hpoctl run` has done.

    Attributes:
        finished: The completed experiments.
        failed: The failed ones.
        interrupted: The name of the experiment that was interrupted, and nothing came after it.
    """

    finished: tuple[Finished, ...]
    failed: tuple[Failed, ...]
    interrupted: str | None


def run(
    plan: RunPlan,
    watch: Callable[[ExperimentSpec], Watcher],
    on_finished: Callable[[Finished], None],
    system: SystemTime | None = None,
) -> RunOutcome:
    """Run the planned experiments one after another; one that fails does not hinder the others.

    Args:
        plan: What to run.
        watch: Makes the watcher of an experiment.
        on_finished: Is told of each completed experiment.
        system: Where real time comes from.
    """
    master_seed = keep_master_seed(plan.store, plan.tag, plan.master_seed)
    finished: list[Finished] = []
    failed: list[Failed] = []
    for planned in plan.specs:
        # Somebody else may have begun the tag, and drawn its master seed, in the meantime.
        spec = planned if plan.seed_was_given else replace(planned, master_seed=master_seed)
        try:
            result = _run_claimed(spec, plan, plan.claims, watch, system or SystemTime())
        except KeyboardInterrupt:
            return RunOutcome(tuple(finished), tuple(failed), spec.name)
        except HpoctlError as error:
            failed.append(Failed(spec.name, error))
        else:
            finished.append(result)
            on_finished(result)
    return RunOutcome(tuple(finished), tuple(failed), None)


def _run_claimed(
    spec: ExperimentSpec,
    plan: RunPlan,
    claims: Claims,
    watch: Callable[[ExperimentSpec], Watcher],
    system: SystemTime,
) -> Finished:
    key = claim_key(spec.tag, spec.cell)
    if not claims.take(key):
        raise HpoctlError(f"{spec.name} is running elsewhere.", f"`hpoctl status --tag {spec.tag}` shows it.")
    try:
        return run_experiment(spec, plan.store, plan.provenance, watch(spec), system)
    finally:
        claims.release(key)
