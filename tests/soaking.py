"""A root of results under everything that people and machines do to it, at random, and what must hold after each step.

One `Soak` works on one root. Launches run in the background while other commands do; commands and launches are killed.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import warm_process
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell
from hpoctl.core.sealed import DamagedError, unseal
from hpoctl.core.storage import Store
from hpoctl.stores.opening import open_results
from toy_studies import CELLS, Done, ToyStudy, kill_group, lane, members, workers_of

TAGS = ("north", "southern")
TRASH = ".trash/"
PATIENCE = lane(300, 1200)
"""Seconds that a command may take on a machine that does other things, too."""

UNFORESEEN = ("Traceback", "Unforeseen", "Warning:")
CODES = {0: "done", 1: "failed", 2: "wrong usage", 3: "nothing or incomplete", 130: "interrupted", 143: "ended"}
METHODS = sorted({cell.method for cell in CELLS})
BENCHMARKS = sorted({cell.benchmark for cell in CELLS})
SEEDS = sorted({cell.seed for cell in CELLS})


@dataclass
class Launched:
    """A launch in the background."""

    process: "subprocess.Popen[bytes]"
    tag: str
    output: Path
    began: float
    undisturbed: bool = True


@dataclass(frozen=True)
class Look:
    """The completed attempts below a root by directory: those in their place, and those in the trash."""

    there: Mapping[str, Done]
    trash: Mapping[str, Done]


@dataclass
class Soak:
    """Works on a root, and remembers what was complete.

    Attributes:
        root: The root of results.
        study: The study that is launched.
        environment: The environment of commands.
        rng: Decides what happens.
        expected: The hash of the results of each experiment, as they were first seen; all roots share it.
        counts: What was done.
        known: The attempts that were seen complete.
        moved: Those of them that have been in the trash: their experiment may have been run again.
    """

    root: str
    study: ToyStudy
    environment: Mapping[str, str]
    rng: Random
    expected: dict[Cell, str]
    counts: Counter[str] = field(default_factory=Counter)
    known: dict[str, Done] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    launches: list[Launched] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return open_results(self.root).store

    # --- commands ---

    def command(self, *words: str, kill: bool = False) -> tuple[int, str, str]:
        """Run a command to its end, or kill it on its way; its exit code and what it printed."""
        self.said = [*self.said[-15:], f"{'killed: ' if kill else ''}hpoctl {' '.join(words)}"]
        self.counts["commands"] += 1
        if not kill:
            code, out, err = warm_process.run(words, self.environment, self.study.folder, timeout=PATIENCE)
            self._check_words(code, out + err)
            return code, out, err
        process, output = self._start(words)
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.rng.uniform(0.3, 1.5))
        kill_group(process)
        self.counts["commands killed"] += process.returncode == -signal.SIGKILL
        return process.returncode, output.read_text(), ""

    def _start(self, words: tuple[str, ...]) -> tuple["subprocess.Popen[bytes]", Path]:
        output = self.study.folder / f"output-{self.counts['commands']}-{id(self)}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "hpoctl", *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=self.study.folder,
                env=self.environment,
                start_new_session=True,
            )
        return process, output

    def _check_words(self, code: int, printed: str) -> None:
        self.counts[CODES.get(code, f"exit code {code}")] += 1
        assert code in CODES, self.story(f"exit code {code}: {printed}")
        for word in UNFORESEEN:
            assert word not in printed, self.story(printed)

    def story(self, what: str) -> str:
        """What has happened, for the message of a failure."""
        return "\n".join([self.root, what, "after:", *self.said])

    # --- steps ---

    def step(self) -> None:
        """Do one thing at random, and look."""
        steps = {
            self.launch: 30,
            self.wait: 20,
            self.kill: 12,
            self.pause: 6,
            self.stop: 4,
            self.clean: 14,
            self.undo: 8,
            self.purge: 1,
            self.sync: 5,
            self.read: 5,
        }
        (step,) = self.rng.choices(list(steps), weights=list(steps.values()))
        self.counts[step.__name__] += 1
        step()
        self.counts["steps"] += 1
        self.gather()
        self.check(self.look())
        self.agree(self.rng.choice(TAGS))

    def launch(self) -> None:
        """Start a launch in the background, or two of one tag at once."""
        if len(self.launches) < 2:
            tag = self.rng.choice(TAGS)
            words = ("launch", "--tag", tag, "--jobs", str(self.rng.randint(1, 3)))
            self.said = [*self.said[-15:], f"in the background: hpoctl {' '.join(words)}"]
            self.counts["commands"] += 1
            process, output = self._start(words)
            self.launches.append(Launched(process, tag, output, time.monotonic()))

    def wait(self) -> None:
        time.sleep(self.rng.uniform(0.0, 1.5))

    def kill(self) -> None:
        """Kill all of a launch, its first process, or one of its workers."""
        if not self.launches:
            return
        launched = self.rng.choice(self.launches)
        launched.undisturbed = False
        whom = self.rng.choice(["all", "launch", "worker"])
        self.said.append(f"SIGKILL of a launch of {launched.tag}: {whom}")
        self.counts["kills"] += 1
        if whom == "all":
            kill_group(launched.process)
        elif whom == "launch":
            launched.process.kill()
        else:
            for pid in workers_of(launched.process)[:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def pause(self) -> None:
        """Stop a process for a moment, as a laptop that sleeps does."""
        pids = [pid for launched in self.launches for pid in members(launched.process.pid)]
        if pids:
            pid = self.rng.choice(pids)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(self.rng.uniform(0.0, 1.5))
                os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        tag = self.rng.choice(TAGS)
        for launched in self.launches:
            launched.undisturbed &= launched.tag != tag
        self.command("stop", "--tag", tag, "--yes")

    def clean(self) -> None:
        """Move results away: what was asked for, and nothing else."""
        tag = self.rng.choice(TAGS)
        methods = self.rng.sample(METHODS, self.rng.choice([0, 0, 1, 2]))
        benchmarks = self.rng.sample(BENCHMARKS, self.rng.choice([0, 0, 1]))
        seeds = self.rng.sample(SEEDS, self.rng.choice([0, 1, 2, 3]))
        flags = self.rng.sample(["--incomplete", "--failed", "--duplicates"], self.rng.choice([0, 0, 0, 1]))
        asked = {"--method": methods, "--benchmark": benchmarks, "--seed": map(str, seeds)}
        words = [word for option, values in asked.items() for value in values for word in (option, value)]
        for launched in self.launches:
            launched.undisturbed &= launched.tag != tag
        before = self.look().there
        killed = self.rng.random() < 0.25
        code, _, _ = self.command("clean", "--tag", tag, *words, *flags, "--yes", kill=killed)
        meant = {
            name
            for name, done in before.items()
            if name.startswith(f"{tag}/")
            and (not methods or done.cell.method in methods)
            and (not benchmarks or done.cell.benchmark in benchmarks)
            and (not seeds or done.cell.seed in seeds)
        }
        self.moved |= meant
        if killed:
            return
        after = self.look().there
        lost = before.keys() - meant - after.keys()
        assert not lost, self.story(f"moved without being asked for: {lost}")
        if code == 0 and not flags:
            assert not meant & after.keys(), self.story(f"not moved: {meant & after.keys()}")

    def undo(self) -> None:
        """Bring back what the last clean has moved."""
        words = ["--tag", self.rng.choice(TAGS)] if self.rng.random() < 0.5 else []
        before = self.look().there
        self.command("clean", "--undo", *words, kill=self.rng.random() < 0.25)
        lost = before.keys() - self.look().there.keys()
        assert not lost, self.story(f"an undo has moved {lost}")

    def purge(self) -> None:
        """Remove for good what is in the trash."""
        there = self.look().there
        code, _, _ = self.command("clean", "--purge", "--yes")
        self.known = {name: done for name, done in self.known.items() if name in there}
        if code == 0:
            assert not self.look().trash, self.story("purged, and still there")

    def sync(self) -> None:
        """Bring a tag to another folder: what is complete there afterwards has the same bytes."""
        tag = self.rng.choice(TAGS)
        copy = self.study.folder / f"copy-{id(self)}"
        before = {name: done for name, done in self.look().there.items() if name.startswith(f"{tag}/")}
        code, _, _ = self.command("sync", "--tag", tag, "--to", str(copy), kill=self.rng.random() < 0.2)
        copied = dict(_completed(open_results(str(copy)).store, "")) if copy.exists() else {}
        for name, done in before.items():
            assert copied.get(name, done) == done, self.story(f"the copy of {name} is another one")
            assert code or name in copied, self.story(f"{name} was not brought")

    def read(self) -> None:
        """Commands that only read."""
        words = self.rng.choice(
            [("compare",), ("trials", "--best"), ("logs",), ("why", "--trial", "0"), ("export", "--output", "rows.csv")]
        )
        extra = ("--method", "ASHA", "--seed", "0", "--benchmark", "toy") if words[0] == "why" else ()
        self.command(words[0], "--tag", self.rng.choice(TAGS), *words[1:], *extra)

    # --- what must hold ---

    def gather(self) -> None:
        """Look after launches that have ended, or do not."""
        for launched in list(self.launches):
            code = launched.process.poll()
            if code is None:
                if time.monotonic() - launched.began > PATIENCE:
                    stuck = dict(members(launched.process.pid))
                    raise AssertionError(self.story(f"a launch does not end: {stuck}\n{_stacks(list(stuck))}"))
                continue
            self.launches.remove(launched)
            self.counts["launches ended"] += 1
            if code >= 0:
                self._check_words(code, launched.output.read_text())
            if code == 0 and launched.undisturbed:
                self.counts["launches to the end"] += 1
                done = {done.cell for name, done in self.look().there.items() if name.startswith(f"{launched.tag}/")}
                assert done == set(CELLS), self.story(f"exit code 0, and {set(CELLS) - done} are missing")
            launched.output.unlink()

    def look(self) -> Look:
        """The completed attempts of all tags and in the trash."""
        there, trash = {}, {}
        for name, done in _completed(self.store, ""):
            if name.startswith(TRASH):
                trash[name.split("/", 2)[2]] = done
            else:
                there[name] = done
        self.counts["looks"] += 1
        return Look(there, trash)

    def check(self, look: Look) -> None:
        """Nothing that was complete is lost or changed, and no experiment was completed twice."""
        self.moved |= look.trash.keys()
        for name, done in self.known.items():
            found = look.there.get(name) or look.trash.get(name)
            assert found == done, self.story(f"{name} was {done} and is {found}")
        self.known |= {**look.trash, **look.there}
        cells = Counter(
            (name.partition("/")[0], done.cell) for name, done in look.there.items() if name not in self.moved
        )
        twice = [cell for cell, count in cells.items() if count > 1]
        assert not twice, self.story(f"completed twice: {twice}")
        for name, done in look.there.items():
            assert done.results == self.expected.setdefault(done.cell, done.results), self.story(
                f"{name} has other results than the same experiment elsewhere"
            )
        self.counts["results compared"] += len(look.there)

    def agree(self, tag: str) -> None:
        """`status` counts what the files say: it looked between two looks."""
        before = self._cells(tag)
        code, out, _ = self.command("status", "--tag", tag, "--json")
        after = self._cells(tag)
        if code in (0, 1):
            done = json.loads(out)["data"]["totals"]["done"]
            assert len(before) <= done <= len(after), self.story(
                f"status says {done}; {len(before)} to {len(after)} are"
            )
        else:
            assert not before, self.story(f"status sees nothing (exit code {code}), and {len(before)} are complete")

    def _cells(self, tag: str) -> set[Cell]:
        return {done.cell for name, done in self.look().there.items() if name.startswith(f"{tag}/")}

    # --- the end ---

    def finish(self) -> None:
        """Launch all to the end: everything is complete, each experiment once."""
        for launched in self.launches:
            launched.process.wait(PATIENCE)
        self.gather()
        for tag in TAGS[: lane(1, 2)]:
            code, out, err = self.command("launch", "--tag", tag, "--jobs", "2")
            assert code == 0, self.story(out + err)
            assert self._cells(tag) == set(CELLS), self.story("not complete in the end")
            self.agree(tag)
        self.check(self.look())

    def close(self) -> None:
        """End what still runs."""
        for launched in self.launches:
            kill_group(launched.process)


def _completed(store: Store, folder: str) -> Iterator[tuple[str, Done]]:
    """The completed attempts in a folder and below, and the hashes of their files."""
    for name in store.list(folder):
        if name.endswith(f"/{METADATA}"):
            with suppress(FileNotFoundError, DamagedError):
                data = store.get(name)
                metadata = unseal(data)
                if metadata["status"] == "completed":
                    directory = name.removesuffix(f"/{METADATA}")
                    cell = Cell(metadata["algorithm"], metadata["benchmark"], metadata["seed"])
                    results = content_hash(store.get(f"{directory}/{RESULTS}"))
                    yield directory, Done(cell, content_hash(data), results)


def _stacks(pids: list[int]) -> str:
    """Where processes are, if py-spy is installed."""
    spy = Path(sys.executable).with_name("py-spy")
    if not spy.exists():
        return "py-spy is not installed: no stacks"
    return "\n".join(
        subprocess.run([spy, "dump", "--pid", str(pid)], capture_output=True, text=True, check=False).stdout
        for pid in pids
    )
