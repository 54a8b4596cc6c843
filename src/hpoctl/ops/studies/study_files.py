"""Study files: a study as TOML, for people to write and to keep under version control."""

import re
from pathlib import Path

import tomli_w

from hpoctl.core.errors import UsageError
from hpoctl.core.names import MAX_LENGTH
from hpoctl.core.study import Study
from hpoctl.core.study_table import study_from_table, study_table
from hpoctl.core.toml_files import read_toml

GAP = re.compile(r"[^A-Za-z0-9]+")
SEPARATORS = frozenset("-_.")


def load_study(path: Path) -> Study:
    """The study in a file. One without a name is called after the file.

    Raises:
        UsageError: The file is missing, not TOML, or describes no study.
    """
    try:
        table = read_toml(path)
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no study file {path}.", "Check the path, or take a name that `hpoctl studies` lists."
        ) from error
    return study_from_table(table, where=str(path), name=legal_name(path.stem, "study"))


def study_toml(study: Study) -> str:
    """The study as the text of a file; `load_study` reads an equal one from it."""
    return tomli_w.dumps(study_table(study))


def legal_name(stem: str, otherwise: str) -> str:
    """A file's name as the name of an entry: what a name may not have becomes a dash; `otherwise` if none is left."""
    name = GAP.sub(lambda gap: gap[0] if gap[0] in SEPARATORS else "-", stem).lstrip("-_.")
    return name[:MAX_LENGTH].rstrip("-_.") or otherwise
