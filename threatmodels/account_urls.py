"""Pages below /accounts that know of threat models."""

from django.urls import path

from threatmodels.views import account_data

urlpatterns = [
    path("data/", account_data.export, name="account_export"),
    path("delete/", account_data.delete, name="account_delete"),
]
