"""What sources call how bad something is, on one scale. Pure."""

HIGHEST, MIDDLE, LOWEST = 1, 3, 5
# From the first, the highest, on.
_NAMES = (
    "critical crit fatal emergency emerg alert disaster page blocker p0 p1 sev0 sev1 s1",
    "error err high major severe p2 sev2 s2",
    "warning warn average medium moderate unknown p3 sev3 s3",
    "minor low notice p4 sev4 s4",
    "info information informational debug ok none trivial p5 sev5 s5",
)
_PRIORITIES = {name: number for number, names in enumerate(_NAMES, HIGHEST) for name in names.split()}


def priority_of(severity: str) -> int:
    """From 1, the highest, to 5; what nobody knows, or nobody told, is in the middle."""
    return _PRIORITIES.get(severity.casefold().strip(), MIDDLE)


def is_loud(severity: str) -> bool:
    """Whether a severity, as a source names it, is one that should wake somebody; one that is not told is."""
    return not severity or priority_of(severity) < MIDDLE
