"""Which alerts a search of Opsgenie's finds (its language: alerts/opsgenie/query.py)."""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce

from django.db.models import Q

from alerts.dialects.format import short_key
from alerts.models import Alert
from alerts.opsgenie.query import BadQuery, Both, Node, Not, Term, parse_query
from oncall.models import Escalation

SUFFIXES = {":": "", "<": "__lt", "<=": "__lte", ">": "__gt", ">=": "__gte"}
DAY = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})(?:T(\d{2}):(\d{2})(?::(\d{2}))?)?")
MILLISECONDS = re.compile(r"\d{10}(\d{3})?")
HIGHEST = 2**31 - 1


def found_by(text: str, now: datetime) -> Q:
    """What to filter alerts by; raises BadQuery with the reason."""
    node = parse_query(text)
    return _asked(node, now) if node is not None else Q()


def _asked(node: Node, now: datetime) -> Q:
    if isinstance(node, Not):
        return ~_asked(node.node, now)
    if isinstance(node, Both):
        return reduce(operator.and_ if node.kind == "AND" else operator.or_, (_asked(each, now) for each in node.nodes))
    if node.sign == "!=":
        return ~_asked(Term(node.field, ":", node.value), now)
    return _compared(node) or _held(node, now)


def _compared(term: Term) -> Q | None:
    """A condition on a number or a time; None if its field is neither."""
    name = term.field.lower()
    if name in NUMBERS:
        return Q(**{f"{NUMBERS[name]}{SUFFIXES[term.sign]}": _number(term)})
    return _at(TIMES[name], term) if name in TIMES else None


def _held(term: Term, now: datetime) -> Q:
    """A condition on what only can be or not be."""
    name = term.field.lower()
    if term.sign != ":":
        raise BadQuery(f"{term.field} can't be compared by {term.sign}")
    if name.startswith("details."):
        return Q(attributes__details__contains={term.field.partition(".")[2]: term.value})
    if name == "snoozed":
        return _either(term, Q(escalation__snoozed_until__gt=now))
    asked = FIELDS.get(name)
    if asked is None:
        known = ", ".join(sorted({*FIELDS, *NUMBERS, *TIMES, "snoozed", "details.<key>"} - {""}))
        raise BadQuery(f"{term.field} is not a field that can be searched; use one of {known}")
    return asked(term)


def _number(term: Term) -> int:
    if not term.value.isascii() or not term.value.isdecimal() or int(term.value) > HIGHEST:
        raise BadQuery(f"{term.field} is compared with a number")
    return int(term.value)


def _at(name: str, term: Term) -> Q:
    """A time, in milliseconds since 1970 or as dd-mm-yyyy, in UTC; a day alone is all of it."""
    day = DAY.fullmatch(term.value)
    try:
        if day:
            parts = [int(part or 0) for part in (day[3], day[2], day[1], day[4], day[5], day[6])]
            instant = datetime(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], tzinfo=UTC)
        elif MILLISECONDS.fullmatch(term.value):
            instant = datetime.fromtimestamp(int(term.value) / (1000 if len(term.value) > 10 else 1), UTC)
        else:
            instant = datetime.fromisoformat(term.value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        remedy = "milliseconds since 1970 or as dd-mm-yyyy"
        raise BadQuery(f"{term.value!r} is not a time; send {remedy}") from error
    if term.sign == ":" and day and not day[4]:
        return Q(**{f"{name}__date": instant.date()})
    return Q(**{f"{name}{SUFFIXES[term.sign]}": instant})


def _either(term: Term, asked: Q) -> Q:
    """`field: true` or `field: false`; what there is not, as where nobody is paged, is false."""
    if term.value.lower() not in {"true", "false"}:
        raise BadQuery(f"{term.field} is true or false")
    found = Alert.objects.filter(asked).values("pk")
    return Q(pk__in=found) if term.value.lower() == "true" else ~Q(pk__in=found)


def _words(*names: str) -> Callable[[Term], Q]:
    """Text that holds the words, whatever their case; a trailing star changes nothing."""

    def asked(term: Term) -> Q:
        words = term.value.removesuffix("*")
        return reduce(operator.or_, (Q(**{f"{name}__icontains": words}) for name in names))

    return asked


def _called(*names: str) -> Callable[[Term], Q]:
    """One of these is it, whatever its case; with a trailing star it begins so."""

    def asked(term: Term) -> Q:
        how = "istartswith" if term.value.endswith("*") else "iexact"
        value = term.value.removesuffix("*")
        return reduce(operator.or_, (Q(**{f"{name}__{how}": value}) for name in names))

    return asked


def _status(term: Term) -> Q:
    statuses = {"open": Alert.Status.FIRING, "closed": Alert.Status.RESOLVED}
    if term.value.lower() not in statuses:
        raise BadQuery("status is open or closed")
    return Q(status=statuses[term.value.lower()])


def _priority(term: Term) -> Q:
    if not re.fullmatch("[Pp][1-5]", term.value):
        raise BadQuery("priority is one of P1, P2, P3, P4, P5")
    return Q(priority=int(term.value[1]))


def _alias(term: Term) -> Q:
    if term.value.endswith("*"):
        return Q(dedup_key__startswith=term.value.removesuffix("*"))
    return Q(dedup_key=short_key(term.value))


def _tag(term: Term) -> Q:
    if term.value.endswith("*"):
        raise BadQuery("a tag is searched for as a whole")
    return Q(tags__contains=[term.value])


def _id(term: Term) -> Q:
    return Q(pk=_number(term))


def _acknowledged(term: Term) -> Q:
    return _either(term, Q(escalation__status=Escalation.Status.ACKNOWLEDGED))


FIELDS: dict[str, Callable[[Term], Q]] = {
    "": _words("title", "description", "dedup_key"),
    "status": _status,
    "priority": _priority,
    "message": _words("title"),
    "description": _words("description"),
    "alias": _alias,
    "tag": _tag,
    "tags": _tag,
    "id": _id,
    "alertid": _id,
    "tinyid": _id,
    "acknowledged": _acknowledged,
    "isseen": _acknowledged,
    "owner": _called("assigned_to__email", "assigned_to__name"),
    "team": _called("team__slug", "team__name"),
    "teams": _called("team__slug", "team__name"),
    "responders": _called("team__slug", "team__name"),
    "service": _called("service__slug", "service__name", "service_named"),
    "entity": _called("attributes__entity"),
    "source": _called("attributes__source", "source__name"),
    "integration.name": _called("source__name"),
}
NUMBERS: dict[str, str] = {"count": "count"}
TIMES: dict[str, str] = {
    "createdat": "first_event_at",
    "lastoccurredat": "last_event_at",
    "updatedat": "last_event_at",
}
