"""The addresses of workflows and their runs."""

from django.urls import path

from workflows import hook_urls
from workflows.views import detail, editing, exchange, lists, runs, trying

app_name = "workflows"

urlpatterns = [
    *hook_urls.urlpatterns,
    path("workflows/", lists.workflow_list, name="list"),
    path("workflows/new/", editing.workflow_new, name="new"),
    path("workflows/new/edit/", editing.workflow_edit, name="create"),
    path("workflows/import/", exchange.workflow_import, name="import"),
    path("workflows/export/", exchange.workflow_export, name="export"),
    path("workflows/runs/", runs.run_list, name="runs"),
    path("workflows/runs/<int:pk>/", runs.run_detail, name="run"),
    path("workflows/runs/<int:pk>/cancel/", runs.run_cancel, name="run-cancel"),
    path("workflows/runs/<int:pk>/again/", runs.run_again, name="run-again"),
    path("workflows/parts/preview/", trying.preview, name="preview"),
    path("workflows/parts/try/", trying.draft_try, name="draft-try"),
    path("workflows/parts/steps/", editing.step_new, name="step-new"),
    path("workflows/parts/steps/<slug:key>/", editing.step_form, name="step-form"),
    path("workflows/parts/steps/<slug:key>/copy/", editing.step_copy, name="step-copy"),
    path("workflows/<slug:slug>/", detail.workflow_detail, name="detail"),
    path("workflows/<slug:slug>/edit/", editing.workflow_edit, name="edit"),
    path("workflows/<slug:slug>/json/", editing.workflow_json, name="json"),
    path("workflows/<slug:slug>/try/", trying.workflow_try, name="try"),
    path("workflows/<slug:slug>/switch/", lists.workflow_switch, name="switch"),
    path("workflows/<slug:slug>/move/", lists.workflow_move, name="move"),
    path("workflows/<slug:slug>/remove/", lists.workflow_remove, name="remove"),
    path("workflows/<slug:slug>/rotate-token/", lists.workflow_rotate, name="rotate"),
    path("workflows/<slug:slug>/start/", runs.workflow_start, name="start"),
    path("workflows/<slug:slug>/versions/", detail.version_list, name="versions"),
    path("workflows/<slug:slug>/versions/<int:number>/", detail.version_detail, name="version"),
    path("workflows/<slug:slug>/versions/<int:number>/restore/", detail.version_restore, name="version-restore"),
]
