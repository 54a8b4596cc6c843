"""Every kind of record that hpoctl reads from a file: for tests that feed all readers, such as fuzzers."""

from typing import Any

from hpoctl.blackboxes.tables.description import Description
from hpoctl.blackboxes.tables.stored import TABLE
from hpoctl.core.metadata_head import Head
from hpoctl.core.script_benchmark import ScriptBenchmark
from hpoctl.core.sealed import RecordType
from hpoctl.core.study import Study
from hpoctl.launchers.slurm_arrays import ANSWERS, ARRAYS
from hpoctl.ops.launching.launches import LAUNCHES
from hpoctl.ops.launching.sequential_design import DESIGNS
from hpoctl.ops.studies.config import Config
from hpoctl.ops.studies.tags import PLANS, RANDOM_SEEDS_OF_TAGS
from hpoctl.ops.tables.shared_tables import NEEDED
from hpoctl.ops.upkeep.trash_entries import CLEANS
from hpoctl.stores.folder_copies import COPIES
from hpoctl.stores.job_files import MANIFESTS, REPORTS
from hpoctl.stores.s3 import Move
from hpoctl.stores.s3_claims import Holder

SEALED: tuple[RecordType[Any], ...] = (
    ANSWERS, ARRAYS, CLEANS, COPIES, DESIGNS, LAUNCHES, MANIFESTS, RANDOM_SEEDS_OF_TAGS, NEEDED, PLANS, REPORTS, TABLE,
)  # fmt: skip
"""Files with a checksum: `RecordType.unseal` reads their bytes."""

TOML: tuple[type[Any], ...] = (Config, Description, ScriptBenchmark, Study)
"""Files that people write: `Document.read` reads their tables."""

JSON: tuple[type[Any], ...] = (Head, Holder, Move)
"""What `unseal_as` and `read_json` read."""
