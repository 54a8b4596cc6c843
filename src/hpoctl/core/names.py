"""Grammars of names of tags, entries and blobs, and tags made up for people."""

import re

import numpy as np

from hpoctl.core.errors import UsageError

TAG = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
ENTRY = re.compile(r"[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*")
MAX_LENGTH = 63
GAP = re.compile(r"[^A-Za-z0-9]+")
SEPARATORS = frozenset("-_.")

# fmt: off
_ADJECTIVES = [
    "amber", "bold", "brisk", "calm", "clear", "crisp", "deep", "eager", "early", "fair", "fine", "fleet", "fresh",
    "glad", "golden", "grand", "green", "keen", "kind", "light", "lively", "lucid", "mellow", "neat", "noble",
    "plain", "quick", "quiet", "ready", "round", "sharp", "silver", "sleek", "smart", "soft", "sound", "spry",
    "steady", "still", "stout", "sunny", "swift", "tidy", "true", "vivid", "warm", "wide", "wise", "young",
]
_NOUNS = [
    "acorn", "alder", "aspen", "badger", "beech", "birch", "bison", "brook", "cedar", "cliff", "cloud", "comet",
    "crane", "delta", "dune", "eagle", "ember", "falcon", "fern", "finch", "fjord", "fox", "gull", "harbor", "hare",
    "hazel", "heron", "hill", "island", "ivy", "lake", "lark", "lynx", "maple", "marsh", "meadow", "moss", "oak",
    "orchid", "osprey", "otter", "owl", "pine", "plover", "raven", "reef", "ridge", "river", "robin", "rowan",
    "sparrow", "spruce", "stone", "swan", "willow", "wren",
]
# fmt: on


def check_tag(tag: str) -> str:
    """The tag itself, if it is one: letters, digits and single dashes, at most 63 characters.

    Raises:
        UsageError: The tag breaks the grammar.
    """
    return _check("tag", tag, TAG, "Use letters, digits and single dashes between them, as in docs-2")


def check_entry_name(kind: str, name: str) -> str:
    """The name of a method, benchmark or other entry, if it is one.

    Raises:
        UsageError: The name breaks the grammar: letters and digits with single `-`, `_` or `.` between them.
    """
    return _check(kind, name, ENTRY, "Use letters and digits with single '-', '_' or '.' between them")


def _check(kind: str, name: str, grammar: re.Pattern[str], advice: str) -> str:
    if len(name) > MAX_LENGTH:
        shown = f"{name[:20]}..."
        raise UsageError(f"The {kind} {shown!r} has {len(name)} characters.", f"Use at most {MAX_LENGTH}.")
    if not grammar.fullmatch(name):
        raise UsageError(f"{name!r} is not a {kind}.", f"{advice}.")
    return name


def made_up_tag(rng: np.random.Generator) -> str:
    """A tag that a person can read and say, such as `brisk-otter-417`."""
    adjective, noun = _ADJECTIVES[rng.integers(len(_ADJECTIVES))], _NOUNS[rng.integers(len(_NOUNS))]
    return f"{adjective}-{noun}-{rng.integers(100, 1000)}"


def legal_name(stem: str, otherwise: str) -> str:
    """A file's name as the name of an entry: what a name may not have becomes a dash; `otherwise` if none is left."""
    name = GAP.sub(lambda gap: gap[0] if gap[0] in SEPARATORS else "-", stem).lstrip("-_.")
    return name[:MAX_LENGTH].rstrip("-_.") or otherwise


BAD = re.compile(r"[\\\0\ud800-\udfff]")
"""What no name may contain: a letter that separates or ends names somewhere, or half of one (a surrogate)."""


def check_blob_name(name: str, root: object) -> list[str]:
    """The parts of a name.

    Args:
        name: The name.
        root: Below which root, for the message.

    Raises:
        UsageError: It is not a name.
    """
    parts = name.split("/")
    if any(part in {"", ".", ".."} or BAD.search(part) for part in parts):
        raise UsageError(f"{name!r} is not a name below {root}.", "Use names joined by single slashes.")
    return parts
