"""The edges: whatever speaks to the outside, and the settings of the whole."""

from csms.celery import app as celery_app

__all__ = ["celery_app"]
