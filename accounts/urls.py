"""Pages about accounts, beside allauth's."""

from django.urls import path

from accounts.views import links

urlpatterns = [
    path("first-admin/<str:secret>/", links.first_admin, name="first_admin"),
    path("demo/<str:secret>/", links.demo, name="demo"),
]
