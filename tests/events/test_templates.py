"""Text with blanks: what it fills, and what it refuses."""

import pytest

from events.templates import BadTemplate, check_template, fill


def test_blanks_are_filled_with_facts() -> None:
    facts = {"title": "Disk <full>", "labels": {"host": "db-1"}, "tags": ["a", "b"]}
    text = fill("{{ title }} on {{ labels.host | upcase }}{% for tag in tags %} #{{ tag }}{% endfor %}", facts)
    assert text == "Disk <full> on DB-1 #a #b"


def test_what_is_missing_is_empty() -> None:
    assert fill("[{{ nothing.at.all }}]", {}) == "[]"


@pytest.mark.parametrize("template", ["{{ title", "{% nonsense %}", "x" * 20_001])
def test_what_cannot_be_read_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        check_template(template)


@pytest.mark.parametrize(
    "template",
    ["{{ a | nofilter }}", "{% for n in (1..100000000) %}x{% endfor %}", "{% include 'secrets' %}", "{% render 'x' %}"],
)
def test_no_template_runs_for_ever_or_reads_another(template: str) -> None:
    with pytest.raises(BadTemplate):
        fill(template, {})


def test_no_template_reaches_into_an_object() -> None:
    assert fill("{{ word.__class__.__mro__ }}{{ word.upper }}", {"word": "x"}) == ""
