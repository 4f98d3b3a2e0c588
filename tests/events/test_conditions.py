"""The condition language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.conditions import OPERATORS, BadCondition, check, holds, in_words

FACTS = {
    "severity": "Critical",
    "tier": 1,
    "count": "14",
    "labels": {"team": "payments", "app": ""},
    "labels.dotted": "whole key",
    "tags": ["prod", "eu"],
    "is_test": False,
}


def compare(fact: str, operator: str, value: object = None) -> bool:
    condition = {"fact": fact, "operator": operator, "value": value}
    check(condition)
    return holds(condition, FACTS)


@pytest.mark.parametrize(
    ("fact", "operator", "value", "expected"),
    [
        ("severity", "is", "critical", True),
        ("severity", "is", "error", False),
        ("severity", "is_not", "error", True),
        ("tier", "is", "1", True),
        ("is_test", "is", "false", True),
        ("severity", "one_of", ["error", "critical"], True),
        ("severity", "not_one_of", ["error"], True),
        ("labels.team", "is", "payments", True),
        ("labels.dotted", "is", "whole key", True),
        ("labels.missing", "is", "x", False),
        ("labels.missing", "is_not", "x", True),
        ("labels.missing", "not_one_of", ["x"], True),
        ("tags", "contains", "EU", True),
        ("severity", "contains", "crit", True),
        ("severity", "matches", "^Cri", True),
        ("severity", "matches", "^cri", False),
        ("count", "greater", 9, True),
        ("count", "less", 9, False),
        ("severity", "greater", 9, False),
        ("missing", "greater", 9, False),
        ("severity", "exists", None, True),
        ("labels.app", "exists", None, False),
        ("labels.app", "missing", None, True),
        ("nothing", "missing", None, True),
    ],
)
def test_an_operator_compares(fact: str, operator: str, value: object, expected: bool) -> None:
    assert compare(fact, operator, value) is expected


def test_all_any_and_not_combine() -> None:
    critical = {"fact": "severity", "operator": "is", "value": "critical"}
    other = {"fact": "tier", "operator": "is", "value": 4}
    assert holds({"all": [critical, {"not": other}]}, FACTS)
    assert holds({"any": [other, critical]}, FACTS)
    assert not holds({"all": [critical, other]}, FACTS)
    assert holds({}, FACTS)
    assert holds({"all": []}, FACTS)
    assert not holds({"any": []}, FACTS)


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        ([], "conditions"),
        ({"all": {}}, "conditions.all"),
        ({"all": [], "any": []}, "conditions.all"),
        ({"all": [{}, {"fact": "x"}]}, "conditions.all[1].operator"),
        ({"not": {}, "fact": "x"}, "conditions.not"),
        ({"fact": "", "operator": "is", "value": 1}, "conditions.fact"),
        ({"fact": "x", "operator": "is"}, "conditions.value"),
        ({"fact": "x", "operator": "one_of", "value": "y"}, "conditions.value"),
        ({"fact": "x", "operator": "matches", "value": "("}, "conditions.value"),
        ({"fact": "x", "operator": "matches", "value": "a" * 201}, "conditions.value"),
        ({"fact": "x", "operator": "is", "value": 1, "extra": 2}, "conditions has unknown keys"),
    ],
)
def test_a_condition_outside_the_grammar_is_refused_with_its_place(condition: object, where: str) -> None:
    with pytest.raises(BadCondition) as refused:
        check(condition)
    assert str(refused.value).startswith(where)


leaves = st.fixed_dictionaries(
    {
        "fact": st.sampled_from(["severity", "tier", "labels.team", "tags", "nothing"]),
        "operator": st.sampled_from(sorted(set(OPERATORS) - {"one_of", "not_one_of", "matches"})),
        "value": st.one_of(st.integers(), st.text(max_size=5), st.booleans()),
    }
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=8,
)


@given(conditions)
def test_whatever_the_grammar_allows_has_a_truth_and_words(condition: dict[str, object]) -> None:
    check(condition)
    assert holds(condition, FACTS) is not holds({"not": condition}, FACTS)
    assert in_words(condition)


def test_words_read_as_a_phrase() -> None:
    condition = {
        "all": [
            {"fact": "severity", "operator": "one_of", "value": ["critical", "page"]},
            {"not": {"fact": "service", "operator": "exists"}},
        ]
    }
    assert in_words(condition) == "severity is one of critical, page and not (service is set)"
