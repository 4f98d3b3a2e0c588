"""What follows a commit: once, and never in the way of what is committed."""

from dataclasses import dataclass, field

import pytest
from django.db import transaction

from accounts.models import Team
from events.commit import once_on_commit

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Note:
    """Writes down that it was called; two of one word are equal."""

    word: str
    called: list[str] = field(compare=False)

    def __call__(self) -> None:
        self.called.append(self.word)
        if self.word == "broken":
            raise LookupError("broken")


def test_equal_ones_run_once_after_the_commit() -> None:
    called: list[str] = []
    with transaction.atomic():
        for word in ("one", "two", "one"):
            once_on_commit(Note(word, called))
        assert called == []
    assert called == ["one", "two"]


def test_one_that_breaks_hinders_neither_the_commit_nor_the_others() -> None:
    called: list[str] = []
    with transaction.atomic():
        Team.objects.create(name="Payments", slug="payments")
        once_on_commit(Note("broken", called))
        once_on_commit(Note("after", called))
    assert called == ["broken", "after"]
    assert Team.objects.filter(slug="payments").exists()
