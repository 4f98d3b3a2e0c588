"""The addresses of escalations, of the simulator and of paging tests."""

from django.urls import path

from oncall.views import escalations, paging_tests, simulator

urlpatterns = [
    path("oncall/escalations/", escalations.escalation_list, name="escalations"),
    path("oncall/escalations/<int:pk>/", escalations.escalation_detail, name="escalation"),
    path("oncall/escalations/<int:pk>/acknowledge/", escalations.escalation_acknowledge, name="escalation-acknowledge"),
    path("oncall/escalations/<int:pk>/decline/", escalations.escalation_decline, name="escalation-decline"),
    path("oncall/escalations/<int:pk>/escalate/", escalations.escalation_escalate, name="escalation-escalate"),
    path("oncall/escalations/<int:pk>/reassign/", escalations.escalation_reassign, name="escalation-reassign"),
    path("oncall/escalations/<int:pk>/responders/", escalations.escalation_help, name="escalation-help"),
    path("oncall/escalations/<int:pk>/snooze/", escalations.escalation_snooze, name="escalation-snooze"),
    path("oncall/escalations/<int:pk>/again/", escalations.escalation_again, name="escalation-again"),
    path("oncall/escalations/<int:pk>/resolve/", escalations.escalation_resolve, name="escalation-resolve"),
    path("oncall/simulator/", simulator.simulator, name="simulator"),
    path("oncall/paging-tests/", paging_tests.paging_test_list, name="paging-tests"),
    path("oncall/paging-tests/new/", paging_tests.paging_test_form, name="paging-test-new"),
    path("oncall/paging-tests/check/", paging_tests.paging_test_check, name="paging-tests-check"),
    path("oncall/paging-tests/<int:pk>/check/", paging_tests.paging_test_check, name="paging-test-check"),
    path("oncall/paging-tests/<int:pk>/", paging_tests.paging_test_form, name="paging-test"),
    path("oncall/paging-tests/<int:pk>/remove/", paging_tests.paging_test_remove, name="paging-test-remove"),
]
