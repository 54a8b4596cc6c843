"""metadata.json: what an experiment is, where it comes from, and whether it is complete."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hpoctl.core.blackbox import Blackbox
from hpoctl.engine.search_space import is_restricted
from hpoctl.engine.spec import FORMAT, ExperimentSpec, determinants, identity_of


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an experiment was run, by what.

    Attributes:
        versions: The versions of hpoctl, of the plugins used and of the numerical libraries, by name.
        git_commit: The commit of the folder the command was typed in; None outside a git checkout.
        entrypoint: The command line.
        host: The name of the machine.
        options: The options that run the same experiment with another seed, where no plan has them.
    """

    versions: Mapping[str, str]
    git_commit: str | None
    entrypoint: str
    host: str = field(default_factory=platform.node)
    options: tuple[str, ...] = ()


def opening_metadata(spec: ExperimentSpec, provenance: Provenance, timestamp: float) -> dict[str, Any]:
    """The metadata of an experiment that is about to run; its table is not open yet.

    The keys that Syne Tune 0.13 wrote keep their names, so that its readers find them.

    Args:
        spec: The experiment.
        provenance: Where it runs, by what.
        timestamp: Now, in seconds since 1970.
    """
    benchmark = spec.benchmark
    return {
        "format": FORMAT,
        "status": "running",
        "tag": spec.tag,
        "algorithm": spec.method.name,
        "benchmark": benchmark.name,
        "seed": spec.seed,
        "random_seed": spec.random_seed,
        "identity": None,
        "determinants": None,
        "metric_names": [benchmark.metric],
        "metric_mode": benchmark.mode,
        "scheduler_name": spec.method.kind,
        "config_space": json.dumps(spec.space().to_json()),
        "fixed": dict(spec.method.fixed),
        "backend": "simulator",
        **spec.effective.recorded(),
        "extra_results": [entry.name for entry in spec.extra_results],
        "off_table": None,
        "data": dict(benchmark.provenance),
        **({"benchmark_file": benchmark.file} if benchmark.file else {}),
        "versions": dict(provenance.versions),
        "git_commit": provenance.git_commit,
        "entrypoint": provenance.entrypoint,
        **({"options": list(provenance.options)} if provenance.options else {}),
        "host": provenance.host,
        "pid": os.getpid(),
        "st_tuner_creation_timestamp": timestamp,
        "st_tuner_start_timestamp": timestamp,
    }


def identity_metadata(spec: ExperimentSpec, blackbox: Blackbox) -> dict[str, Any]:
    """What is known once the table is open: what determines the rows, and the identity that follows from it.

    Raises:
        UsageError: The experiment cannot be restricted to its table.
    """
    table_hash = blackbox.content_hash
    determined_by = determinants(spec, table_hash, restricted=is_restricted(spec, blackbox))
    return {
        "identity": identity_of(determined_by),
        "determinants": determined_by,
        "data": {**spec.benchmark.provenance, "table": table_hash},
    }
