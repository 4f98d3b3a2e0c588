"""The addresses of duty: handovers, surveys, hours and pay, reports, boards, one's own on call."""

from django.urls import path

from oncall.views import board, duty, mine, reports

urlpatterns = [
    path("oncall/me/", mine.my_on_call_page, name="me"),
    path("oncall/handovers/", duty.handover_list, name="handovers"),
    path("oncall/handovers/<int:pk>/", duty.handover_detail, name="handover"),
    path("oncall/schedules/<slug:slug>/handover/", duty.handover_note, name="handover-note"),
    path("oncall/surveys/", duty.survey_list, name="surveys"),
    path("oncall/surveys/<int:pk>/", duty.survey_answer, name="survey-answer"),
    path("survey/<str:token>/", duty.survey, name="survey"),
    path("oncall/pay/", duty.statement_list, name="statements"),
    path("oncall/pay/compute/", duty.statements_compute, name="statements-compute"),
    path("oncall/pay/approve/", duty.statements_approve, name="statements-approve"),
    path("oncall/pay/export.csv", duty.statements_export, name="statements-export"),
    path("oncall/pay/rates/", duty.rate_table_list, name="rate-tables"),
    path("oncall/pay/rates/new/", duty.rate_table_form, name="rate-table-new"),
    path("oncall/pay/rates/<int:pk>/", duty.rate_table_form, name="rate-table"),
    path("oncall/pay/rates/<int:pk>/remove/", duty.rate_table_remove, name="rate-table-remove"),
    path("oncall/reports/", reports.reports, name="reports"),
    path("oncall/boards/", board.board_list, name="boards"),
    path("oncall/boards/<int:pk>/remove/", board.board_remove, name="board-remove"),
    path("embed/on-call/<str:token>/", board.board_embed, name="board-embed"),
]
