"""What the plugin registers: the importer, and a benchmark for each task once a model was imported.

Nothing here imports onnxruntime or opens a model.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.entries import Benchmark, Imported, Importer, Progress
from hpoctl.plugins.hookspecs import hookimpl
from hpoctl_lcbench.files import current, directory
from hpoctl_lcbench.space import MAX_RESOURCE_ATTR, METRICS, RESOURCE_ATTR, SPACE, TASKS

_CARD: Final = {
    "what": "A surrogate (a neural network) of LCBench: 2,000 configurations of funnel-shaped multilayer perceptrons"
    " trained on each data set",
    "source": "YAHPO Gym, scenario lcbench, model file of the user: https://github.com/slds-lmu/yahpo_data",
    "licence": "Apache-2.0 (YAHPO Gym and its data; LCBench data)",
    "citation": "Pfisterer, Schneider, Moosbauer, Binder, Bischl: YAHPO Gym. AutoML Conference 2022, arXiv 2109.03670."
    " Zimmer, Lindauer, Hutter: Auto-PyTorch. IEEE TPAMI 43(9), 2021."
    " Data: Zimmer, 2020, doi 10.6084/m9.figshare.11662422.v1",
    "modelled": "every value: the surrogate predicts all metrics and the seconds at every epoch",
    "elapsed time": "the predicted seconds, raised to their running maximum and by 0.01 s an epoch at least",
    "repetitions": "none: every seed sees the same curves",
}


@hookimpl
def hpoctl_importers() -> Iterable[Importer]:
    """Register the importer of the model file."""
    return (
        Importer(
            name="lcbench",
            summary="YAHPO Gym's lcbench surrogate: model.onnx, or the scenario's folder",
            load=load,
        ),
    )


@hookimpl
def hpoctl_benchmarks() -> Iterable[Benchmark]:
    """Register lcbench-<task> for all 34 tasks, if there is a model."""
    name = current()
    return () if name is None else tuple(_benchmark(name, task) for task in TASKS)


def load(path: Path, progress: Progress) -> Imported:
    """Bring in a model (see `importer.load`)."""
    from hpoctl_lcbench import importer

    return importer.load(path, progress)


def open_blackbox(name: str, task: str) -> Blackbox:
    """The blackbox of a task. The model is opened at the first use."""
    from hpoctl_lcbench import importer

    return importer.open_blackbox(name, task)


def check(name: str, task: str) -> Iterator[str]:
    """Look at the model and at a task (see `importer.check`)."""
    from hpoctl_lcbench import importer

    return importer.check(name, task)


def _benchmark(name: str, task: str) -> Benchmark:
    return Benchmark(
        name=f"lcbench-{task}",
        summary=f"Network on OpenML task {task}, by YAHPO Gym's surrogate of LCBench",
        space=SPACE,
        metrics=METRICS,
        metric="val_accuracy",
        mode="max",
        resource_attr=RESOURCE_ATTR,
        max_resource_attr=MAX_RESOURCE_ATTR,
        n_workers=4,
        max_wallclock_time=7200,
        blackbox=partial(open_blackbox, name, task),
        provenance={
            "curves": "surrogate (YAHPO Gym)",
            "elapsed time": "surrogate, made increasing",
            "model": name,
        },
        card={
            **_CARD,
            "OpenML task": f"https://www.openml.org/t/{task}",
            "model file": str(directory() / name / "model.onnx"),
        },
        check=partial(check, name, task),
    )
