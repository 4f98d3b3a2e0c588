"""What people write is shown as they meant it, and can't harm who reads it."""

from html.parser import HTMLParser

import pytest

from events.markdown import escape_cell, render


class Tags(HTMLParser):
    """Collects the tags that a browser would see, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and *slanted*", "<p><strong>bold</strong> and <em>slanted</em></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("~~gone~~ `code`", "<p><s>gone</s> <code>code</code></p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("ระบบขัดข้อง", "<p>ระบบขัดข้อง</p>"),
    ],
)
def test_markdown_becomes_html(text: str, html: str) -> None:
    assert render(text) == html


def test_tables_are_tables() -> None:
    assert "<td>1|2</td>" in render("| a | b |\n| --- | :-: |\n| 1\\|2 | 3 |")


def test_links_leave_no_trace_of_us_and_give_no_credit() -> None:
    link = render("[runbook](https://wiki.example/page?a=1&b=2)")
    assert 'href="https://wiki.example/page?a=1&amp;b=2"' in link
    assert 'rel="nofollow noopener noreferrer"' in link


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://tracker.example/pixel.png)",
        '[x](https://a.example "title\\" onmouseover=\\"alert(1)")',
        "<a href='vbscript:x'>x</a>",
        "<svg/onload=alert(1)>",
        '<https://a.example/" onclick="alert(1)>',
    ],
)
def test_nothing_that_runs_or_calls_home_gets_through(text: str) -> None:
    tags = Tags()
    tags.feed(render(text))
    assert {tag for tag, _ in tags.found} <= {"p", "a", "code"}
    attributes = [pair for _, pairs in tags.found for pair in pairs]
    assert {name for name, _ in attributes} <= {"href", "rel", "title"}
    assert all((value or "").startswith("https://") for name, value in attributes if name == "href")


def test_a_cell_takes_every_mark_as_it_stands() -> None:
    words = "a | *b* <c> [d](e) `f`\n#1 & ~g~"
    table = render(f"| x |\n| - |\n| {escape_cell(words)} |")
    assert "<td>a | *b* &lt;c&gt; [d](e) `f` #1 &amp; ~g~</td>" in table
