"""The screens of people, teams, keys and settings."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.actions import find_api_key
from accounts.models import ApiKey, Role, Team, User
from tests.factories.accounts import api_key, team, user

pytestmark = pytest.mark.django_db


def signed_in(role: Role = Role.RESPONDER) -> tuple[Client, User]:
    person, client = user(role=role), Client()
    client.force_login(person)
    return client, person


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_settings_lists_what_can_be_set_and_more_for_administrators() -> None:
    responder, _ = signed_in()
    administrator, _ = signed_in(Role.ADMINISTRATOR)
    assert reverse("deliveries") not in text(responder, reverse("accounts:settings"))
    assert reverse("deliveries") in text(administrator, reverse("accounts:settings"))


def test_people_are_filtered_and_searched() -> None:
    client, _ = signed_in()
    ana = user(name="Ana Person", role=Role.MANAGER)
    user(name="Bob Person", is_active=False)
    made = team(ana)
    address = reverse("accounts:people")
    for asked in ("?role=manager", "?q=ana+person", f"?team={made.slug}", "?active=true"):
        html = text(client, address + asked)
        assert "Ana Person" in html
        assert "Bob Person" not in html
    assert "Bob Person" in text(client, address + "?active=false")
    assert client.get(address + "?role=nonsense&page=99&sort=password").status_code == 200


@pytest.mark.parametrize("name", ["people", "teams", "api-keys"])
def test_a_list_needs_as_many_queries_for_ten_rows_as_for_two(name: str) -> None:
    client, _ = signed_in(Role.OWNER)

    def grow(number: int) -> None:
        for _ in range(number):
            person = user()
            team(person)
            api_key(person)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            text(client, reverse(f"accounts:{name}"))
        return len(captured)

    grow(2)
    queries()
    few = queries()
    grow(8)
    assert queries() == few


def test_an_administrator_adds_a_person_and_changes_what_they_may_do() -> None:
    client, _ = signed_in(Role.ADMINISTRATOR)
    given = {"email": "ana@example.com", "name": "Ana", "role": "responder", "time_zone": "Asia/Bangkok"}
    answer = client.post(reverse("accounts:person-invite"), given)
    ana = User.objects.get(email="ana@example.com")
    assert answer.headers["Location"] == reverse("accounts:person", args=[ana.pk])
    client.post(reverse("accounts:person", args=[ana.pk]), {"role": "manager", "is_active": "on"})
    ana.refresh_from_db()
    assert ana.role == Role.MANAGER
    assert "is already here" in client.post(reverse("accounts:person-invite"), given).content.decode()


def test_others_see_people_but_no_form() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana = user()
    html = text(client, reverse("accounts:person", args=[ana.pk]))
    assert ana.email in html
    assert "What they may do" not in html
    assert client.get(reverse("accounts:person-invite")).status_code == 403
    assert client.post(reverse("accounts:person", args=[ana.pk]), {"role": "viewer"}).status_code == 403
    ana.refresh_from_db()
    assert (ana.role, ana.is_active) == (Role.RESPONDER, True)


def test_the_last_owner_is_told_why_they_stay_one() -> None:
    client, owner = signed_in(Role.OWNER)
    answer = client.post(reverse("accounts:person", args=[owner.pk]), {"role": "viewer", "is_active": "on"})
    assert "This is the last owner." in answer.content.decode()


def test_a_manager_makes_a_team_whose_address_comes_from_its_name() -> None:
    client, _ = signed_in(Role.MANAGER)
    ana = user()
    client.post(reverse("accounts:team-new"), {"name": "Payments & Co", "members": [ana.pk]})
    made = Team.objects.get(slug="payments-co")
    assert list(made.members.all()) == [ana]
    assert ana.display_name in text(client, reverse("accounts:team", args=[made.slug]))
    client.post(reverse("accounts:team-edit", args=[made.slug]), {"name": "Payments", "slug": "payments"})
    assert not Team.objects.get(slug="payments").members.exists()
    html = client.post(reverse("accounts:team-new"), {"name": "ทีม"}).content.decode()
    assert "Latin letters" in html


def test_others_may_not_make_teams() -> None:
    client, _ = signed_in()
    assert client.get(reverse("accounts:team-new")).status_code == 403
    assert client.post(reverse("accounts:team-edit", args=[team().slug]), {"name": "x"}).status_code == 403


def test_a_key_is_made_shown_once_and_revoked() -> None:
    client, _ = signed_in()
    answer = client.post(reverse("accounts:api-key-new"), {"name": "Deploys", "scopes": ["read"], "days": "30"})
    html = answer.content.decode()
    key = ApiKey.objects.get()
    secret = html[html.index(f"{key.prefix}.") :].split("<")[0]
    assert find_api_key(secret, timezone.now()) == key
    assert "no-store" in answer["Cache-Control"]
    listed = text(client, reverse("accounts:api-keys"))
    assert key.prefix in listed
    assert secret not in listed
    client.post(reverse("accounts:api-key-revoke", args=[key.pk]))
    assert find_api_key(secret, timezone.now()) is None
    assert "Revoked" in text(client, reverse("accounts:api-keys"))


def test_the_keys_of_others_are_not_there_but_for_administrators() -> None:
    client, _ = signed_in(Role.MANAGER)
    api_key(user())
    key = ApiKey.objects.get()
    assert key.prefix not in text(client, reverse("accounts:api-keys"))
    assert client.post(reverse("accounts:api-key-revoke", args=[key.pk])).status_code == 404
    administrator, _ = signed_in(Role.ADMINISTRATOR)
    assert key.prefix in text(administrator, reverse("accounts:api-keys"))
