"""The addresses of on-call."""

from django.urls import path

from oncall import duty_urls, escalation_urls, schedule_urls
from oncall.views import answer, kept_mail, now, phone, policies, profile, push

app_name = "oncall"

urlpatterns = [
    *duty_urls.urlpatterns,
    *escalation_urls.urlpatterns,
    *schedule_urls.urlpatterns,
    path("p/<str:token>/", answer.answer, name="answer"),
    path("p/<str:token>/act/", answer.act, name="answer-act"),
    path("prove/<str:token>/", answer.prove, name="prove"),
    path("twilio/sms/", phone.sms, name="twilio-sms"),
    path("twilio/voice/<str:reference>/", phone.voice, name="twilio-voice"),
    path("twilio/status/<str:reference>/", phone.status, name="twilio-status"),
    path("service-worker.js", push.service_worker, name="service-worker"),
    path("manifest.webmanifest", push.manifest, name="manifest"),
    path("oncall/", now.now_page, name="now"),
    path("oncall/pages/", now.my_pages, name="pages"),
    path("oncall/policies/", policies.policy_list, name="policies"),
    path("oncall/policies/new/", policies.policy_form, name="policy-new"),
    path("oncall/policies/<slug:slug>/", policies.policy_detail, name="policy"),
    path("oncall/policies/<slug:slug>/edit/", policies.policy_form, name="policy-edit"),
    path("oncall/policies/<slug:slug>/preview/", policies.policy_preview, name="policy-preview"),
    path("oncall/policies/<slug:slug>/remove/", policies.policy_remove, name="policy-remove"),
    path("settings/profile/", profile.profile, name="profile"),
    path("settings/contact-methods/add/", profile.contact_method_add, name="contact-method-add"),
    path("settings/contact-methods/push/", push.subscribe, name="push-subscribe"),
    path("settings/contact-methods/push/renew/", push.renew, name="push-renew"),
    path("settings/contact-methods/<int:pk>/code/", profile.contact_method_code, name="contact-method-code"),
    path("settings/contact-methods/<int:pk>/verify/", profile.contact_method_verify, name="contact-method-verify"),
    path("settings/contact-methods/<int:pk>/secret/", profile.contact_method_secret, name="contact-method-secret"),
    path("settings/contact-methods/<int:pk>/row/", profile.contact_method_row, name="contact-method-row"),
    path("settings/notification-rules/<str:urgency>/", profile.rules_save, name="rules-save"),
    path("settings/quiet-hours/", profile.quiet_hours_save, name="quiet-hours-save"),
    path("settings/contact-methods/<int:pk>/switch/", profile.contact_method_switch, name="contact-method-switch"),
    path("settings/contact-methods/<int:pk>/remove/", profile.contact_method_remove, name="contact-method-remove"),
    path("settings/contact-methods/<int:pk>/test/", profile.contact_method_test, name="contact-method-test"),
    path("settings/mail/", kept_mail.mail_list, name="mails"),
    path("settings/mail/<str:name>/", kept_mail.mail_detail, name="mail"),
]
