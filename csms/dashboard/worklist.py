"""What needs a person, as rows for the wall: the reason in words, since when, and the next step. The most urgent come first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from csms.dashboard import chargingwords, commandrows, monitoringwords, securitywords, unbilled
from csms.dashboard.states import STATES, error, label
from csms.dashboard.worktask import Task
from csms.forwarding import selectors as forwardings
from csms.forwarding.models import Forward
from csms.webhooks.models import Webhook
from stations import problems, review
from stations.domain.values import ConnectorStatus, Registration
from stations.models import (
    ChargingProfile,
    Command,
    Connection,
    Connector,
    InstalledCertificate,
    LocalList,
    MonitorEvent,
    MoveStatus,
    NetworkMove,
    SecurityEvent,
    Station,
    Transaction,
)
from stations.selectors import OFFLINE


@dataclass(frozen=True, slots=True)
class Rights:
    """What its reader may do about it. `asks`: the verbs of commands they may ask for."""

    command: bool = False
    change: bool = False
    fetch: bool = False
    bill: bool = False
    price: bool = False
    asks: frozenset[str] = frozenset()


@dataclass(slots=True)
class WorkList:
    """`more` leads on to the whole of a kind of which not all are shown."""

    tasks: list[Task] = field(default_factory=list)
    more: list[tuple[str, str]] = field(default_factory=list)

    def take(self, found: Sequence[Any], tasks: Iterator[Task], words: str, url: str) -> None:
        rows = list(tasks)
        self.tasks += rows[: problems.EACH]
        if len(found) > problems.EACH:
            self.more.append((words, url))


def work(rights: Rights, now: datetime) -> WorkList:
    """The list. Seventeen queries, and one more if sessions could not be billed, each of a bounded number of rows."""
    found = WorkList()
    broken, away, boots = list(problems.faulted(now)), list(problems.offline(now)), list(problems.not_accepted(now))
    alerts = list(problems.alerts())
    sessions, stuck, commands = list(problems.unended(now)), list(problems.stuck(now)), list(problems.fruitless(now))
    stations = reverse("stations")
    found.take(broken, (_faulted(c, rights) for c in broken), _("All faulted chargers"), f"{stations}?status=Faulted")
    found.take(alerts, (_alert(e, rights) for e in alerts), _("All chargers"), stations)
    found.take(away, (_offline(c) for c in away), _("All offline chargers"), f"{stations}?status={OFFLINE}")
    found.take(boots, (_not_accepted(s, rights) for s in boots), _("All chargers"), stations)
    found.take(sessions, (_unended(t, rights) for t in sessions), _("All running sessions"), reverse("sessions") + "?status=active")
    found.take(stuck, (_stuck(c, rights) for c in stuck), _("All plugs that prepare"), f"{stations}?status=Preparing")
    found.take(commands, (_fruitless(c, rights) for c in commands), _("All chargers"), stations)
    alarms, ends = problems.alarming(), problems.ending(now)
    unseen = reverse("security") + "?which=unseen"
    found.take(alarms, (_alarm(event, count) for event, count in alarms), _("All critical security events"), unseen)
    found.take(ends, (_ending(row, count, now, rights) for row, count in ends), _("All chargers"), stations)
    lists, moves = list(problems.refused_lists()), list(problems.astray(now))
    found.take(lists, (_refused_list(one, rights) for one in lists), _("All lists of id tags"), reverse("local_lists"))
    found.take(moves, (_astray(move, rights) for move in moves), _("All chargers"), stations)
    limits = problems.lost_limits(now)
    found.take(limits, (_lost_limit(row, count, rights) for row, count in limits), _("All chargers"), stations)
    if doubted := review.since():
        found.tasks.append(_doubted(doubted))
    billing, more = unbilled.tasks(now, may_correct=rights.bill, may_price=rights.price)
    found.tasks += billing
    if more:
        found.more.append((_("All that could not be billed"), reverse("billing")))
    silent = list(Webhook.objects.exclude(disabled_because="").defer("secret", "old_secret").order_by("-pk")[: problems.EACH + 1])
    found.take(silent, (_switched_off(w) for w in silent), _("Webhooks"), reverse("webhooks"))
    unmirrored = list(forwardings.broken(now).defer("password")[: problems.EACH + 1])
    found.take(unmirrored, (_not_forwarded(f, now) for f in unmirrored), _("Forwarding"), reverse("forwards"))
    found.more = list(dict.fromkeys(found.more))
    return found


def _station(station: Station, anchor: str = "", **query: object) -> str:
    url = reverse("station", args=[station.identity])
    return url + (f"?{urlencode(query)}" if query else "") + anchor


def _plug(connector: Connector) -> str:
    return _("%(station)s plug %(number)s") % {"station": connector.evse.station.identity, "number": label(connector)}


def _ask(rights: Rights, word: str, station: Station, do: str, **query: object) -> tuple[str, str]:
    """A link to the form that asks the charger for it, for those who may."""
    return (word, _station(station, "#do", tab="commands", do=do, **query)) if rights.command else ("", "")


def _step(may: bool, word: str) -> str:
    """What can be done where it leads to; who may not do it may look."""
    return word if may else _("Look at it")


def _faulted(connector: Connector, rights: Rights) -> Task:
    station = connector.evse.station
    whole = station.status == ConnectorStatus.FAULTED
    code = error(connector)
    says = " – ".join(part for part in (code, "" if whole else connector.info) if part)
    reason = _("Faulted: %(error)s") % {"error": says} if says else _("Faulted. It does not say why.")
    step, to = _ask(rights, _("Restart it…"), station, "restart")
    return Task(
        key=f"fault-{connector.pk}",
        slug="faulted",
        name=station.identity if whole else _plug(connector),
        url=_station(station),
        reason=reason,
        since=station.status_at if whole else connector.status_at,
        step=step,
        to=to,
    )


def _alert(event: MonitorEvent, rights: Rights) -> Task:
    """As its station tells it: the component, what of it, and its value."""
    reason = _("%(severity)s: %(what)s is %(value)s.") % {
        "severity": capfirst(str(monitoringwords.severity(event.severity))),
        "what": f"{monitoringwords.where(event)} {monitoringwords.what(event)}",
        "value": event.value[:100] or "–",
    }
    to = _station(event.station, "#events", tab="monitoring")
    name, slug = event.station.identity, monitoringwords.slug(event.severity)
    step = _step(rights.command, _("The alert, close it"))
    return Task(f"alert-{event.pk}", slug, name, _station(event.station), reason, event.since, step, to)


def _offline(connection: Connection) -> Task:
    station, seen_at = connection.station, connection.seen_at
    reason = _("Offline: not heard for more than ten minutes.")
    if behind := connection.behind:  # type: ignore[attr-defined]  # annotated by the selector
        reason = ngettext(
            "This local controller is offline, and with it the %(n)s charger behind it.",
            "This local controller is offline, and with it the %(n)s chargers behind it.",
            behind,
        ) % {"n": behind}
    step, to = _("Its last messages"), _station(station, tab="messages")
    return Task(f"offline-{station.pk}", "offline", station.identity, _station(station), reason, seen_at, step, to)


def _not_accepted(station: Station, rights: Rights) -> Task:
    if station.registration == Registration.PENDING:
        reason = _("It knocks and is told to wait, because it is not accepted yet.")
    else:
        reason = _("It knocks and is turned away, because its registration is Rejected.")
    task = (f"boot-{station.pk}", "waiting", station.identity, _station(station), reason, station.booted_at)
    if not rights.change:
        return Task(*task)
    return Task(*task, step=_("Accept it"), to=reverse("accept_boot", args=[station.identity]), post=True)


def _unended(transaction: Transaction, rights: Rights) -> Task:
    if transaction.free:  # type: ignore[attr-defined]  # annotated by the selector
        reason = _("The session runs on although the plug is free: its end was not reported.")
    else:
        reason = _("The session runs, but nothing was heard of it for hours.")
    number = transaction.evse.number if transaction.evse else transaction.connector_number
    name = _("%(station)s plug %(number)s") % {"station": transaction.station.identity, "number": number}
    heard_at = transaction.heard_at  # type: ignore[attr-defined]  # annotated by the selector
    url = reverse("transaction", args=[transaction.pk])
    step = _step(rights.command, _("Look at the session, stop it"))
    return Task(f"session-{transaction.pk}", "note", name, url, reason, heard_at, step, url)


def _doubted(since: Sequence[datetime]) -> Task:
    """One for all of them: each has what can be done beside it there."""
    n, url = len(since), reverse("review")
    words = ngettext(
        "%(n)s waits for somebody to look at it, and is not billed.", "%(n)s wait for somebody, and are not billed.", n
    )
    shown = f"{n}+" if n >= 2 * review.COUNTED else n
    return Task("review", "note", _("Sessions in doubt"), url, words % {"n": shown}, min(since), _("Put them right"), url)


def _stuck(connector: Connector, rights: Rights) -> Task:
    station, number = connector.evse.station, connector.evse.number
    if connector.status == ConnectorStatus.PREPARING:
        reason = _("Preparing for more than 15 minutes: a car is plugged in, or a card was shown, and nothing starts.")
        step, to = _ask(rights, _("Start charging…"), station, "start", plug=number)
    else:
        reason = _("Finishing for more than 15 minutes: the session is over, and the cable still plugged in.")
        step, to = _ask(rights, _("Unlock the plug…"), station, "unlock", plug=f"{number}.{connector.number}")
    slug = STATES[connector.status].slug
    return Task(f"stuck-{connector.pk}", slug, _plug(connector), _station(station), reason, connector.status_at, step, to)


def _fruitless(command: Command, rights: Rights) -> Task:
    row = commandrows.CommandRow(command, online=True)
    about = f" ({row.about})" if row.about else ""
    reason = f"{row.word}{about}: {row.sentence}"
    to = _station(command.station, f"#command-{command.pk}", tab="commands")
    name, url = command.station.identity, _station(command.station)
    step = _step(rights.command and row.retryable and row.verb in rights.asks, _("The answer, try again"))
    return Task(f"command-{command.pk}", "bad", name, url, reason, command.finished_at, step, to)


def _alarm(event: SecurityEvent, count: int) -> Task:
    """One for each charger, however much it tells."""
    what = securitywords.event(event.type)
    if count == 1:
        reason = _("Security: %(what)s.") % {"what": what}
    else:
        more = ngettext(
            "Security: %(what)s, and %(n)s more that nobody has seen.",
            "Security: %(what)s, and %(n)s more that nobody has seen.",
            count - 1,
        )
        reason = more % {"what": what, "n": count - 1}
    station = event.station
    to = _station(station, "#security-events", tab="security")
    return Task(f"security-{station.pk}", "bad", station.identity, _station(station), reason, event.at, _("Look at it"), to)


def _ending(row: InstalledCertificate, count: int, now: datetime, rights: Rights) -> Task:
    ends = row.not_after
    named = {"name": row.subject or row.serial_number, "day": date_format(ends, "j M Y") if ends else ""}
    if ends is not None and ends <= now:
        reason = _("The certificate %(name)s ended on %(day)s.") % named
    else:
        reason = _("The certificate %(name)s ends on %(day)s.") % named
    if count > 1:
        reason += " " + _("So it is at %(n)s chargers.") % {"n": count}
    to = _station(row.station, "#certificates", tab="security")
    name, url = row.station.identity, _station(row.station)
    return Task(f"certificate-{row.pk}", "note", name, url, reason, None, _step(rights.change, _("Bring another one")), to)


def _refused_list(one: LocalList, rights: Rights) -> Task:
    """The reason is the charger's own, as it stands with the list."""
    reason = _("Its list of id tags is not in step: %(reason)s") % {"reason": one.error or _("the charger refused it.")}
    to = _station(one.station, "#local-list", tab="access")
    name, url = one.station.identity, _station(one.station)
    step = _step(rights.command, _("The list, send it again"))
    return Task(f"list-{one.pk}", "bad", name, url, reason, one.error_at, step, to)


