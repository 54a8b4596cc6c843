"""What a launch refuses before it begins: a root out of reach, a tag that is probably a typo, results that differ."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from hpoctl.core.entries import LauncherEntry
from hpoctl.core.errors import UsageError
from hpoctl.core.storage import Store
from hpoctl.ops.launching.reconcile import Mixed
from hpoctl.ops.studies.config import Root


def check_root(launcher: LauncherEntry, root: Root) -> None:
    """Refuse a root that the launcher's jobs cannot reach."""
    where = root.store.location("")
    if not where.startswith(launcher.root):
        hint = launcher.root_hint or f"{launcher.root}..."
        raise UsageError(f"Jobs on {launcher.name} cannot write results to {where}.", f"Add --results {hint}.")


def check_new_tag(tag: str, store: Store) -> None:
    """Refuse to launch the default study under a tag that is probably meant to be another one.

    Raises:
        UsageError: `hpoctl run` or an import has made the tag, or there is a tag of nearly the same name.
    """
    name_it = "Name the study with --study, or add --yes to launch the default one under this tag."
    if any(not name.startswith(".") for name in store.folders(tag)):
        raise UsageError(f"Tag {tag} has results, but no study was launched under it.", name_it)
    tags = [name for name in store.folders("") if not name.startswith(".")]
    close = get_close_matches(tag, tags, n=1, cutoff=0.75)
    if close and _without_numbers(close[0]) != _without_numbers(tag):
        raise UsageError(
            f"There is nothing of tag {tag}, and no study is named.", f"Did you mean {close[0]}? {name_it}"
        )


def _without_numbers(tag: str) -> str:
    return re.sub(r"\d+", "", tag)  # docs-2 after docs-1 is no mistake


def mixed_results(tag: str, mixed: Sequence[Mixed]) -> UsageError:
    """The error where complete results would not be made again as they are."""
    count = sum(len(group.cells) for group in mixed)
    shown = "; ".join(_difference_text(group) for group in mixed[:3])
    more = f"; and {len(mixed) - 3} more kinds of differences" if len(mixed) > 3 else ""
    return UsageError(
        f"Tag {tag} has {count} complete results that this launch would not make again as they are: {shown}{more}.",
        "Name another --tag, give the same options and versions as before, or add --allow-mixed to keep both.",
    )


def _difference_text(group: Mixed) -> str:
    what = ", ".join(_short(text) for text in group.differences[:3])
    more = f" and {len(group.differences) - 3} more" if len(group.differences) > 3 else ""
    return f"{len(group.cells)} such as {group.cells[0]} ({what}{more})"


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:157]}..."
