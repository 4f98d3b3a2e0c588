"""On-call in the REST API, a module a subject."""

from accounts.rest import ActionViewSet
from oncall.api.board import BoardAddressViewSet, BoardViewSet, MyOnCallViewSet, ReportViewSet
from oncall.api.duty import DutyStatementViewSet, HandoverViewSet, RateTableViewSet, ShiftSurveyViewSet
from oncall.api.escalations import EscalationViewSet, PageViewSet
from oncall.api.policies import EscalationPolicyViewSet
from oncall.api.reaching import ContactMethodViewSet, NotificationRuleViewSet, QuietHoursViewSet
from oncall.api.schedules import OverrideViewSet, ScheduleViewSet

routes: list[tuple[str, type[ActionViewSet], str]] = [
    ("schedules", ScheduleViewSet, "schedule"),
    ("overrides", OverrideViewSet, "override"),
    ("escalation-policies", EscalationPolicyViewSet, "escalation-policy"),
    ("escalations", EscalationViewSet, "escalation"),
    ("pages", PageViewSet, "page"),
    ("contact-methods", ContactMethodViewSet, "contact-method"),
    ("notification-rules", NotificationRuleViewSet, "notification-rule"),
    ("quiet-hours", QuietHoursViewSet, "quiet-hours"),
    ("handovers", HandoverViewSet, "handover"),
    ("shift-surveys", ShiftSurveyViewSet, "shift-survey"),
    ("rate-tables", RateTableViewSet, "rate-table"),
    ("duty-statements", DutyStatementViewSet, "duty-statement"),
    ("on-call/board", BoardViewSet, "on-call-board"),
    ("on-call/boards", BoardAddressViewSet, "board-address"),
    ("on-call/me", MyOnCallViewSet, "my-on-call"),
    ("on-call/reports", ReportViewSet, "on-call-report"),
]
