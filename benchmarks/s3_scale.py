"""Wall time and peak memory of a listing of 100,000 objects and of `hpoctl status` of 10,000 experiments on S3.

    python benchmarks/s3_scale.py [--experiments 10000] [--objects 100000] [--runs 3]

S3 is SeaweedFS on this machine, started by the script and ended with it: it shares the cores with what is measured, and
a request takes a millisecond or two, not the ten or more that AWS takes. The tag is the one of status_scale.py; empty
blobs beside its results make up the number of objects. The first look at a tag reads its metadata and leaves an index;
`new` is a look after one experiment in a hundred was written again.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from status_scale import TAG, build, measure_python

from hpoctl.core.cells import METADATA
from hpoctl.core.sealed import seal, unseal
from hpoctl.stores.opening import open_results
from hpoctl.stores.s3 import S3Store
from hpoctl.stores.s3_index import index_file
from services.seaweedfs import BUCKET, running

ADDRESS = f"s3://{BUCKET}/scale"


def upload(folder: Path, store: S3Store, objects: int) -> int:
    """Put the tag into the bucket, with empty blobs beside it; returns how many objects there are."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    names = [str(file.relative_to(folder)) for file in files]
    store.bucket.parallel(lambda place: store.put(names[place], files[place].read_bytes()), range(len(files)))
    others = [f"{TAG}/RS/other-{place:06d}/part" for place in range(objects - len(files))]
    store.bucket.parallel(lambda name: store.put(name, b""), others)
    return len(files) + len(others)


def touch(store: S3Store, every: int) -> None:
    """Write every n-th metadata again, with a change."""
    names = [name for name in store.list(TAG) if name.endswith(METADATA)][::every]
    change = {"touched": time.time()}
    store.bucket.parallel(lambda name: store.put(name, seal({**unseal(store.get(name)), **change})), names)


def row(what: str, runs: list[tuple[float, float]]) -> None:
    seconds, memory = zip(*runs, strict=True)
    print(
        f"{what:<44} {median(seconds):6.2f} s ({min(seconds):.2f}-{max(seconds):.2f})  {max(memory):5.0f} MB",
        flush=True,
    )


LISTING = (
    "import sys; from hpoctl.stores.opening import open_results; "
    "print(len(open_results(sys.argv[1]).store.list(sys.argv[2])))"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=10_000)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, running(Path(folder) / "server") as server:
        os.environ |= server.environment
        store = open_results(ADDRESS).store
        assert isinstance(store, S3Store)
        count = build(Path(folder) / "root", options.experiments)
        began = time.perf_counter()
        objects = upload(Path(folder) / "root", store, options.objects)
        print(
            f"{count:,} experiments, {objects:,} objects, uploaded in {time.perf_counter() - began:.0f} s", flush=True
        )
        status = ["-m", "hpoctl", "status", "--tag", TAG, "--results", ADDRESS]
        row(
            f"a listing of {objects:,} objects",
            [measure_python(["-c", LISTING, ADDRESS, TAG]) for _ in range(options.runs)],
        )
        cold = []
        for _ in range(options.runs):
            store.delete(index_file(TAG, "contents"))
            cold.append(measure_python(status))
        row("hpoctl status, the first look", cold)
        row("hpoctl status, with an index", [measure_python(status) for _ in range(options.runs)])
        new = []
        for _ in range(options.runs):
            touch(store, 100)
            new.append(measure_python(status))
        row("hpoctl status, one in a hundred is new", new)
        row("hpoctl status --verify, the first look", [measure_python([*status, "--verify"])])
        row(
            "hpoctl status --verify, with an index",
            [measure_python([*status, "--verify"]) for _ in range(options.runs)],
        )


if __name__ == "__main__":
    main()
