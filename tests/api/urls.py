"""The API alone, where the project mounts it."""

from django.urls import include, path

urlpatterns = [path("api/", include("csms.api.urls"))]
