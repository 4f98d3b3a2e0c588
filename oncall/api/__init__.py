"""On-call in the REST API, a module a subject."""

from accounts.rest import ActionViewSet
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
]
