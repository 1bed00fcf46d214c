"""Celery: the broker's settings and the beat's schedule.

Tasks take ids only, are idempotent, and have no ETA: rows have `due_at`.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")

from django.conf import settings

#: What is done again and again: the job, and after how many seconds.
EVERY: dict[str, tuple[str, float]] = {
    "show that the worker and the beat live": ("csms.tasks.heartbeat", settings.SILENT_AFTER_S / 3),
    "sweep the outbox": ("billing.tasks.make_charge_records", 30.0),
    "price sessions anew": ("billing.tasks.advance_rebillings", 5.0),
    "let go of old market prices": ("billing.tasks.let_go_of_prices", 3600.0),
    "check what meters signed": ("billing.tasks.check_signed_readings", 30.0),
    "let go of what meters signed of no session": ("stations.tasks.let_go_of_signed_readings", 3600.0),
    "make receipts": ("billing.tasks.make_receipts", 30.0),
    "put a month's receipts into files": ("csms.tasks.make_receipt_files", 10.0),
    "let go of old files of receipts": ("csms.tasks.let_go_of_receipt_files", 3600.0),
    "tell who comes and goes": ("stations.tasks.notice_presence", 15.0),
    "send webhooks": ("csms.webhooks.tasks.send", 10.0),
    "let go of old webhook deliveries": ("csms.webhooks.tasks.let_go", 3600.0),
    "end commands whose time is over": ("stations.tasks.sweep_commands", 10.0),
    "end firmware updates whose time is over": ("stations.tasks.sweep_firmware", 10.0),
    "make partitions ahead": ("stations.tasks.make_partitions", 3600.0),
    "let go of what is older than its term": ("stations.tasks.let_go", 3600.0),
    "end logs that will not come": ("stations.tasks.sweep_logs", 10.0),
    "let go of logs that are older than their term": ("stations.tasks.let_go_of_logs", 3600.0),
    "let go of how often findings were made": ("stations.tasks.let_go_of_finding_days", 3600.0),
    "count quarters and days": ("stations.tasks.count_quarters", 900.0),
    "look at transactions that are due": ("stations.tasks.watch_transactions", 15.0),
    "forget what strangers sent as a password": ("stations.tasks.forget_sent", 900.0),
    "forget who was turned away long ago, or is nobody": ("stations.tasks.forget_refusals", 60.0),
    "bring lists of id tags in step": ("stations.tasks.bring_lists_in_step", 5.0),
    "keep lists of id tags": ("stations.tasks.keep_lists", 60.0),
    "give up reports of which pages are missing": ("stations.tasks.sweep_reports", 10.0),
    "read device models": ("stations.tasks.read_device_models", 10.0),
    "let go of what stations noticed": ("stations.tasks.let_go_of_events", 3600.0),
    "let go of old connections": ("stations.tasks.let_go_of_connections", 3600.0),
    "let go of what stations told of customers": ("stations.tasks.let_go_of_customers", 3600.0),
    "have certificates signed": ("stations.tasks.sign_certificates", 10.0),
    "let go of old security events": ("stations.tasks.let_go_of_security_events", 3600.0),
    "let go of certificates that are there no more": ("stations.tasks.let_go_of_certificates", 3600.0),
    "tell running costs to displays": ("stations.tasks.tell_running_costs", 60.0),
    "let go of messages that displays showed": ("stations.tasks.let_go_of_display_messages", 3600.0),
    "bring commands for many on": ("stations.tasks.advance_command_runs", 2.0),
    "let go of charging profiles whose session is over": ("stations.tasks.sweep_charging_profiles", 10.0),
    "bring roll-outs on": ("stations.tasks.advance_rollouts", 5.0),
    "end reservations whose time is over": ("stations.tasks.sweep_reservations", 5.0),
    "lead chargers to their new network profiles": ("stations.tasks.advance_network_moves", 5.0),
}

#: While so many tasks wait, the worker is away or behind: no more are added of those that come round again. Otherwise a day without
#: a worker would fill Redis, and then keep the worker from what is new. So a call for work is old after so many seconds, too.
MOST_WAITING, OLD_S = 100, 60

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
    beat_scheduler="csms.beat:Scheduler",
    # What nobody did in time needs not be done later: the next is on its way.
    beat_schedule={
        name: {"task": task, "schedule": seconds, "options": {"expires": seconds}} for name, (task, seconds) in EVERY.items()
    },
)
app.autodiscover_tasks()
