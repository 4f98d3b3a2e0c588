"""The board: who is on call on every schedule, by team, until when, who is next, and whether they can be reached."""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import Team, User
from events.actions import publish
from events.errors import Conflict, Invalid, require
from oncall import permissions
from oncall.models import BoardAddress, ContactMethod, Schedule
from oncall.reaching import proof_state
from oncall.roster import usable_methods
from oncall.standings import Standing, standings

Reach = Literal["proved", "unproved", "unreachable"]


@dataclass(frozen=True)
class OnDuty:
    """Somebody on call: `proved` if it was seen lately that pages reach them, `unreachable` if nothing would ring."""

    person: User
    reach: Reach


@dataclass(frozen=True)
class BoardRow:
    """A schedule on the board: who is on call, and who comes next."""

    standing: Standing
    on_duty: list[OnDuty]
    coming: list[OnDuty]

    @property
    def schedule(self) -> Schedule:
        return self.standing.schedule


@dataclass(frozen=True)
class BoardTeam:
    """The schedules of a team by name; without a team, those that belong to none."""

    team: Team | None
    rows: list[BoardRow]


def board(now: datetime, team: Team | None = None, *, at: datetime | None = None) -> list[BoardTeam]:
    """Every team with its schedules, those without a team last; of one team if it is given.

    Who is on call is told as of `at` (now, unless given), whether they can be reached as it is known at `now`. The
    number of queries does not depend on how many there are.
    """
    ids = None if team is None else set(team.schedules.values_list("pk", flat=True))
    found = standings(at or now, ids)
    methods = usable_methods({person.pk for each in found for person in [*each.people, *each.next_people]})
    teams: dict[int, list[BoardRow]] = defaultdict(list)
    names: dict[int, Team] = {}
    for standing in found:
        on_duty, coming = (
            [OnDuty(person, reach_of(methods.get(person.pk, []), now)) for person in people]
            for people in (standing.people, standing.next_people)
        )
        owner = standing.schedule.team
        if owner is not None:
            names[owner.pk] = owner
        teams[owner.pk if owner else 0].append(BoardRow(standing, on_duty, coming))
    order = sorted(teams, key=lambda pk: (pk == 0, names[pk].name if pk else ""))
    return [BoardTeam(names.get(pk), teams[pk]) for pk in order]


def reach_of(methods: Iterable[ContactMethod], now: datetime) -> Reach:
    """What is known of somebody with these usable methods; a page inside Sitrep alone reaches nobody who is away."""
    rings = [method for method in methods if method.kind != ContactMethod.Kind.WEB]
    if not rings:
        return "unreachable"
    return "proved" if any(proof_state(method, now) == "proved" for method in rings) else "unproved"


# --- Secret addresses -------------------------------------------------------------------------------------------------


def token_hash(token: str) -> str:
    """By which the board behind a secret is found."""
    return hashlib.sha256(token.encode()).hexdigest()


def board_link(address: BoardAddress) -> str:
    """Where the board can be seen without signing in."""
    return settings.PUBLIC_URL + reverse("oncall:board-embed", args=[address.token])


def board_behind(token: str) -> BoardAddress | None:
    """The board behind a secret, if there is one."""
    return BoardAddress.objects.select_related("team").filter(token_hash=token_hash(token)).first()


@transaction.atomic
def add_board_address(*, actor: Actor, name: str, now: datetime, team: Team | None = None) -> BoardAddress:
    """Makes a secret address for a wall screen; of one team if given. Names are all that it shows."""
    require(permissions.can_configure(actor), "Only managers may show the board outside.")
    name = name.strip()
    if not name:
        raise Invalid("A name is needed.", field="name", remedy="Say which screen it is.")
    if BoardAddress.objects.filter(name__iexact=name).exists():
        raise Conflict(f"{name} is taken.", field="name", remedy="Choose another name.")
    token = secrets.token_urlsafe(24)
    address = BoardAddress.objects.create(
        name=name, team=team, token=token, token_hash=token_hash(token), created_by_id=actor.user_id, created_at=now
    )
    publish("board_address.added", subject=address, actor=actor, data={"name": name})
    return address


@transaction.atomic
def remove_board_address(*, actor: Actor, address: BoardAddress) -> None:
    """The address shows nothing any more."""
    require(permissions.can_configure(actor), "Only managers may show the board outside.")
    publish("board_address.removed", subject=address, actor=actor, data={"name": address.name})
    address.delete()
