"""The work of local lists: a job that brings stations in step with what belongs there, and may run twice at once or be killed.

A change of a tag is one row, numbered once it is committed. A list that was not brought up to the newest number is due; each that
is due is looked at when its station is there, and what differs is sent. A tag that may charge no more goes before everything else.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import IdToken
from stations import locallists, outbox, selectors, topics
from stations.domain import commands
from stations.domain.locallists import Limits
from stations.models import IdTokenChange, LeftOff, ListBook, ListState, LocalList
from stations.services import commands as life
from stations.services.localauthlist import SUBSCRIBER, assign, written
from stations.services.locallistcontent import Builder

#: Lists looked at in one run, and how many may be under way at once where nothing is urgent.
LOOKED_AT, UNDER_WAY = 1000, 200
#: How long our commands wait for a station that was there just now; then it is looked at anew.
WAITS_S = 120
#: A list that could not be looked at is left alone for so long, and each time for twice as long, so often.
TROUBLE, MOST_DOUBLED = timedelta(minutes=5), 8
IN_TROUBLE = "A fault of this system: it is tried again, and the log of the server says why."
#: Why an id token is taken off a list.
FORGOTTEN = "The charger has forgotten this customer."
#: Changes are kept for lists that are behind; one that is further behind is sent anew.
KEPT = timedelta(days=14)
#: What fails for one operator keeps no other waiting.
TROUBLED = "an operator's local lists could not be looked at"

log = structlog.get_logger(__name__)

OPERATORS = """
SELECT operator_id FROM stations_listbook UNION SELECT DISTINCT operator_id FROM stations_idtokenchange WHERE number IS NULL
"""
NUMBER = """
WITH fresh AS (
    SELECT c.id, row_number() OVER (ORDER BY c.id) AS n FROM stations_idtokenchange c WHERE c.operator_id = %(operator)s
      AND c.number IS NULL
), given AS (
    UPDATE stations_idtokenchange AS c SET number = %(newest)s + fresh.n FROM fresh WHERE c.id = fresh.id RETURNING c.gone, c.number
)
SELECT count(*), max(number) FILTER (WHERE gone) FROM given
"""
# Somebody may charge no more who stands on a list that was sent by hand.
OFF_BY_HAND = """
DELETE FROM stations_locallistentry AS e USING stations_idtokenchange AS c
WHERE c.operator_id = %(operator)s AND c.number > %(newest)s AND c.gone AND e.operator_id = c.operator_id
  AND e.key = upper(c.value) AND e.type = c.type AND e.status = 'Accepted'
RETURNING e.local_list_id
"""
# Something about a token has changed since its customer was forgotten.
LEFT_OFF_NO_MORE = """
DELETE FROM stations_leftoff AS l USING stations_idtokenchange AS c
WHERE c.operator_id = %(operator)s AND c.number > %(newest)s AND l.operator_id = c.operator_id AND l.token_id = c.token_id
  AND c.at > l.at
"""
EXPIRED = """
INSERT INTO stations_idtokenchange (operator_id, token_id, value, type, was, group_id, gone, at)
SELECT operator_id, id, value, type, true, group_id, true, now() FROM accounts_idtoken
WHERE operator_id = %(operator)s AND expires_at > %(since)s AND expires_at <= %(until)s
"""
# What another transaction holds is left to the next run: a batch locks lists in the order of its answers, so nobody may wait here.
BEHIND = """
UPDATE stations_locallist SET due_at = %(now)s, urgent = upto < %(urgent)s, state = 'waiting' WHERE id IN (
    SELECT id FROM stations_locallist WHERE operator_id = %(operator)s AND rule_id IS NOT NULL AND upto < %(newest)s
      AND command_id IS NULL AND state <> 'unsupported' AND (due_at IS NULL OR (upto < %(urgent)s AND NOT urgent))
    FOR UPDATE SKIP LOCKED)
"""
#: Of these stations, whose list cannot be changed now.
HELD = """
WITH free AS (SELECT station_id FROM stations_locallist WHERE station_id = ANY(%(stations)s) FOR UPDATE SKIP LOCKED)
SELECT station_id FROM stations_locallist WHERE station_id = ANY(%(stations)s) AND station_id NOT IN (SELECT station_id FROM free)
"""
ASK = """
UPDATE stations_locallist SET ask = true, due_at = %(now)s
WHERE station_id = ANY(%(stations)s) AND (rule_id IS NOT NULL OR by_hand OR made_by <> '')
"""
WHOLE = """
UPDATE stations_locallist SET "full" = true, due_at = %(now)s,
    state = CASE WHEN state = 'in_step' THEN 'waiting' ELSE state END
