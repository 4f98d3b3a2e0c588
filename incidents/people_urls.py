"""The addresses of roles, of custom fields, and of what stands around an incident."""

from django.urls import path

from incidents.views import around, declare, people

urlpatterns = [
    path("incidents/declare/by-type/", declare.by_type, name="declare-by-type"),
    path("incidents/<int:number>/roles/", people.role, name="role"),
    path("incidents/<int:number>/roles/take/", people.take_role, name="take-role"),
    path("incidents/<int:number>/roles/leave/", people.leave_role, name="leave-role"),
    path("incidents/<int:number>/fields/", around.fields, name="fields"),
    path("incidents/<int:number>/blast/", around.blast, name="blast"),
    path("incidents/<int:number>/similar/", around.similar, name="similar"),
    path("incidents/<int:number>/services/page/", around.page_service, name="page-service"),
]
