"""The study `activations`: what does it cost to tune the activation functions of a network along with the rest?"""

from collections.abc import Iterable

from hpoctl.builtins import ASHA, MOBSTER
from hpoctl.plugins import ExtraResults, Method, Study, hookimpl
from hpoctl_activations.rung_levels import RungLevels

ACTIVATIONS = ("tanh", "relu")
LAYERS = ("hp_activation_fn_1", "hp_activation_fn_2")


@hookimpl
def hpoctl_methods() -> Iterable[Method]:
    """ASHA and MOBSTER with one activation function in both layers."""
    for activation in ACTIVATIONS:
        for method in (ASHA, MOBSTER):
            yield method.with_fixed(
                dict.fromkeys(LAYERS, activation),
                name=f"{method.name}-{activation.upper()}",
                summary=f"{method.name} with {activation} in both layers",
            )


@hookimpl
def hpoctl_extra_results() -> Iterable[ExtraResults]:
    """The sizes of the rungs, as columns of the results."""
    return (ExtraResults("rung-levels", "How many trials have reached each rung level", RungLevels),)


@hookimpl
def hpoctl_studies() -> Iterable[Study]:
    """The study itself; its benchmarks are those of `hpoctl-fcnet`."""
    return (
        Study(
            name="activations",
            summary="Does it pay to fix the activation functions before tuning the rest?",
            methods=("RS", "BO", "ASHA", "MOBSTER", "ASHA-TANH", "MOBSTER-TANH", "ASHA-RELU", "MOBSTER-RELU"),
            benchmarks=("fcnet-protein", "fcnet-naval", "fcnet-parkinsons", "fcnet-slice"),
            num_seeds=20,
            extra_results=("rung-levels",),
            default=True,
            panels={
                "activations tuned": ("ASHA", "MOBSTER"),
                "tanh": ("ASHA-TANH", "MOBSTER-TANH"),
                "relu": ("ASHA-RELU", "MOBSTER-RELU"),
                "single fidelity": ("RS", "BO"),
            },
        ),
    )
