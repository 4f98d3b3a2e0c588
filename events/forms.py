"""How an action's refusal reaches the form that asked for it."""

from collections.abc import Callable
from typing import TypeVar

from django.forms import BaseForm

from events.errors import Conflict, Invalid

T = TypeVar("T")


def try_action(form: BaseForm, action: Callable[[], T]) -> T | None:
    """What the action returns, or None when it said Invalid or Conflict: the form then shows why, at the field that the
    error names. What is not allowed or not there passes on to the error page."""
    try:
        return action()
    except (Invalid, Conflict) as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return None
