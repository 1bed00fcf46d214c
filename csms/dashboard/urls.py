"""Addresses of the operators' pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from csms.dashboard import views
from csms.dashboard.login import Login

urlpatterns = [
    path("", views.show_wall, name="wall"),
    path("transactions/<int:pk>/", views.show_transaction, name="transaction"),
    path("login/", Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
