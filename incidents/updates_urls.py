"""The addresses of updates, of following, of things to do now and of the brief."""

from django.urls import path

from incidents.views import stakeholders, todo, updates

urlpatterns = [
    path("incidents/unfollow/<str:token>/", updates.unfollow_by_link, name="unfollow-by-link"),
    path("incidents/<int:number>/brief/", stakeholders.brief, name="brief"),
    path("incidents/<int:number>/updates/starts/", updates.starts, name="update-starts"),
    path("incidents/<int:number>/updates/correct/", updates.correct, name="correct-update"),
    path("incidents/<int:number>/updates/<int:pk>/form/", updates.correct_form, name="update-form"),
    path("incidents/<int:number>/timer/", updates.timer, name="timer"),
    path("incidents/<int:number>/follow/", updates.follow, name="follow"),
    path("incidents/<int:number>/unfollow/", updates.unfollow, name="unfollow"),
    path("incidents/<int:number>/todo/", todo.add, name="todo"),
    path("incidents/<int:number>/todo/assign/", todo.assign, name="todo-assign"),
    path("incidents/<int:number>/todo/done/", todo.done, name="todo-done"),
    path("incidents/<int:number>/todo/reopen/", todo.reopen, name="todo-reopen"),
    path("incidents/<int:number>/todo/remove/", todo.remove, name="todo-remove"),
    path("incidents/<int:number>/checklist/tick/", todo.tick, name="checklist-tick"),
    path("incidents/<int:number>/checklist/untick/", todo.untick, name="checklist-untick"),
]
