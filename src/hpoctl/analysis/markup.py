"""HTML and SVG from Python: text is always escaped; markup has a type that says so."""

import html
from collections.abc import Iterable


class Html(str):
    """Markup that may stand on a page as it is."""

    __slots__ = ()


VOID = frozenset({"meta", "br", "line", "rect", "path", "circle"})
"""Elements that have no content and no end."""


def element(name: str, *children: str | Html | Iterable[str], **attributes: str | float | bool | None) -> Html:
    """An element with its children; text among them is escaped.

    Args:
        name: The name of the element.
        children: Text, markup, or several of them.
        attributes: Attributes, `class_` for `class` and `data_n` for `data-n`; None and False leave one out, True gives
            one without a value.
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID and not children:
        return Html(f"<{name}{shown}/>")
    return Html(f"<{name}{shown}>{joined(children)}</{name}>")


def joined(children: Iterable[str | Html | Iterable[str]]) -> Html:
    """Children one after another."""
    return Html("".join(escaped(child) if isinstance(child, str) else joined(child) for child in children))


def escaped(text: str) -> Html:
    """Text as markup."""
    return text if isinstance(text, Html) else Html(html.escape(text))


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return (
        f" {name}"
        if value is True
        else f' {name}="{html.escape(f"{value:g}" if isinstance(value, float) else str(value))}"'
    )
