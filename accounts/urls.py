"""The addresses of people, teams, keys and settings."""

from django.urls import path

from accounts.views import api_keys, people, saved_views, settings, teams

app_name = "accounts"

urlpatterns = [
    path("settings/", settings.settings_index, name="settings"),
    path("settings/api-keys/", api_keys.api_key_list, name="api-keys"),
    path("settings/api-keys/new/", api_keys.api_key_new, name="api-key-new"),
    path("settings/api-keys/<int:pk>/revoke/", api_keys.api_key_revoke, name="api-key-revoke"),
    path("views/save/", saved_views.view_save, name="view-save"),
    path("views/<int:pk>/remove/", saved_views.view_remove, name="view-remove"),
    path("people/", people.people_list, name="people"),
    path("people/invite/", people.person_invite, name="person-invite"),
    path("people/<int:pk>/", people.person_detail, name="person"),
    path("teams/", teams.team_list, name="teams"),
    path("teams/new/", teams.team_form, name="team-new"),
    path("teams/<slug:slug>/", teams.team_detail, name="team"),
    path("teams/<slug:slug>/edit/", teams.team_form, name="team-edit"),
]
