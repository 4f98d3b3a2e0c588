"""Two questions after a shift: who is asked, who may answer, and what managers see of it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.actor import Actor
from accounts.models import Role, User
from events.actions import deliver_due
from events.errors import Invalid, NotAllowed
from oncall.duty import hand_over
from oncall.models import Override, Schedule, ShiftSurvey
from oncall.surveys import answer_survey, results_of, survey_link
from tests.factories import oncall
from tests.factories.accounts import actor, api_key, user

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 16, 9, tzinfo=UTC)


def asked(person: User, *, ended: datetime | None = None, schedule: Schedule | None = None) -> ShiftSurvey:
    end = ended or timezone.now() - timedelta(hours=2)
    return ShiftSurvey.objects.create(
        schedule=schedule or oncall.schedule(person, name=f"Schedule of {person}", slug=f"of-{person.pk}"),
        user=person,
        shift_start=end - timedelta(days=7),
        shift_end=end,
        asked_at=end,
    )


def acting(person: User) -> Actor:
    return Actor.of_user(person, via="web")


def token_of(survey: ShiftSurvey) -> str:
    return survey_link(survey.pk).rstrip("/").rpartition("/")[2]


def test_whoever_goes_is_asked_once() -> None:
    ana, bob = user(), user()
    oncall.schedule(bob, ana)
    hand_over(MONDAY)
    hand_over(MONDAY + timedelta(minutes=1))
    survey = ShiftSurvey.objects.get()
    assert (survey.user, survey.shift_start, survey.shift_end) == (ana, MONDAY - timedelta(days=7), MONDAY)


def test_a_favour_of_three_hours_is_no_shift_and_nobody_is_asked_twice_a_week() -> None:
    ana, bob = user(), user()
    schedule = oncall.schedule(bob, ana)
    start = MONDAY + timedelta(days=1)
    Override.objects.create(schedule=schedule, user=ana, starts_at=start, ends_at=start + timedelta(hours=3))
    hand_over(MONDAY)
    hand_over(start)
    hand_over(start + timedelta(hours=3))
    # Bob was asked when Ana came to help; Ana neither about the three hours nor twice in a week.
    assert list(ShiftSurvey.objects.order_by("id").values_list("user", flat=True)) == [ana.pk, bob.pk]


def test_the_mail_leads_to_the_questions_without_signing_in() -> None:
    ana = user(name="Ana Ferreira", time_zone="Asia/Bangkok")
    oncall.schedule(user(), ana, name="Primary on call")
    hand_over(MONDAY)
    deliver_due(timezone.now())
    [message] = [each for each in mail.outbox if each.to == [ana.email]]
    assert message.subject == "How was your shift on Primary on call?"
    assert "16 March, 16:00 +07" in message.body
    found = re.search(r"/survey/\S+", str(message.body))
    assert found is not None
    client = Client()
    assert "How was your shift?" in client.get(found.group()).content.decode()
    answer = client.post(found.group(), {"score": "2", "what_hurt": "The disk, every night."})
    assert answer.status_code == 302
    assert "Thank you" in client.get(answer.headers["Location"]).content.decode()
    survey = ShiftSurvey.objects.get()
    assert (survey.score, survey.what_hurt) == (2, "The disk, every night.")


def test_a_scanner_that_follows_the_link_answers_nothing() -> None:
    survey = asked(user())
    Client().get(reverse("oncall:survey", args=[token_of(survey)]) + "?score=1")
    survey.refresh_from_db()
    assert survey.answered_at is None


def test_a_forged_link_shows_nothing() -> None:
    survey = asked(user())
    assert Client().get(reverse("oncall:survey", args=[token_of(survey) + "x"])).status_code == 404
    other = reverse("oncall:survey", args=[token_of(survey).replace(":", "-")])
    assert Client().post(other, {"score": "1"}).status_code == 404


def test_only_whoever_had_the_shift_answers_and_within_the_scale() -> None:
    ana = user()
    survey = asked(ana)
    now = timezone.now()
    with pytest.raises(NotAllowed):
        answer_survey(actor=acting(user(role=Role.OWNER)), survey=survey, score=5, now=now)
    with pytest.raises(Invalid, match="1 to 5"):
        answer_survey(actor=acting(ana), survey=survey, score=6, now=now)
    assert answer_survey(actor=acting(ana), survey=survey, score=4, now=now).answered_at == now
    assert answer_survey(actor=acting(ana), survey=survey, score=5, now=now).score == 5


def test_managers_see_averages_and_what_hurt_without_names() -> None:
    ana = user(name="Ana Ferreira")
    schedule = oncall.schedule(ana, name="Primary", slug="primary")
    now = timezone.now()
    for weeks, score in ((1, 2), (6, 5)):
        survey = asked(ana, ended=now - timedelta(weeks=weeks), schedule=schedule)
        answer_survey(actor=acting(ana), survey=survey, score=score, what_hurt=f"Noise {score}", now=now)
    asked(ana, ended=now - timedelta(weeks=12), schedule=schedule)
    results = results_of(schedule, actor(Role.MANAGER), now)
    assert (results.average, results.answers, results.asked) == (3.5, 2, 3)
    assert [month.average for month in results.months] == [None, 5.0, 2.0]
    with pytest.raises(NotAllowed):
        results_of(schedule, actor(), now)
    client = Client()
    client.force_login(user(role=Role.MANAGER))
    assert "3.5" in client.get(reverse("oncall:surveys")).content.decode()
    html = client.get(reverse("oncall:surveys") + "?results=primary").content.decode()
    assert "Noise 2" in html
    assert "Ana Ferreira" not in html
    client.force_login(user())
    assert "Noise 2" not in client.get(reverse("oncall:surveys") + "?results=primary").content.decode()


def test_the_list_asks_the_same_for_ten_surveys_as_for_two() -> None:
    ana = user(role=Role.MANAGER)
    client = Client()
    client.force_login(ana)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("oncall:surveys")).status_code == 200
        return len(captured)

    schedule = oncall.schedule(ana)
    for weeks in range(2):
        asked(ana, ended=timezone.now() - timedelta(weeks=weeks + 1), schedule=schedule)
    queries()
    few = queries()
    for weeks in range(2, 10):
        asked(ana, ended=timezone.now() - timedelta(weeks=weeks + 1), schedule=schedule)
    assert queries() == few


def test_a_person_sees_and_answers_their_own_on_screen() -> None:
    ana = user()
    survey = asked(ana)
    client = Client()
    client.force_login(ana)
    assert survey.schedule.name in client.get(reverse("oncall:surveys")).content.decode()
    client.post(reverse("oncall:survey-answer", args=[survey.pk]), {"score": "5"})
    survey.refresh_from_db()
    assert survey.score == 5
    client.force_login(user())
    assert client.get(reverse("oncall:survey-answer", args=[survey.pk])).status_code == 404


def test_the_api_answers_ones_own_and_gives_managers_the_results() -> None:
    ana = user()
    survey = asked(ana)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(ana)}")
    address = f"/api/v1/shift-surveys/{survey.pk}/answer/"
    assert client.post(address, {"score": 3, "what_hurt": "Noise"}).json()["score"] == 3
    assert client.get("/api/v1/shift-surveys/").json()["results"][0]["what_hurt"] == "Noise"
    results = f"/api/v1/shift-surveys/results/?schedule={survey.schedule.slug}"
    averages = "/api/v1/shift-surveys/averages/"
    assert client.get(results).status_code == client.get(averages).status_code == 403
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {api_key(user(role=Role.MANAGER))}")
    assert client.get("/api/v1/shift-surveys/").json()["results"] == []
    assert client.get(results).json()["average"] == 3.0
    assert client.get(averages).json() == [{"schedule": survey.schedule.slug, "average": 3.0, "answers": 1, "asked": 1}]
    assert client.get("/api/v1/shift-surveys/results/?schedule=none").status_code == 404


def test_a_survey_waits_on_home_and_on_my_on_call_until_it_is_answered(client: Client) -> None:
    ana, bob = user(name="Ana"), user(name="Bob")
    survey = asked(ana)
    link = f'href="{reverse("oncall:survey-answer", args=[survey.pk])}"'
    for address in ("/", reverse("oncall:me")):
        client.force_login(ana)
        assert link in client.get(address).content.decode()
        client.force_login(bob)
        assert link not in client.get(address).content.decode()
    answer_survey(actor=acting(ana), survey=survey, score=4, now=timezone.now())
    client.force_login(ana)
    assert link not in client.get("/").content.decode()
