"""What does not work is told to whoever looks at a page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.handlers.exception import response_for_exception
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import Operator, User
from csms import health, troubles
from csms.jobs import HEARTBEAT
from csms.models import Job
from stations.models import OutboxEntry


@pytest.fixture(autouse=True)
def nothing_wrong() -> Iterator[None]:
    troubles._since.clear()
    yield
    troubles._since.clear()


def test_several_witnesses_of_one_trouble_are_one_line_with_its_beginning_until_the_last_is_content() -> None:
    earlier = datetime(2026, 1, 1, tzinfo=UTC)
    troubles.began(troubles.REDIS, "ear")
    troubles.began(troubles.REDIS, "voice", earlier)
    troubles.began(troubles.REDIS, "voice")
    assert [(trouble.kind, trouble.since) for trouble in troubles.present()] == [("redis", earlier)]
    troubles.ended(troubles.REDIS, "voice")
    assert len(troubles.present()) == 1
    troubles.ended(troubles.REDIS, "ear")
    assert troubles.present() == []


def test_every_page_says_what_does_not_work_and_since_when(db: None, client: Client) -> None:
    operator = Operator.objects.create(name="Amber Grid")
    client.force_login(User.objects.create_user("ada@example.org", "charge-it-all-night", operator=operator, role="owner"))
    assert "does not answer" not in client.get("/").content.decode()
    troubles.began(troubles.REDIS, "ear", datetime(2026, 3, 4, 5, 6, tzinfo=UTC))
    for address in ("/", "/stations/"):
        page = client.get(address).content.decode()
        assert "Redis does not answer." in page
        assert "March 4, 2026, 5:06 a.m." in page


def test_jobs_that_are_late_are_told_until_they_are_done(db: None) -> None:
    operator = Operator.objects.create(name="Amber Grid")
    due = timezone.now() - timedelta(minutes=10)
    with scopes_disabled():
        entry = OutboxEntry.objects.create(
            operator=operator, topic="t", subscriber="billing", object_id=1, created_at=due, due_at=timezone.now(), error=""
        )
        health.look_at_jobs()
        assert troubles.present() == []
        OutboxEntry.objects.filter(pk=entry.pk).update(due_at=due)
        health.look_at_jobs()
        assert [(trouble.kind, trouble.since) for trouble in troubles.present()] == [("jobs", due)]
        entry.delete()
    health.look_at_jobs()
    assert troubles.present() == []


def test_a_worker_or_a_beat_that_falls_silent_is_told_and_one_never_started_is_not(db: None) -> None:
    now = timezone.now()
    ago = now - timedelta(minutes=10)
    for sent_at, finished_at, since in [(None, None, None), (now, None, None), (now, ago, ago), (ago, now, ago), (now, now, None)]:
        Job.objects.update_or_create(name=HEARTBEAT, defaults={"sent_at": sent_at, "finished_at": finished_at})
        health.look_at_jobs()
        assert [(trouble.kind, trouble.since) for trouble in troubles.present()] == ([("jobs", since)] if since else [])
    Job.objects.all().delete()
    health.look_at_jobs()
    assert troubles.present() == []


def test_a_page_without_a_database_is_503_and_an_error_of_ours_stays_500() -> None:
    def answer(path: str, error: Exception) -> tuple[int, str]:
        try:
            raise error
        except Exception as raised:
            response = response_for_exception(RequestFactory().get(path), raised)
        return response.status_code, response.content.decode()

    status, page = answer("/", OperationalError("connection refused"))
    assert status == 503
    assert "The database does not answer" in page
    status, problem = answer("/api/v1/stations/", OperationalError("connection refused"))
    assert (status, '"status": 503' in problem) == (503, True)
    assert answer("/", ValueError("a bug"))[0] == 500
