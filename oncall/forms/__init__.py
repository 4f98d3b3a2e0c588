"""What people fill in about on-call, a module a subject."""

from oncall.forms.schedules import (
    ChangeForm,
    OverrideForm,
    RotationForm,
    RotationFormSet,
    ScheduleForm,
    rotation_initial,
)

__all__ = [
    "ChangeForm",
    "OverrideForm",
    "RotationForm",
    "RotationFormSet",
    "ScheduleForm",
    "rotation_initial",
]
