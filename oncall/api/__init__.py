"""On-call in the REST API, a module a subject."""

from accounts.rest import ActionViewSet
from oncall.api.board import BoardAddressViewSet, BoardViewSet, MyOnCallViewSet, ReportViewSet
from oncall.api.calendars import CalendarFeedViewSet, ImportedCalendarViewSet, ImportedShiftViewSet
from oncall.api.cover import CoverRequestViewSet, LeaveViewSet, ShadowViewSet, SwapViewSet
from oncall.api.duty import DutyStatementViewSet, HandoverViewSet, RateTableViewSet, ShiftSurveyViewSet
from oncall.api.escalations import EscalationViewSet, LedgerRootViewSet, PageViewSet
from oncall.api.policies import EscalationPolicyViewSet
from oncall.api.reaching import ContactMethodViewSet, NotificationRuleViewSet, QuietHoursViewSet
from oncall.api.schedules import OverrideViewSet, ScheduleViewSet
from oncall.api.simulation import PagingTestViewSet, RosterViewSet

routes: list[tuple[str, type[ActionViewSet], str]] = [
    ("schedules", ScheduleViewSet, "schedule"),
    ("overrides", OverrideViewSet, "override"),
    ("cover-requests", CoverRequestViewSet, "cover-request"),
    ("swaps", SwapViewSet, "swap"),
    ("leaves", LeaveViewSet, "leave"),
    ("shadows", ShadowViewSet, "shadow"),
    ("calendar-feeds", CalendarFeedViewSet, "calendar-feed"),
    ("imported-calendars", ImportedCalendarViewSet, "imported-calendar"),
    ("imported-shifts", ImportedShiftViewSet, "imported-shift"),
    ("escalation-policies", EscalationPolicyViewSet, "escalation-policy"),
    ("escalations", EscalationViewSet, "escalation"),
    ("pages", PageViewSet, "page"),
    ("ledger-roots", LedgerRootViewSet, "ledger-root"),
    ("contact-methods", ContactMethodViewSet, "contact-method"),
    ("notification-rules", NotificationRuleViewSet, "notification-rule"),
    ("quiet-hours", QuietHoursViewSet, "quiet-hours"),
    ("handovers", HandoverViewSet, "handover"),
    ("shift-surveys", ShiftSurveyViewSet, "shift-survey"),
    ("rate-tables", RateTableViewSet, "rate-table"),
    ("duty-statements", DutyStatementViewSet, "duty-statement"),
    ("paging-tests", PagingTestViewSet, "paging-test"),
    ("on-call/roster", RosterViewSet, "on-call-roster"),
    ("on-call/board", BoardViewSet, "on-call-board"),
    ("on-call/boards", BoardAddressViewSet, "board-address"),
    ("on-call/me", MyOnCallViewSet, "my-on-call"),
    ("on-call/reports", ReportViewSet, "on-call-report"),
]
