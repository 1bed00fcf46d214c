"""The operators' first page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from csms.dashboard import wall
from csms.dashboard.access import page


@page
def show_wall(request: HttpRequest) -> HttpResponse:
    """Is anything wrong, and what charges?"""
    ws_url = ("wss://" if request.is_secure() else "ws://") + request.get_host()
    return render(request, "dashboard/wall.html", {"wall": wall.wall(), "ws_url": ws_url})
