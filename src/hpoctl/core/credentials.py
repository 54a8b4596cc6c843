"""What looks like a credential, and texts without them: everything that is stored or printed asks here.

A value is a credential if its name says so (`WANDB_API_KEY`, `db_password`), or if it has the form of one: the prefixes
that providers of services document for their tokens, a private key, a password in an address, or a long random text.
A number, a path, a reference such as `$TOKEN` or `$(cat file)` and the name of an environment variable are none.
"""

import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from hpoctl.core.errors import UsageError

HIDDEN = "***"

INSTEAD = (
    "Whatever is said here is stored with the results. Export the value in the shell that launches, where trials and "
    "jobs inherit it, or read it from a file of yours: TOKEN=$(cat ~/.token)."
)
"""What to do instead of giving a credential."""

_NAMES = re.compile(
    r"(?:^|_)(?:token|secret|secrets|password|passwd|passphrase|credential|credentials|apikey|"
    r"(?:api|access|secret|private|signing|encryption|auth|account|service)_key(?:_id)?|auth)(?:_\d+|_value|_key|_id)*$"
)
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_HARMLESS = re.compile(
    r"""
      [-+]?[\d.,:_]*(?:e[-+]?\d+)? | \*+
    | (?i:true|false|yes|no|none|null|on|off|auto|default)
    | (?:~|\.{1,2})?/[\w./~@+-]*  # a path
    | <[^>]*> | \[[^]]*\] | \{[^}]*\}  # the place for a value
    | [A-Z][A-Z0-9]*_[A-Z0-9_]+  # the name of an environment variable
    """,
    re.VERBOSE,
)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_FORMS = re.compile(
    r"""
      \b(?:AKIA|ASIA)[A-Z0-9]{16}\b  # AWS
    | \bgh[pousr]_[A-Za-z0-9]{30,} | \bgithub_pat_\w{22,} | \bglpat-[\w-]{20,}
    | \bhf_[A-Za-z0-9]{30,} | \bsk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,} | \bxox[abeoprs]-[\w-]{10,} | \bAIza[\w-]{35}
    | \bnpm_[A-Za-z0-9]{36} | \bpypi-[\w-]{16,}
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*  # a JSON web token
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----(?:[^-]*-----END[ ][A-Z ]*PRIVATE[ ]KEY-----)?
    | (?<=://)[^\s/:@'"]*:[^\s/@'"]+(?=@)  # an address with a password
    | (?<=\bBearer[ ])[\w.~+/-]{8,}=* | (?<=\bBasic[ ])[\w+/]{8,}=*
    """,
    re.VERBOSE,
)
_RUN = re.compile(r"[A-Za-z0-9+/=_-]{32,}")
_RANDOM = 0.4
"""The least share of neighbouring characters of different kinds in a random text; names and paths have half of it."""

_QUOTED = r""""[^"\n]+"|'[^'\n]+'"""
_ASSIGNED, _ASSIGNED_QUOTED = (
    re.compile(rf"""([A-Za-z_][\w.-]*)["']?\s*[=:]\s*(?=({value}))""")
    for value in (rf"""{_QUOTED}|\$\([^)]*\)|[^\s;,&|"']+""", _QUOTED)
)
"""Names and what is assigned to them, in shells, Python and JSON."""

SHORTEST = 6
"""Characters that a value has at least for which texts are searched."""


def names_credential(name: str) -> bool:
    """Whether a value of this name is a credential, as of `HF_TOKEN` and `apiKey`, unlike `max_tokens`, `tokenizer`."""
    return bool(_NAMES.search(_WORD_ENDS.sub("_", name).strip("_").casefold()))


def is_credential(name: str, value: object) -> bool:
    """Whether a value of some name is one: by the name or by its form, or by what is assigned within it.

    Args:
        name: The name; empty: it has none.
        value: The value; what is not text is not a credential.
    """
    if not isinstance(value, str):
        return False
    return (names_credential(name) and not _harmless(value)) or next(_found(value), None) is not None


def check_values(owner: str, values: Mapping[str, object]) -> None:
    """Refuse values that are credentials, because they would be stored.

    Args:
        owner: Whose values they are, for the message.
        values: The values by name.

    Raises:
        UsageError: One of them is a credential.
    """
    for name, value in values.items():
        if is_credential(name, value):
            raise UsageError(f"{name} of {owner} looks like a credential, which is not stored.", INSTEAD)


