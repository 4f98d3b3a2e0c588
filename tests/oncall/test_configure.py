"""Policies and contact methods: who may change them, and what makes no sense."""

from datetime import timedelta

import pytest

from events.errors import Invalid, NotAllowed
from oncall import policies
from oncall.policies import LevelDraft, TargetDraft
from tests.factories import oncall
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
OWNER = TargetDraft("service_owner")


def test_a_responder_may_not_change_policies() -> None:
    with pytest.raises(NotAllowed):
        policies.save_policy(actor=actor(), name="A", slug="a", levels=[oncall.level(user())], now=oncall.LONG_AGO)


@pytest.mark.parametrize(
    ("levels", "repeats", "field"),
    [
        ([], 0, "levels"),
        ([LevelDraft(5)], 0, "levels"),
        ([LevelDraft(5, [TargetDraft("user")])], 0, "levels"),
        ([LevelDraft(5, [TargetDraft("pigeon")])], 0, "levels"),
        ([LevelDraft(5, [TargetDraft("webhook", address="ftp://example.com")])], 0, "levels"),
        ([LevelDraft(5, [TargetDraft("chat", address="file:///etc/passwd")])], 0, "levels"),
        ([LevelDraft(-1, [OWNER])], 0, "levels"),
        ([LevelDraft(5, [OWNER], condition={"fact": "urgency"})], 0, "levels"),
        ([LevelDraft(5, [OWNER])], 1000, "repeats"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_the_field(
    levels: list[LevelDraft], repeats: int, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        policies.save_policy(
            actor=oncall.SYSTEM, name="P", slug="p", levels=levels, repeats=repeats, now=oncall.LONG_AGO
        )
    assert refused.value.field == field


def test_policies_that_would_follow_each_other_in_a_circle_are_refused() -> None:
    last = oncall.policy(oncall.level(user()))
    first = oncall.policy(oncall.level(user()), on_exhausted="policy", next_policy=last)
    for following in (first, last, None):
        with pytest.raises(Invalid) as refused:
            policies.save_policy(
                actor=oncall.SYSTEM,
                policy=last,
                name=last.name,
                slug=last.slug,
                levels=policies.drafts_of(last),
                on_exhausted="policy",
                next_policy=following,
                now=oncall.LONG_AGO,
            )
        assert refused.value.field == "next_policy"
