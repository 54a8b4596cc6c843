"""Where a result comes from: hpoctl itself, or another program whose result was imported."""

from collections.abc import Mapping
from typing import Any, Literal

ORIGIN = "origin"
"""The entry of the metadata that says it; results of hpoctl itself have none."""

OWN = "hpoctl"
SYNE_TUNE = "imported: syne-tune"

Exchange = Literal["syne-tune"]


def origin_of(metadata: Mapping[str, Any]) -> str:
    """Where a result comes from."""
    return str(metadata.get(ORIGIN) or OWN)
