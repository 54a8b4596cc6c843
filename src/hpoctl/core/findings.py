"""What a check of the surroundings finds: whether something would stop a launch, and its remedy."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What was looked at, in a word or two.
        verdict: `ok`, `warning` (a launch works, with a limitation), or `problem` (a launch would stop).
        text: What was found, in one line.
        remedy: What to do about it; empty if it is ok.
    """

    subject: str
    verdict: Verdict
    text: str
    remedy: str = ""
