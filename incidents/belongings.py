"""What moves along when an incident becomes part of another, and back. Higher apps register what is theirs.

    @moves_along("alerts", back=take_back)
    def move(source: Incident, target: Incident) -> list[int]: ...

Both run in the transaction of the merge, with both incidents locked. `back` is given what `move` returned.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from incidents.models import Incident, IncidentAction, IncidentFollower, IncidentLink, IncidentService, RoleAssignment

Rows = QuerySet[Any]
Move = Callable[[Incident, Incident], list[int]]
TakeBack = Callable[[Incident, Incident, Sequence[int]], None]


@dataclass(frozen=True)
class Belonging:
    """Something that moves: what it is called, in the plural, and how it goes and comes back."""

    name: str
    move: Move
    take_back: TakeBack


_belongings: dict[str, Belonging] = {}


def moves_along(name: str, *, back: TakeBack) -> Callable[[Move], Move]:
    """Registers what moves, under a name in the plural that the timeline tells. It is stored: never change it."""

    def register(move: Move) -> Move:
        _belongings[name] = Belonging(name, move, back)
        return move

    return register


def move_all(source: Incident, target: Incident) -> dict[str, list[int]]:
    """Moves everything, and returns the ids of what moved by its name."""
    moved = {name: belonging.move(source, target) for name, belonging in _belongings.items()}
    return {name: ids for name, ids in moved.items() if ids}


def take_all_back(source: Incident, target: Incident, moved: dict[str, list[int]]) -> None:
    """Takes back just what `move_all` has moved, as far as it is still there."""
    for name, belonging in _belongings.items():
        if moved.get(name):
            belonging.take_back(source, target, moved[name])


def in_words(moved: dict[str, list[int]]) -> str:
    """Such as "2 alerts, 1 role"; nothing where nothing moved. Who follows is nobody else's business."""
    counted = {name: len(ids) for name, ids in moved.items() if name in _belongings and name != "followers"}
    return ", ".join(
        f"{count} {name.replace('_', ' ') if count != 1 else name.replace('_', ' ').removesuffix('s')}"
        for name, count in counted.items()
    )


def move_rows(rows: Rows, source: Incident, target: Incident, *, same: str = "") -> list[int]:
    """Gives rows with a foreign key `incident` to the target, but for those whose `same` it has already."""
    own = rows.filter(incident=source)
    if same:
        own = own.exclude(**{f"{same}__in": rows.filter(incident=target).values(same)})
    ids = sorted(own.values_list("pk", flat=True))
    rows.model._default_manager.filter(pk__in=ids).update(incident=target)
    return ids


def take_rows_back(rows: Rows, source: Incident, target: Incident, ids: Iterable[int], *, same: str = "") -> None:
    """Gives those of the rows back that are still the target's, but for those whose `same` the source has by now."""
    there = rows.model._default_manager.filter(pk__in=list(ids), incident=target)
    if same:
        taken = list(rows.filter(incident=source).values_list(same, flat=True))
        there = there.exclude(**{f"{same}__in": taken})
    there.update(incident=source)


def _register(name: str, rows: Callable[[], Rows], same: str = "") -> None:
    def back(source: Incident, target: Incident, ids: Sequence[int]) -> None:
        take_rows_back(rows(), source, target, ids, same=same)

    @moves_along(name, back=back)
    def move(source: Incident, target: Incident) -> list[int]:
        return move_rows(rows(), source, target, same=same)


_register("roles", lambda: RoleAssignment.objects.filter(ended_at=None), "role_id")
_register("services", IncidentService.objects.all, "service_id")
_register("actions", lambda: IncidentAction.objects.filter(done_at=None))
_register("links", IncidentLink.objects.all, "url")
_register("followers", IncidentFollower.objects.all, "user_id")


def _take_streams_back(source: Incident, target: Incident, ids: Sequence[int]) -> None:
    Incident.objects.filter(pk__in=ids, parent=target).update(parent=source)


@moves_along("streams", back=_take_streams_back)
def _move_streams(source: Incident, target: Incident) -> list[int]:
    ids = sorted(Incident.objects.filter(parent=source).values_list("pk", flat=True))
    Incident.objects.filter(pk__in=ids).update(parent=target)
    return ids


def _take_pages_back(source: Incident, target: Incident, ids: Sequence[int]) -> None:
    pages = list(target.escalations.filter(pk__in=ids))
    target.escalations.remove(*pages)
    source.escalations.add(*pages)
    source.escalations.filter(pk__in=ids).update(is_private=source.is_private)


@moves_along("escalations", back=_take_pages_back)
def _move_pages(source: Incident, target: Incident) -> list[int]:
    known = set(target.escalations.values_list("pk", flat=True))
    pages = [escalation for escalation in source.escalations.order_by("pk") if escalation.pk not in known]
    source.escalations.remove(*pages)
    target.escalations.add(*pages)
    ids = [escalation.pk for escalation in pages]
    target.escalations.filter(pk__in=ids).update(is_private=target.is_private)
    return ids
