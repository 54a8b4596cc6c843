"""The names of blobs: relative, joined by single slashes, the same on a disk and on S3."""

import re

from hpoctl.core.errors import UsageError

BAD = re.compile(r"[\\\0\ud800-\udfff]")
"""What no name may contain: a letter that separates or ends names somewhere, or half of one (a surrogate)."""


def check_blob_name(name: str, root: object) -> list[str]:
    """The parts of a name.

    Args:
        name: The name.
        root: Below which root, for the message.

    Raises:
        UsageError: It is no name.
    """
    parts = name.split("/")
    if any(part in {"", ".", ".."} or BAD.search(part) for part in parts):
        raise UsageError(f"{name!r} is not a name below {root}.", "Use names joined by single slashes.")
    return parts
