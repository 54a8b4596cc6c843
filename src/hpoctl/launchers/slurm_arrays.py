"""Which hpoctl jobs an array of Slurm holds: how they are packed, the script, and what is kept of it in the store.

<tag>/.hpoctl/slurm/<digest>.json           the array's name and the jobs of each element, written beforehand
<tag>/.hpoctl/slurm/<digest>.answer.json    the number that Slurm gave it
<tag>/.hpoctl/slurm/<digest>-<index>.txt    what an element printed besides the logs of its jobs
"""

import json
import shlex
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.cells import CONTROL, LOG
from hpoctl.core.errors import IncompleteError
from hpoctl.core.files import read_regular
from hpoctl.core.jobs import Job
from hpoctl.core.places import cache_directory, is_address
from hpoctl.core.sealed import DamagedError, RecordType
from hpoctl.core.storage import Store
from hpoctl.launchers.slurm_options import SlurmOptions
from hpoctl.stores.job_files import Manifest, job_folder_of

ANSWER = ".answer.json"

SCRIPT = """#!/bin/bash
# Made by hpoctl: {count} jobs of tag {tag} in the elements of one array.
running=
worst=0
stop() {{
    trap '' TERM
    if [ -n "$running" ]; then kill -TERM "$running" 2> /dev/null; wait "$running"; fi
    exit 143
}}
trap stop TERM
run() {{
    local log=$1
    shift
    "$@" >> "$log" 2>&1 &
    running=$!
    wait "$running" || worst=$?
    running=
}}
{setup}
case $SLURM_ARRAY_TASK_ID in
{cases}
esac
exit $worst
"""


