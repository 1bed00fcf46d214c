"""Celery: the broker's settings and the beat's schedule.

Tasks take ids only, are idempotent, and have no ETA: rows have `due_at`.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")

from django.conf import settings

app = Celery("csms")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    # For ever: by default a worker ends after a hundred attempts.
    broker_connection_max_retries=None,
    # A task that runs longer than this is delivered a second time (celery#4400); ours end far sooner.
    broker_transport_options={"visibility_timeout": 43_200, "socket_keepalive": True, "health_check_interval": 30},
    # Two installations that share a Redis do not take each other's work.
    task_default_queue=f"csms-{settings.DATABASES['default']['NAME']}",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=600,
    task_soft_time_limit=540,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=1000,
    worker_hijack_root_logger=False,
    timezone="UTC",
    beat_schedule={
        # What nobody did in time needs not be done later: the next is on its way.
        "show that the worker and the beat live": {
            "task": "csms.tasks.heartbeat",
            "schedule": settings.SILENT_AFTER_S / 3,
            "options": {"expires": settings.SILENT_AFTER_S / 3},
        },
        "sweep the outbox": {"task": "billing.tasks.make_charge_records", "schedule": 30.0},
        "tell who comes and goes": {"task": "stations.tasks.notice_presence", "schedule": 15.0, "options": {"expires": 15.0}},
        "send webhooks": {"task": "csms.webhooks.tasks.send", "schedule": 10.0, "options": {"expires": 10.0}},
        "let go of old webhook deliveries": {
            "task": "csms.webhooks.tasks.let_go",
            "schedule": 3600.0,
            "options": {"expires": 3600.0},
        },
        "end commands whose time is over": {"task": "stations.tasks.sweep_commands", "schedule": 10.0},
        "end firmware updates whose time is over": {"task": "stations.tasks.sweep_firmware", "schedule": 10.0},
        "make partitions ahead": {"task": "stations.tasks.make_partitions", "schedule": 3600.0},
        "let go of what is older than its term": {
            "task": "stations.tasks.let_go",
            "schedule": 3600.0,
            "options": {"expires": 3600.0},
        },
        "end logs that will not come": {"task": "stations.tasks.sweep_logs", "schedule": 10.0},
        "let go of logs that are older than their term": {
            "task": "stations.tasks.let_go_of_logs",
            "schedule": 3600.0,
            "options": {"expires": 3600.0},
        },
        "count quarters and days": {
            "task": "stations.tasks.count_quarters",
            "schedule": 900.0,
            "options": {"expires": 900.0},
        },
        "bring roll-outs on": {"task": "stations.tasks.advance_rollouts", "schedule": 5.0, "options": {"expires": 5.0}},
    },
)
app.autodiscover_tasks()
