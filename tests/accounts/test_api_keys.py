"""API keys: made for oneself, kept as a hash, limited by scope, time and their person's role."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.actions import create_api_key, find_api_key, revoke_api_key
from accounts.actor import Actor
from accounts.models import ApiKey, Role, Scope, User
from events.errors import Invalid, NotAllowed
from events.models import Event
from tests.factories.accounts import actor, api_key, user

pytestmark = pytest.mark.django_db


def made(owner: User, now: datetime, **fields: object) -> tuple[ApiKey, str]:
    values: dict[str, object] = {"name": "Deploys", "scopes": [Scope.READ], **fields}
    return create_api_key(actor=Actor.of_user(owner, via="web"), user=owner, now=now, **values)  # type: ignore[arg-type]


def test_the_secret_is_given_once_and_only_its_hash_is_kept(now: datetime) -> None:
    key, secret = made(user(), now)
    assert secret.startswith(f"{key.prefix}.")
    kept = ApiKey.objects.values().get()
    assert secret.partition(".")[2] not in str(kept)
    assert secret.partition(".")[2] not in str(Event.objects.values().get())
    assert find_api_key(secret, now) == key


@pytest.mark.parametrize("scopes", [[], ["everything"], [Scope.READ, "everything"]])
def test_a_key_needs_scopes_that_exist(now: datetime, scopes: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        made(user(), now, scopes=scopes)
    assert refused.value.field == "scopes"


def test_keys_are_made_by_people_for_themselves_never_by_keys(now: datetime) -> None:
    ana = user()
    key, _ = made(ana, now)
    for other in (actor(Role.OWNER), Actor.of_api_key(key), Actor.system()):
        with pytest.raises(NotAllowed):
            create_api_key(actor=other, user=ana, name="x", scopes=[Scope.READ], now=now)


def test_a_key_ends_when_its_time_is_over_it_is_revoked_or_its_person_leaves(now: datetime) -> None:
    ana = user()
    short, short_text = made(ana, now, lifetime=timedelta(days=1))
    _, long_text = made(ana, now)
    assert find_api_key(short_text, now + timedelta(hours=23))
    assert find_api_key(short_text, now + timedelta(days=1)) is None
    assert short.state_at(now + timedelta(days=1)) == "expired"
    revoked = revoke_api_key(actor=Actor.of_user(ana, via="web"), api_key=short, now=now)
    assert revoked.state_at(now) == "revoked"
    assert find_api_key(short_text, now) is None
    User.objects.update(is_active=False)
    assert find_api_key(long_text, now) is None


@pytest.mark.parametrize("text", ["", ".", "sit_0000000000.x", "nonsense"])
def test_what_is_no_key_finds_none(now: datetime, text: str) -> None:
    made(user(), now)
    assert find_api_key(text, now) is None


def test_the_last_use_is_noted_at_most_once_a_minute(now: datetime) -> None:
    key, text = made(user(), now)
    for seconds in (0, 30, 61):
        find_api_key(text, now + timedelta(seconds=seconds))
    key.refresh_from_db()
    assert key.last_used_at == now + timedelta(seconds=61)


def test_one_revokes_ones_own_keys_and_administrators_all(now: datetime) -> None:
    key, _ = made(user(), now)
    with pytest.raises(NotAllowed):
        revoke_api_key(actor=actor(Role.MANAGER), api_key=key, now=now)
    revoke_api_key(actor=actor(Role.ADMINISTRATOR), api_key=key, now=now)
    again = revoke_api_key(actor=actor(Role.ADMINISTRATOR), api_key=key, now=now + timedelta(days=1))
    assert again.revoked_at == now


def test_a_key_does_only_what_its_scopes_and_its_persons_role_allow() -> None:
    def call(role: Role, *scopes: str) -> int:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(user(role=role), *scopes)}")
        body = {"email": f"{role}{len(scopes)}@example.com", "name": "Ana"}
        return int(client.post("/api/v1/users/", body).status_code)

    assert call(Role.OWNER, Scope.ACCOUNTS) == 201
    assert call(Role.OWNER, Scope.READ, Scope.ONCALL) == 403
    assert call(Role.RESPONDER, Scope.ACCOUNTS) == 403


def test_a_wrong_key_is_refused_even_where_a_session_would_do() -> None:
    client = APIClient()
    client.force_login(user())
    assert client.get("/api/v1/me/").status_code == 200
    client.credentials(HTTP_AUTHORIZATION="Bearer sit_0000000000.x")
    answer = client.get("/api/v1/me/")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_the_api_makes_lists_and_revokes_keys_and_shows_a_secret_once() -> None:
    client, ana = APIClient(), user()
    client.force_login(ana)
    api_key(user())
    answer = client.post("/api/v1/api-keys/", {"name": "Deploys", "scopes": ["read"], "days": 30})
    assert answer.status_code == 201, answer.json()
    text = answer.json()["key"]
    assert find_api_key(text, timezone.now())
    [row] = client.get("/api/v1/api-keys/").json()["results"]
    assert "key" not in row
    assert "secret_hash" not in row
    assert client.delete(f"/api/v1/api-keys/{row['id']}/").status_code == 204
    assert find_api_key(text, timezone.now()) is None
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(ana)}")
    assert client.post("/api/v1/api-keys/", {"name": "More", "scopes": ["read"]}).status_code == 403