def check_words(owner: str, words: Sequence[str]) -> None:
    """Refuse words of a command that are or hold credentials, because they would be stored.

    Raises:
        UsageError: One of them does.
    """
    if concealed_words(words) != list(words):
        raise UsageError(f"{owner} holds what looks like a credential, which is not stored.", INSTEAD)


def check_variable(owner: str, name: str, value: object) -> None:
    """Refuse a value of an option that is secret, unless it names an environment variable that is set.

    Raises:
        UsageError: It is not the name of a variable that is set here.
    """
    if not (isinstance(value, str) and _VARIABLE.fullmatch(value) and value in os.environ):
        raise UsageError(
            f"{name} of {owner} is secret: it takes the name of an environment variable that is set, not the value.",
            f"Export the value, and give the variable's name, as in {name}=MY_TOKEN.",
        )


def concealed(text: str, known: Iterable[str] | None = None) -> str:
    """A text without credentials: those that have the form of one or are quoted after such a name, and known ones.

    Args:
        text: The text, such as a traceback.
        known: Values to look for; None: those of this process's environment and of its command line.
    """
    text = _FORMS.sub(HIDDEN, text)
    text = _RUN.sub(lambda run: HIDDEN if _random(run[0]) else run[0], text)
    for value in sorted(known_credentials() if known is None else known, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return _without_assigned(text, _ASSIGNED_QUOTED)


def concealed_bytes(log: bytes) -> bytes:
    """What a process has printed, without credentials; bytes that are not UTF-8 stay as they are."""
    return concealed(log.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def concealed_words(words: Sequence[str]) -> list[str]:
    """The words of a command line without credentials: also none that is assigned, or follows an option of its name."""
    known = known_credentials(words)
    made = [_without_assigned(concealed(word, known), _ASSIGNED) for word in words]
    return [HIDDEN if place in _after_names(words) else word for place, word in enumerate(made)]


def command_text(words: Sequence[str]) -> str:
    """A command line as it was typed, without credentials."""
    return shlex.join(concealed_words(words))


def known_credentials(words: Sequence[str] | None = None) -> set[str]:
    """The credentials that this process knows: values of its environment, and of a command line.

    Args:
        words: The words of the command line; None: that of this process.
    """
    words = sys.argv[1:] if words is None else words
    found = {value for name, value in os.environ.items() if names_credential(name) and not _harmless(value)}
    found |= {words[place] for place in _after_names(words)}
    for text in (*os.environ.values(), *words):
        found |= set(_found(text))
    return {value for value in found if len(value) >= SHORTEST}


def _after_names(words: Sequence[str]) -> set[int]:
    """The places of words that follow an option whose name says that its value is a credential."""
    return {
        place
        for place, (option, word) in enumerate(pairwise(words), 1)
        if option.startswith("-") and names_credential(option) and not word.startswith("-") and not _harmless(word)
    }


def _found(text: str) -> Iterator[str]:
    """The credentials within a text."""
    yield from (match[0] for match in _FORMS.finditer(text))
    yield from (match[0] for match in _RUN.finditer(text) if _random(match[0]))
    yield from (text[start:end].strip("\"'") for start, end in _assigned(text, _ASSIGNED))


def _assigned(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where credentials begin and end that are assigned to names."""
    for match in pattern.finditer(text):
        if names_credential(match[1]) and not _harmless(match[2].strip("\"'")):
            yield match.span(2)


def _without_assigned(text: str, pattern: re.Pattern[str]) -> str:
    for start, end in reversed(list(_assigned(text, pattern))):
        quote = text[start] if text[start] in "\"'" else ""
        text = f"{text[:start]}{quote}{HIDDEN}{quote}{text[end:]}"
    return text


def _harmless(value: str) -> bool:
    return "$" in value or bool(_HARMLESS.fullmatch(value.strip()))


def _random(text: str) -> bool:
    """Whether a text is as mixed as a random one of small and capital letters and digits."""
    kinds = ["a" if c.islower() else "A" if c.isupper() else "0" if c.isdigit() else "" for c in text]
    if not {"a", "A", "0"} <= set(kinds):
        return False
    pairs = [(left, right) for left, right in pairwise(kinds) if left and right]
    return sum(left != right for left, right in pairs) >= _RANDOM * max(1, len(pairs))
