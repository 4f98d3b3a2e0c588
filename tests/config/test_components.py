"""The parts of a page: what the tags promise, and what no template may hold."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory

from config.styleguide import PEOPLE, SEVERITIES, STATUSES, SampleFilters, SampleForm
from config.templatetags import ui

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SYMBOLS = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "icons.svg").read_text()))


def render(text: str, path: str = "/", **context: object) -> str:
    request = RequestFactory().get(path)
    return Template("{% load ui lists %}" + text).render(Context({"request": request, **context}))


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    named = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in TEMPLATES
        for name in re.findall(r'{% icon "([^"]+)"|icon="([^"]+)"', path.read_text())
        for name in filter(None, name)
    }
    assert sorted((path, name) for path, name in named if name not in SYMBOLS) == []


def test_every_icon_of_a_state_or_an_entry_is_in_the_sprite() -> None:
    names = {state.icon for state in ui.STATES.values()} | set(ui.ENTRY_ICONS.values()) | set(ui.RINGS.values())
    assert names | set(ui.CATEGORY_RINGS.values()) | set(ui.TONE_ICONS.values()) <= SYMBOLS


# Mail has no policy, and no style sheets to put its styles into.
PAGES = [path for path in TEMPLATES if "mail" not in path.parts]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_no_template_holds_an_inline_style_script_or_handler(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", text)
    assert all("src=" in tag or "json" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_severity_is_told_by_shape_and_word() -> None:
    worst, _, _, least = SEVERITIES
    assert "#severity-4" in ui.severity_badge(worst)
    assert "SEV1 Critical" in ui.severity_badge(worst)
    assert "#severity-1" in ui.severity_badge(least)


def test_the_ring_fills_as_work_goes_on() -> None:
    rings = [ui.ring_of(status) for status in STATUSES]
    assert rings[:5] == ["ring-open", "ring-quarter", "ring-half", "ring-three-quarters", "ring-full"]
    assert rings[-1] == "ring-crossed"


def test_a_name_is_escaped_wherever_it_is_shown() -> None:
    mallory = PEOPLE[0].__class__(7, "<b>Mallory</b>", "<i")
    shown = ui.person(mallory) + ui.avatar(mallory, label=True) + ui.state_badge("firing", "<b>")
    assert "<b>" not in shown
    assert "<i" not in shown


def test_times_are_sent_in_utc_so_that_a_fragment_is_the_same_for_everybody(now: datetime) -> None:
    assert ui.ago(now) == ('<relative-time datetime="2026-03-14T09:26:53Z">2026-03-14 09:26 UTC</relative-time>')
    assert ui.utc_text(datetime.fromisoformat("2026-03-14T16:26:53+07:00")) == "2026-03-14T09:26:53Z"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=45), "45 s"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=1, minutes=5), "1 h 5 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=3), "3 days"),
        (None, "–"),
    ],
)
def test_a_length_of_time_is_said_in_words(length: timedelta | None, words: str) -> None:
    assert ui.duration(length) == words


def test_a_filter_that_is_set_becomes_a_chip_that_removes_only_itself() -> None:
    bar = render(
        "{% filter_bar form count=3 %}",
        "/incidents/?status=fixing&status=triage&sort=-name&page=4",
        form=SampleFilters({"status": ["fixing", "triage"]}),
    )
    assert 'href="?status=triage&amp;sort=-name"' in bar
    assert 'href="?status=fixing&amp;sort=-name"' in bar
    assert '<input type="hidden" name="sort" value="-name">' in bar
    assert "3 results" in bar


def test_a_sorted_column_says_so_and_turns_round() -> None:
    assert 'aria-sort="descending"' in render('{% sort_header "Name" "name" %}', "/?sort=-name")
    assert 'href="?sort=name"' in render('{% sort_header "Name" "name" %}', "/?sort=-name")
    assert 'href="?sort=-name"' in render('{% sort_header "Name" "name" %}', "/?sort=name&page=2")


def test_a_pager_keeps_the_filters() -> None:
    pager = render("{% pager page %}", "/?q=pool&page=2", page=Paginator(range(60), 25).page(2))
    assert 'href="?q=pool&amp;page=1"' in pager
    assert "26–50 of 60" in pager


def test_a_mistake_stands_at_its_field_and_is_tied_to_it() -> None:
    form: forms.Form = SampleForm({"name": ""})
    html = str(form)
    assert 'aria-invalid="true"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html


def test_the_rail_marks_where_one_is() -> None:
    link = '{% nav_link "/alerts/" "Alerts" "bell" but="/alerts/sources/" %}'
    assert "aria-current" in render(link, "/alerts/12/")
    assert "aria-current" not in render(link, "/alerts/sources/")
    assert "aria-current" not in render('{% nav_link "/" "Home" "home" %}', "/alerts/")


def test_a_countdown_carries_its_instant() -> None:
    assert 'until="2026-01-01T00:00:00Z"' in ui.countdown(datetime(2026, 1, 1, tzinfo=UTC))
