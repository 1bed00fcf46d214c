"""What billing cannot get on with, as rows of the wall's work list: the cause, since when, and what to do about it."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import ledger
from billing.ledger import NO_PRICE, NO_TARIFF, Failure
from csms.dashboard.worktask import Task
from stations.models import OutboxEntry

#: More are not counted, and more that failed are not told of one by one.
MOST, EACH = ledger.LOOKED_AT, 10


def tasks(now: datetime, *, may_correct: bool, may_price: bool) -> tuple[list[Task], bool]:
    """One row for all that lack a tariff, one for those that lack a price, one for each that failed; and whether there are more of
    these. Two queries and one more if some failed, each of a bounded number of rows.
    """
    tried = ledger.tried()
    found = [
        *_without(tried.get(NO_TARIFF, []), "tariff", may_price),
        *_without([one for one in tried.get(NO_PRICE, []) if one.created_at < now - ledger.PRICE_MAY_TAKE], "price", may_price),
    ]
    failed = tried.get("", [])
    if failed:
        found += [_failed(one, may_correct) for one in ledger.failures(failed[:EACH])]
    if (since := ledger.behind(now)) is not None:
        found.append(_behind(since))
    return found, len(failed) > EACH


def _url() -> str:
    return reverse("billing") + "#waits-title"


def _task(key: str, slug: str, name: str, reason: str, since: datetime, step: str, to: str, url: str = "") -> Task:
    return Task(f"unbilled-{key}", slug, name, url or _url(), reason, since, step, to)


def _without(entries: list[OutboxEntry], what: str, may_price: bool) -> Iterator[Task]:
    if not entries:
        return
    n = len(entries)
    shown = {"n": f"{n}+" if n >= MOST else n}
    if what == "tariff":
        words = ngettext(
            "%(n)s session is not billed: no tariff applies to it.", "%(n)s sessions are not billed: no tariff applies to them.", n
        )
        step, to = _("Add or assign one"), reverse("tariffs")
    else:
        words = ngettext(
            "%(n)s session is not billed: the market's price is missing.",
            "%(n)s sessions are not billed: the market's price is missing.",
            n,
        )
        step, to = _("Put prices in"), reverse("price_series")
    yield _task(
        what,
        "note",
        _("Billing"),
        words % shown,
        min(one.created_at for one in entries),
        step if may_price else _("Look at it"),
        to,
    )


def _failed(one: Failure, may_correct: bool) -> Task:
    """The reason is the job's own, in English as it stands with the session."""
    reason = _("It could not be billed: %(error)s") % {"error": one.error[:200]}
    name = one.transaction.station.identity if one.transaction else _("Session %(id)s") % {"id": one.pk}
    step = _("Put it right, try again") if may_correct else _("Look at it")
    url = reverse("transaction", args=[one.pk]) if one.transaction else _url()
    return _task(str(one.pk), "bad", name, reason, one.since, step, _url(), url)


def _behind(since: datetime) -> Task:
    reason = _("Sessions have ended and are not billed: billing is behind, or no worker is running.")
    return _task("behind", "bad", _("Billing"), reason, since, _("Look at it"), _url())