WHERE {which} AND state <> 'unsupported' AND (rule_id IS NOT NULL OR by_hand)
"""
OF_STATIONS, OF_LISTS = WHOLE.format(which="station_id = ANY(%(stations)s)"), WHOLE.format(which="id = ANY(%(lists)s)")


def bring_in_step() -> int:
    """Send stations what differs. Its steps; returns how many commands it wrote:

    1. Boots make lists due to be asked for their version, conflicts to be sent anew. 2. New changes of tags get their numbers, and
    make the operator's lists due. 3. Lists that are due, whose stations are there, are asked or sent.

    What fails for one operator is raised once the others are done, so that the job counts as failed.
    """
    hear()
    with connection.cursor() as cursor:
        cursor.execute(OPERATORS)
        found = [row[0] for row in cursor.fetchall()]
    wrote, fault = 0, None
    for operator_id in found:
        try:
            wrote += of_operator(operator_id=operator_id)
        except Exception as error:
            log.exception(TROUBLED, operator=operator_id)
            fault = error
    return _told(wrote, fault)


def of_operator(*, operator_id: int) -> int:
    """Steps 2 and 3 for one operator."""
    now = timezone.now()
    number(operator_id=operator_id, now=now)
    return _send_due(operator_id, now)


def keep() -> int:
    """What needs no haste: stations and sites have changed, tags have expired, changes are old. Returns how many were let go; what
    fails for one operator is raised once the others are done."""
    now, fault = timezone.now(), None
    for pk, operator_id in ListBook.objects.order_by("pk").values_list("pk", "operator"):
        try:
            _keep(pk, now)
        except Exception as error:
            log.exception(TROUBLED, operator=operator_id)
            fault = error
    old = IdTokenChange.objects.filter(at__lt=now - KEPT).values("pk")[:50_000]
    return _told(IdTokenChange.objects.filter(pk__in=old).delete()[0], fault)


def _told(done: int, fault: Exception | None) -> int:
    if fault is not None:
        raise fault
    return done


def _keep(pk: int, now: datetime) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        book = ListBook.objects.select_for_update().get(pk=pk)
        cursor.execute(EXPIRED, {"operator": book.operator_id, "since": book.expiries_upto, "until": now})
        book.expiries_upto = now
        book.save(update_fields=["expiries_upto"])
    assign(operator_id=book.operator_id, now=now)


def hear() -> None:
    """What stations did, from the outbox."""
    now = timezone.now()
    with outbox.claim(SUBSCRIBER, limit=1000) as found, connection.cursor() as cursor:
        for entry in found:
            if entry.topic == topics.TOKEN_FORGOTTEN:
                with outbox.handling(entry):
                    _take_off(**entry.facts or {})
        entries = [entry for entry in found if entry.topic != topics.TOKEN_FORGOTTEN]
        cursor.execute(HELD, {"stations": sorted({entry.object_id for entry in entries})})
        held = {row[0] for row in cursor.fetchall()}
        entries = [entry for entry in entries if entry.object_id not in held]
        for topic, statement in ((topics.STATION_BOOTED, ASK), (topics.LIST_CONFLICT, OF_STATIONS)):
            if stations := sorted(entry.object_id for entry in entries if entry.topic == topic):
                cursor.execute(statement, {"stations": stations, "now": now})
        for entry in entries:
            with outbox.handling(entry):
                pass


def _take_off(*, station: int, id_token: str, type: str) -> None:
    """A station has forgotten a customer: the id token goes from its list, too (OCPP 2.0.1 N10.FR.02), and no rule puts it back.

    Raises NotYet while the list is being sent.
    """
    one = LocalList.objects.select_related("station", "rule").filter(station=station).first()
    if one is None:
        return
    if one.command_id is not None:
        raise outbox.NotYet("The list is being sent.")
    named = {"key": id_token.upper(), "type": type}
    if one.rule_id is not None:
        _leave_off(one, IdToken.objects.filter(operator=one.operator_id, **named).first())
    elif one.state != ListState.UNSUPPORTED and one.entries.filter(**named).exists():
        gone = commands.SendLocalList("differential", [{"id_token": id_token, "type": type, "remove": True}])
        life.issue(station=one.station, command=gone, reason=FORGOTTEN)


def _leave_off(one: LocalList, token: IdToken | None) -> None:
    """The list of a rule goes without this token from now on. Raises NotYet if it is being sent by now."""
    if token is None or token.type not in locallists.LISTED:
        return
    now = timezone.now()
    there = one.pending is not None or locallists.on_list(one, now).filter(pk=token.pk).exists()
    LeftOff.objects.update_or_create(local_list=one, token_id=token.pk, defaults={"operator_id": one.operator_id, "at": now})
    # What may be there by an answer that was lost is not believed: the token is on that.
    anew = {"full": True, "pending": None, "due_at": now, "urgent": True, "state": ListState.WAITING}
    if (
        there
        and one.state != ListState.UNSUPPORTED
        and not LocalList.objects.filter(pk=one.pk, command__isnull=True).update(**anew)
    ):
        raise outbox.NotYet("The list is being sent.")


def number(*, operator_id: int, now: datetime) -> int:
    """Give an operator's new changes their numbers, and find the lists that are behind. Who uses no lists has none. Returns how
    many there were."""
    with transaction.atomic(), connection.cursor() as cursor:
        # One at a time, so that whoever sees a number sees all smaller ones.
        book = ListBook.objects.select_for_update().filter(operator=operator_id).first()
        if book is None:
            return IdTokenChange.objects.filter(operator=operator_id, number__isnull=True).delete()[0]
        cursor.execute(NUMBER, {"operator": operator_id, "newest": book.newest})
        given, gone = cursor.fetchone()
        if given:
            cursor.execute(LEFT_OFF_NO_MORE, {"operator": operator_id, "newest": book.newest})
        if gone:
            cursor.execute(OFF_BY_HAND, {"operator": operator_id, "newest": book.newest})
            if lists := [row[0] for row in cursor.fetchall()]:
                cursor.execute(OF_LISTS, {"lists": lists, "now": now})
        if given:
            book.newest, book.urgent = book.newest + given, gone or book.urgent
            book.save(update_fields=["newest", "urgent"])
        cursor.execute(BEHIND, {"operator": operator_id, "now": now, "newest": book.newest, "urgent": book.urgent})
    return int(given)


def _send_due(operator_id: int, now: datetime) -> int:
    """Ask or send the lists that are due, as far as their stations are there and not too many are under way."""
    lists = LocalList.objects.filter(operator=operator_id)
    there = selectors.online(now).filter(operator=operator_id, station__accepted_at__isnull=False).values("pk")
    due = lists.filter(due_at__lte=now, command__isnull=True, station__in=there).order_by("-urgent", "due_at")
    found = list(due.values_list("pk", "station")[:LOOKED_AT])
    if not found:
        return 0
    room = UNDER_WAY - lists.filter(command__isnull=False).count()
    limits, builder, sent = locallists.limits_of([station_id for _pk, station_id in found]), Builder(now), 0
    for pk, station_id in found:
        try:
            sent += _look(pk, limits[station_id], builder, now, room=lambda sent=sent: sent < room)  # type: ignore[misc]  # a default binds it
        except Exception:
            log.exception("a local list could not be looked at", local_list=pk)
            _in_trouble(pk, now)
    return sent


def _in_trouble(pk: int, now: datetime) -> None:
    """Its page says so, and it is tried again later and later."""
    attempts = LocalList.objects.values_list("attempts", flat=True).get(pk=pk)
    later = now + TROUBLE * 2 ** min(attempts, MOST_DOUBLED)
    told = {"state": ListState.FAILED, "error": IN_TROUBLE, "error_at": now, "attempts": min(attempts + 1, 30)}
    LocalList.objects.filter(pk=pk).update(due_at=later, **told)


def _look(pk: int, limits: Limits, builder: Builder, now: datetime, *, room: Callable[[], bool]) -> bool:
    """Bring one list on: ask for its version, send what differs, or see that nothing does. True: a command was written."""
    with transaction.atomic():
        rows = LocalList.objects.select_related("station__operator", "rule").select_for_update(of=("self",), skip_locked=True)
        one = rows.filter(pk=pk, due_at__lte=now, command__isnull=True).first()
        if one is None or not (one.urgent or room()):
            return False
        if one.rule is None and not one.by_hand and not one.made_by:
            return _rest(one, ListState.OFF)
        asked: commands.Command = commands.GetLocalListVersion()
        facts = {}
        if not one.ask:
            if one.state == ListState.UNSUPPORTED:
                return _rest(one, ListState.UNSUPPORTED)
            content = builder.of(one, limits.most)
            if content is None:
                one.upto = max(one.upto, builder.newest_of(one.operator_id) if one.rule else 0)
                state = ListState.IN_STEP if one.rule is not None or one.by_hand else ListState.OFF
                return _rest(one, state)
            asked, facts = commands.SendLocalList(), written(one, content, limits)
            one.state = ListState.SENDING
        if one.ask and one.reported_at is None and limits == Limits():
            # How much it takes is known before it is sent anything.
            limits_of = commands.GetVariables(locallists.ASKED)
            first = life.ready(station=one.station, command=limits_of, reason=locallists.WHY, expires_in=WAITS_S)
            first.save(force_insert=True)
        row = life.ready(station=one.station, command=asked, reason=locallists.WHY, expires_in=WAITS_S)
        row.facts = facts
        row.save(force_insert=True)
        one.command, one.due_at, one.urgent = row, None, False
        one.save()
        life.asked(row)
    return True


def _rest(one: LocalList, state: ListState) -> bool:
    """Nothing is to be done for it until something changes."""
    one.state, one.due_at, one.urgent = state, None, False
    if one.error == IN_TROUBLE:
        one.error, one.error_at, one.attempts = "", None, 0
    one.save()
    return False