def _lost_limit(row: ChargingProfile, count: int, rights: Rights) -> Task:
    """One for each charger, however many it has lost."""
    named = {"where": chargingwords.where(row.evse_number), "limit": chargingwords.limits(row.wanted or {})}
    reason = _("It accepted a limit and does not hold it any more, perhaps since a restart: %(where)s, %(limit)s.") % named
    if count > 1:
        reason += " " + ngettext("%(n)s more is missing.", "%(n)s more are missing.", count - 1) % {"n": count - 1}
    to = _station(row.station, "#profiles-title", tab="power")
    name, url, step = row.station.identity, _station(row.station), _step(rights.command, _("The limits, set it again or clear it"))
    return Task(f"limits-{row.station_id}", "bad", name, url, reason, row.checked_at, step, to)


def _astray(move: NetworkMove, rights: Rights) -> Task:
    station, finished_at = move.station, move.finished_at
    came = station.connection.connected_at
    back = move.status == MoveStatus.RETURNED or (came is not None and finished_at is not None and came > finished_at)
    if back:
        reason = _("It was led to slot %(slot)s, and came back on its old address: the new one may be wrong.")
    else:
        reason = _("It was led to slot %(slot)s, and was not heard again. If it does not fall back, somebody has to go there.")
    to = _station(station, f"#network-move-{move.pk}", tab="security")
    name, url, step = station.identity, _station(station), _step(rights.change, _("The move, lead it again or back"))
    return Task(f"move-{move.pk}", "bad", name, url, reason % {"slot": move.slot}, finished_at, step, to)


def _switched_off(webhook: Webhook) -> Task:
    """The reason is that of an answer, in English as it stands in the log."""
    reason = _("The webhook was switched off: %(reason)s") % {"reason": webhook.disabled_because}
    to = reverse("webhook", args=[webhook.pk])
    return Task(f"webhook-{webhook.pk}", "bad", str(webhook), to, reason, webhook.failing_since, _("Its deliveries, resume"), to)


def _not_forwarded(forward: Forward, now: datetime) -> Task:
    to = reverse("forward", args=[forward.pk])
    if forwardings.is_served(forward, now):
        reason = _("Chargers could not be forwarded to it for more than ten minutes.")
        since = forward.failing  # type: ignore[attr-defined]  # annotated by the selector
    else:
        reason, since = _("Nothing is forwarded: the process that does it is not running."), forward.served_at
    return Task(f"forward-{forward.pk}", "bad", forward.name, to, reason, since, _("Which, and why"), to)
