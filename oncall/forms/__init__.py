"""What people fill in about on-call, a module a subject."""

from oncall.forms.escalations import EscalationForm
from oncall.forms.policies import BaseLevelFormSet, LevelForm, LevelFormSet, PolicyForm, target_choices
from oncall.forms.schedules import OverrideForm, RotationForm, RotationFormSet, ScheduleForm, rotation_initial

__all__ = [
    "BaseLevelFormSet",
    "EscalationForm",
    "LevelForm",
    "LevelFormSet",
    "OverrideForm",
    "PolicyForm",
    "RotationForm",
    "RotationFormSet",
    "ScheduleForm",
    "rotation_initial",
    "target_choices",
]
