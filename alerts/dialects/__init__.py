"""Wire formats: each module turns what one kind of sender posts into normalised events. Pure: bytes in, data out."""

from alerts.dialects import alertmanager, generic
from alerts.dialects.format import Dialect, DialectError, NormalisedEvent

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (generic.DIALECT, alertmanager.DIALECT)}

__all__ = ["DIALECTS", "Dialect", "DialectError", "NormalisedEvent"]
