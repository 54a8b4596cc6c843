"""Text from names, errors and logs, made safe to print: a terminal obeys what it should only show."""


def printable(text: str, keep: str = "") -> str:
    r"""The text with every character that cannot be printed shown by its code, such as `\x1b`.

    Escape sequences, bells, direction overrides, zero-width characters and lone surrogates are such characters.

    Args:
        text: The text.
        keep: Characters that are kept although they cannot be printed, such as a newline.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else _code(char) for char in text)


def one_line(text: str, most: int = 300) -> str:
    """The text in one printable line of at most `most` characters, and `...` where it is longer."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _code(char: str) -> str:
    return " " if char.isspace() and ord(char) >= 0x80 else char.encode("unicode_escape").decode()