@dataclass(frozen=True, slots=True)
class Array:
    """Jobs that are submitted together.

    Attributes:
        tag: The tag.
        digest: A hash of what it holds.
        elements: The names of the jobs of each element, which runs them one after another.
        made: When it was made, in seconds since 1970.
    """

    tag: str
    digest: str
    elements: tuple[tuple[str, ...], ...]
    made: float

    @property
    def name(self) -> str:
        """Its name in Slurm, which no other array of this or another study has."""
        return f"hpoctl-{self.tag}-{self.digest}"

    def places(self) -> Mapping[str, int]:
        """The index of each job's element."""
        return {job: index for index, jobs in enumerate(self.elements) for job in jobs}


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """What is kept of an array; the name of its file is its digest.

    Attributes:
        name: Its name in Slurm.
        made: When it was made, in seconds since 1970.
        elements: The names of the jobs of each element.
    """

    name: str
    made: float
    elements: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What Slurm answered to an array.

    Attributes:
        array: The number that it gave it.
    """

    array: int


ARRAYS = RecordType("Slurm array", ArrayFile)
ANSWERS = RecordType("answer of Slurm", Answer)


def pack(manifests: Sequence[Manifest], options: SlurmOptions) -> list[Array]:
    """Put the jobs of a tag into the elements of as few arrays as possible, such that all take about as long."""
    count = min(len(manifests), options.elements)
    loads: list[tuple[float, int]] = [(0.0, index) for index in range(count)]
    packed: list[list[Manifest]] = [[] for _ in range(count)]
    for manifest in sorted(manifests, key=_seconds, reverse=True):
        load, index = min(loads)
        packed[index].append(manifest)
        loads[index] = (load + _seconds(manifest), index)
    return [_array(packed[at : at + options.max_array_size]) for at in range(0, count, options.max_array_size)]


def _seconds(manifest: Manifest) -> float:
    return sum(task.seconds for task in manifest.job.tasks)


def _array(packed: Sequence[Sequence[Manifest]]) -> Array:
    digest = content_hash(canonical_json([[manifest.digest for manifest in element] for element in packed]))
    names = tuple(tuple(manifest.job.name for manifest in element) for element in packed)
    return Array(packed[0][0].job.tag, digest[:16], names, time.time())


def array_words(array: Array, root: str, store: Store, options: SlurmOptions) -> list[str]:
    """The options of sbatch for an array."""
    output = f"{_folder(store, root, array.tag)}/{array.digest}-".replace("%", "%%")
    own = [f"--array=0-{len(array.elements) - 1}", f"--job-name={array.name}", f"--output={output}%a.txt"]
    return [*own, "--open-mode=append", *options.words]


def array_script(array: Array, jobs: Mapping[str, Job], root: str, store: Store, options: SlurmOptions) -> str:
    """The script of an array: each element runs its jobs, and passes on the signal to stop."""
    python = options.python or sys.executable
    workers = options.jobs or options.cpus
    cases = []
    for index, names in enumerate(array.elements):
        cases.append(f"{index})")
        for name in names:
            setup = jobs[name].setup(workers, options.retries, options.timeout)
            words = [python, *jobs[name].runner, json.dumps(setup)]
            cases.append(f"    run {shlex.join([str(log_file(store, root, array.tag, name)), *words])}")
        cases.append("    ;;")
    count = sum(len(names) for names in array.elements)
    return SCRIPT.format(count=count, tag=array.tag, setup=options.setup, cases="\n".join(cases))


def log_file(store: Store, root: str, tag: str, name: str) -> Path:
    """The file that a job prints to, on a file system that the nodes share."""
    if is_address(root):
        return Path(_folder(store, root, tag)) / f"{name}.txt"
    return Path(store.location(f"{job_folder_of(tag, name)}/{LOG}"))


def printed(store: Store, root: str, tag: str, name: str, arrays: Iterable[Array]) -> str:
    """What a job has printed; where that is nothing, what its array element has: its setup, and Slurm."""
    places = [(array.digest, array.places().get(name)) for array in arrays]
    others = [
        Path(_folder(store, root, tag)) / f"{digest}-{place}.txt" for digest, place in places if place is not None
    ]
    return next((text for text in map(_text, [log_file(store, root, tag, name), *others]) if text), "")


def make_log_folder(store: Store, root: str, tag: str) -> None:
    """Make the folder of logs, where the store does not."""
    if is_address(root):
        Path(_folder(store, root, tag)).mkdir(parents=True, exist_ok=True)


def _folder(store: Store, root: str, tag: str) -> str:
    if is_address(root):
        return str(cache_directory() / "slurm" / content_hash(root.encode())[:8] / tag)
    return store.location(_control(tag))


def keep_array(store: Store, array: Array) -> None:
    """Write down what an array holds, unless that was done before."""
    file = ArrayFile(array.name, array.made, array.elements)
    try:
        store.put(f"{_control(array.tag)}/{array.digest}.json", ARRAYS.seal(file), create=True)
    except FileExistsError:
        return  # an earlier submission of the same: it was killed, or not answered


def keep_answer(store: Store, array: Array, number: int) -> None:
    """Write down the number that Slurm gave an array."""
    store.put(f"{_control(array.tag)}/{array.digest}{ANSWER}", ANSWERS.seal(Answer(number)))


def read_arrays(store: Store, tag: str, known: Mapping[str, Array]) -> tuple[dict[str, Array], set[str]]:
    """The arrays of a tag by digest, and the digests of those that Slurm is known to have taken in.

    Args:
        store: Where results live.
        tag: The tag.
        known: Arrays that were read before.

    Raises:
        IncompleteError: A file is damaged.
    """
    files = [name.rpartition("/")[2] for name in store.list(_control(tag)) if name.endswith(".json")]
    answered = {file.removesuffix(ANSWER) for file in files if file.endswith(ANSWER)}
    digests = [file.removesuffix(".json") for file in files if not file.endswith(ANSWER)]
    return {digest: known.get(digest) or _read_array(store, tag, digest) for digest in digests}, answered


def _read_array(store: Store, tag: str, digest: str) -> Array:
    file = f"{_control(tag)}/{digest}.json"
    try:
        kept = ARRAYS.unseal(store.get(file))
        return Array(tag, digest, kept.elements, kept.made)
    except (DamagedError, FileNotFoundError) as error:
        raise IncompleteError(
            f"{store.location(file)} is damaged: {error}.", "Remove it and launch the tag again."
        ) from error


def _control(tag: str) -> str:
    return f"{tag}/{CONTROL}/slurm"


def _text(path: Path) -> str:
    try:
        return read_regular(path).decode(errors="replace")
    except OSError:
        return ""
