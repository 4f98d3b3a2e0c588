"""Before a policy is saved: what changes in the next 90 days, and a question before nobody is reached."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import Role
from oncall import policies
from oncall.foresight import CoverageGetsWorse
from oncall.models import EscalationPolicy
from oncall.policies import LevelDraft, drafts_of, on_call
from oncall.policy_preview import PolicyPreview
from tests.factories import oncall
from tests.factories.accounts import user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def changed(policy: EscalationPolicy, levels: list[LevelDraft], now: datetime, **given: Any) -> EscalationPolicy:
    return policies.save_policy(
        actor=oncall.SYSTEM, policy=policy, name=policy.name, slug=policy.slug, levels=levels, now=now, **given
    )


def previewed(policy: EscalationPolicy, levels: list[LevelDraft], now: datetime) -> PolicyPreview:
    return policies.preview_policy(
        actor=oncall.SYSTEM, policy=policy, name=policy.name, slug=policy.slug, levels=levels, now=now
    )


def test_nothing_changes_when_the_same_is_saved_again(now: datetime) -> None:
    policy = oncall.policy(oncall.level(oncall.schedule(user(), user())), oncall.level(user()))
    preview = previewed(policy, drafts_of(policy), now)
    assert (list(preview.differences), preview.is_worse) == ([], False)


def test_each_level_says_whom_it_would_reach_instead_and_when(now: datetime) -> None:
    ana, bob, dan = user(name="Ana"), user(name="Bob"), user(name="Dan")
    policy = oncall.policy(oncall.level(ana), oncall.level(bob))
    levels = [LevelDraft(5, [on_call(oncall.schedule(ana, dan))]), *drafts_of(policy)[1:]]
    preview = previewed(policy, levels, now)
    first = preview.differences[0]
    assert {each.level for each in preview.differences} == {1}
    assert {(each.difference.before, each.difference.after) for each in preview.differences} == {("Ana", "Dan")}
    assert now <= first.difference.start < first.difference.end <= now + 7 * DAY
    assert not preview.is_worse
    # Nothing was stored.
    assert [target.user_id for target in policy.levels.get(position=0).targets.all()] == [ana.pk]


def test_hours_in_which_nobody_would_be_reached_have_to_be_confirmed(now: datetime) -> None:
    ana = user(name="Ana")
    empty = oncall.schedule()
    policy = oncall.policy(oncall.level(ana))
    levels = [LevelDraft(5, [on_call(empty)])]
    assert previewed(policy, levels, now).is_worse
    with pytest.raises(CoverageGetsWorse) as refused:
        changed(policy, levels, now)
    assert refused.value.code == "coverage_gets_worse"
    assert policy.levels.get().targets.get().user == ana
    changed(policy, levels, now, confirm=True)
    assert policy.levels.get().targets.get().schedule == empty


def test_a_level_that_goes_is_no_gap_while_another_reaches_somebody(now: datetime) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    policy = oncall.policy(oncall.level(ana), oncall.level(bob))
    preview = previewed(policy, drafts_of(policy)[:1], now)
    assert [(each.level, each.difference.after) for each in preview.differences] == [(2, "nobody")]
    assert not preview.is_worse
    changed(policy, drafts_of(policy)[:1], now)
    assert policy.levels.count() == 1


def test_the_api_shows_it_and_asks_for_a_confirmation() -> None:
    client = APIClient()
    client.force_login(user(role=Role.MANAGER))
    policy = oncall.policy(oncall.level(user(name="Ana")))
    address = f"/api/v1/escalation-policies/{policy.slug}/"
    levels = [{"timeout_minutes": 5, "targets": [{"kind": "schedule", "schedule": oncall.schedule().slug}]}]
    shown = client.post(f"{address}preview/", {"levels": levels}, format="json").json()
    assert shown["is_worse"]
    assert [(each["level"], each["before"], each["after"]) for each in shown["changes"]] == [(1, "Ana", "nobody")]
    refused = client.patch(address, {"levels": levels}, format="json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "coverage_gets_worse")
    assert client.patch(address, {"levels": levels, "confirm": True}, format="json").status_code == 200


def test_the_form_shows_it_while_one_writes_and_asks_before_it_saves(client: Client) -> None:
    client.force_login(user(role=Role.MANAGER))
    policy = oncall.policy(oncall.level(user(name="Ana")))
    empty = oncall.schedule()
    given = {
        "name": policy.name,
        "slug": policy.slug,
        "repeats": "0",
        "on_exhausted": "stop",
        "low_urgency": "page",
        "levels-TOTAL_FORMS": "1",
        "levels-INITIAL_FORMS": "1",
        "levels-0-timeout_minutes": "5",
        "levels-0-answers_needed": "1",
        "levels-0-targets": f"schedule:{empty.pk}",
        "levels-0-ORDER": "1",
    }
    shown = client.post(reverse("oncall:policy-preview", args=[policy.slug]), given).content.decode()
    assert "nobody instead of Ana" in shown
    asked = client.post(reverse("oncall:policy-edit", args=[policy.slug]), given)
    assert 'name="confirm"' in asked.content.decode()
    assert policy.levels.get().targets.get().schedule is None
    saved = client.post(reverse("oncall:policy-edit", args=[policy.slug]), {**given, "confirm": "on"})
    assert saved.status_code == 302
    assert policy.levels.get().targets.get().schedule == empty


def test_who_may_not_change_policies_sees_no_preview(client: Client) -> None:
    client.force_login(user(role=Role.RESPONDER))
    policy = oncall.policy(oncall.level(user()))
    assert client.post(reverse("oncall:policy-preview", args=[policy.slug]), {}).status_code == 403
