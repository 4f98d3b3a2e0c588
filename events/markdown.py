"""Markdown that people write, as HTML that is safe on every page."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "a", "ul", "ol", "li"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
# What may be wider than its column scrolls, and must do so for a keyboard too.
REACHABLE = {"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}}
SCHEMES = {"http", "https", "mailto", "tel"}

_parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def render(text: str) -> SafeString:
    """CommonMark with tables and strikethrough as HTML. Raw HTML is shown as text, images are left out, links carry
    rel="nofollow noopener noreferrer", and a line break stays one."""
    html = nh3.clean(
        _parser.render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="nofollow noopener noreferrer",
        set_tag_attribute_values=REACHABLE,
    )
    return mark_safe(html.strip())  # noqa: S308 (nh3 has just cleaned it)


def escape_cell(text: str) -> str:
    """Plain words as the content of a Markdown table's cell: on one line, with every mark taken as it stands."""
    line = " ".join(text.split())
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]<>|~&!#" else mark for mark in line)
