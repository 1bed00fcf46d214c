"""Local authorisation lists (OCPP 2.0.1 chapter D): which tags belong on them, and what a station makes of what it is sent.

A list is sent as a command, once at a time for each station; `locallistwork` decides when. Whatever happens to the command, the row
of the list says afterwards what is known: taken, refused (then the whole list helps), or unknown (then its version is asked).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import IdTokenGroup, Operator
from stations import locallists, models, outbox, topics
from stations.batch import Batch
from stations.domain import commands
from stations.domain.command import moment_of
from stations.domain.commands import BadCommand
from stations.domain.locallists import chunks
from stations.flush import Cursor
from stations.models import CommandStatus, ListBook, ListMode, ListState, LocalList, LocalListRule, Site, Station
from stations.services.companions import Companion
from stations.services.locallistcontent import Builder, Content, stamp

#: The outbox's subscriber for what stations do that concerns their lists.
SUBSCRIBER = "local-lists"
#: How long after a refusal the whole list is tried again: doubled each time, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
#: After silence its version is asked.
ASK_AGAIN = timedelta(seconds=30)
#: Words of a station that keeps no lists.
NEVER = ("NotSupported", "NotImplemented")


# The rule


@transaction.atomic
def set_rule(
    *, operator: Operator, mode: str, groups: Sequence[IdTokenGroup] = (), site: Site | None = None, station: Station | None = None
) -> LocalListRule:
    """Which tags belong on the lists of the network, of a site's stations, or of one station. Raises ValidationError."""
    if mode not in ListMode.values:
        raise ValidationError({"mode": _("Use one of %(modes)s.") % {"modes": ", ".join(ListMode.values)}})
    if mode == ListMode.GROUPS and not groups:
        raise ValidationError({"groups": _("Choose at least one group, or another kind of list.")})
    # One change of an operator's rules at a time.
    Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    rule = LocalListRule.objects.filter(operator=operator, site=site, station=station).first()
    before = _told(rule) if rule else None
    chosen = sorted({group.pk for group in groups}) if mode == ListMode.GROUPS else []
    if rule is None:
        rule = LocalListRule(operator=operator, site=site, station=station, revision=0)
    elif rule.mode == mode and rule.group_ids == chosen:
        return rule
    rule.mode, rule.group_ids, rule.revision, rule.changed_at = mode, chosen, rule.revision + 1, timezone.now()
    rule.save()
    use_lists(operator)
    _told_audit(rule, before, _told(rule))
    assign(operator_id=operator.pk, now=rule.changed_at)
    return rule


@transaction.atomic
def remove_rule(*, rule: LocalListRule) -> None:
    """Say nothing of one's own any more: the next wider rule counts."""
    operator_id, before = rule.operator_id, _told(rule)
    _told_audit(rule, before, None)
    rule.delete()
    assign(operator_id=operator_id, now=timezone.now())


def _told(rule: LocalListRule) -> dict[str, Any]:
    names = IdTokenGroup.objects.filter(pk__in=rule.group_ids).order_by("name").values_list("name", flat=True)
    return {"mode": rule.mode, "groups": ", ".join(names)}


def _told_audit(rule: LocalListRule, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    about = rule.station or rule.site or rule.operator
    audit.record("local_list_rule.changed", about, operator=rule.operator_id, before=before, after=after)


def use_lists(operator: Operator) -> None:
    """From now on this operator's tags are followed, and stations tell of boots and conflicts."""
    ListBook.objects.get_or_create(operator=operator, defaults={"expiries_upto": timezone.now()})
    outbox.want(SUBSCRIBER, (topics.STATION_BOOTED, topics.LIST_CONFLICT, topics.TOKEN_FORGOTTEN), operator=operator)


#: Which rule counts for each station of an operator, if it puts anything on a list.
WANTED = """
WITH wanted AS (
    SELECT s.id AS station_id, s.operator_id, CASE WHEN r.mode <> 'off' THEN r.id END AS rule_id,
           CASE WHEN r.mode <> 'off' THEN r.id || '.' || r.revision ELSE '' END AS made_by
    FROM stations_station s
    LEFT JOIN stations_locallistrule o ON o.station_id = s.id
    LEFT JOIN stations_locallistrule l ON l.site_id = s.site_id
    LEFT JOIN stations_locallistrule n ON n.operator_id = s.operator_id AND n.site_id IS NULL AND n.station_id IS NULL
    LEFT JOIN stations_locallistrule r ON r.id = COALESCE(o.id, l.id, n.id)
    WHERE s.operator_id = %(operator)s
)
"""
CHANGED = f"""{WANTED}
UPDATE stations_locallist AS k SET rule_id = w.rule_id, due_at = %(now)s, attempts = 0,
    state = CASE WHEN k.state IN ('sending', 'unsupported') THEN k.state ELSE 'waiting' END
FROM wanted w WHERE k.station_id = w.station_id
    AND k.id IN (SELECT id FROM stations_locallist WHERE operator_id = %(operator)s FOR UPDATE SKIP LOCKED) AND (
    k.rule_id IS DISTINCT FROM w.rule_id
    OR (k.made_by <> w.made_by AND NOT (k.by_hand AND w.rule_id IS NULL) AND k.due_at IS NULL AND k.state <> 'unsupported'))
"""  # noqa: S608  (names of our own)
NEW = f"""{WANTED}
INSERT INTO stations_locallist (operator_id, station_id, rule_id, due_at, state, made_by, by_hand, version, sent_version, count,
    left_out, upto, highest, ask, "full", urgent, attempts, error)
SELECT w.operator_id, w.station_id, w.rule_id, %(now)s, 'waiting', '', false, 0, 0, 0, 0, 0, 0, true, true, false, 0, ''
FROM wanted w WHERE w.rule_id IS NOT NULL ON CONFLICT (station_id) DO NOTHING
"""  # noqa: S608  (names of our own)


def assign(*, operator_id: int, now: datetime) -> None:
    """Give every station of an operator the list of the rule that counts for it: rules, sites and stations have changed.

    A list that is being answered just now is left to the next time, within a minute: so nobody waits for each other in a circle.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (CHANGED, NEW):
            cursor.execute(statement, {"operator": operator_id, "now": now})


# Asking


def written(one: LocalList, content: Content, limits: locallists.Limits) -> dict[str, Any]:
    """Plan a content on the row of its list; returns the facts of the command that sends it."""
    sizes = chunks(content.entries, limits)
    version = one.sent_version + 1
    one.sent_version += len(sizes)
    one.pending = {
        "version": one.sent_version,
        "update": content.update,
        "upto": content.upto,
        "highest": content.highest,
        "count": content.count,
        "left_out": content.left_out,
        "limit": limits.most,
        "made_by": stamp(one.rule),
        "more": content.more,
        "by_hand": one.rule is None and one.by_hand,
    }
    one.limit = limits.most
    return {"list": {"update": content.update, "entries": content.entries, "version": version, "chunks": sizes}}


def made(row: models.Command, station: Station, command: commands.Command) -> None:
    """What goes with a `send_local_list` that somebody asks for."""
    assert isinstance(command, commands.SendLocalList)
    operator = station.operator
    use_lists(operator)
    LocalList.objects.get_or_create(station=station, defaults={"operator_id": station.operator_id})
    one = LocalList.objects.select_for_update(of=("self",)).select_related("rule").get(station=station)
    if one.command_id is not None:
        raise BadCommand(
            "%(station)s is being sent its list already (command %(id)s): wait for its end, or take that back.",
            station=station.identity,
            id=one.command_id,
        )
    limits = locallists.limits_of([station.pk])[station.pk]
    if command.entries is None:
        # What is not known to be there cannot be changed.
        content = Builder(row.created_at).of(one, limits.most, full=command.update == "full" or one.ask)
        if one.rule is None and not one.by_hand and not one.made_by:
            raise BadCommand("No rule puts id tags on the list of %(station)s: set one, or send entries.", station=station.identity)
        if content is None:
            raise BadCommand(
                "%(station)s has what belongs on its list; update full sends all of it again.", station=station.identity
            )
        facts = written(one, content, limits)
    else:
        # Whoever says the version says the message as it is.
        sizes = [len(command.entries)] if command.version else chunks(command.entries, limits)
        version = command.version or one.sent_version + 1
        last = version + len(sizes) - 1
        one.sent_version = max(one.sent_version, last)
        one.pending = {"hand": command.update, "version": last, "command": row.pk}
        facts = {"list": {"version": version, "chunks": sizes}}
    one.command, one.state, one.due_at, one.urgent = row, ListState.SENDING, None, False
    one.save()
    row.facts = row.facts | facts
    row.save(update_fields=["facts"])


def asked_version(row: models.Command, station: Station, command: commands.Command) -> None:
    """What goes with a `get_local_list_version`: a row that keeps what it tells."""
    LocalList.objects.get_or_create(station=station, defaults={"operator_id": station.operator_id})


# What the station says

OF = """
SELECT k.id, k.rule_id, k.by_hand, k.state, k.version, k.sent_version, k.attempts, k."full", k.made_by, k.count, k.pending::text
FROM stations_locallist k WHERE k.{which} = %s FOR UPDATE
"""
NAMES = ("id", "rule_id", "by_hand", "state", "version", "sent_version", "attempts", "full", "made_by", "count", "pending")
ENTRIES = "SELECT params->'entries' FROM stations_command WHERE id = %s"


def _found(cursor: Cursor, which: str, pk: int) -> dict[str, Any] | None:
    cursor.execute(OF.format(which=which), (pk,))
    row = cursor.fetchone()
    if row is None:
        return None
    found = dict(zip(NAMES, row, strict=True))
    found["pending"] = orjson.loads(found["pending"]) if found["pending"] else None
    return found


def _set(cursor: Cursor, pk: int, **values: Any) -> None:
    columns = ", ".join(f'"{name}" = %s' for name in values)
    cursor.execute(f"UPDATE stations_locallist SET {columns} WHERE id = %s", (*values.values(), pk))  # noqa: S608  (names of our own)


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """A list was taken, refused, or nobody knows. Lists change seldom beside messages, so this may look into the table."""
    cursor, now, detail = batch.cursor, batch.now, change.get("detail", "")
    one = _found(cursor, "command_id", command_id)
    if one is None:
        return
    if change["status"] == CommandStatus.CONFIRMED:
        _taken(cursor, one, now)
    elif change["status"] == CommandStatus.TIMED_OUT or change.get("error_code") == "InternalError":
        _unknown(cursor, one, now)
    elif any(word in f"{detail} {change.get('error_code', '')}" for word in NEVER):
        _unsupported(cursor, one, detail or change.get("error_code", ""), now)
    else:
        _refused(cursor, one, detail or change.get("error_code", ""), now)


def _taken(cursor: Cursor, one: dict[str, Any], now: datetime) -> None:
    """The station has what `pending` says."""
    pending = one["pending"] or {}
    known = {"command_id": None, "pending": None, "version": pending.get("version", one["version"]), "attempts": 0, "error": ""}
    known |= {"error_at": None, "synced_at": now, "ask": False}
    if "hand" in pending:
        if one["rule_id"] is not None:
            # Its rule says something else, and is what counts.
            _set(cursor, one["id"], **known, full=True, state="waiting", due_at=now)
            return
        count = _keep_by_hand(cursor, one["id"], pending)
        known |= {"by_hand": True, "made_by": "", "count": count, "left_out": 0, "full": False, "state": "in_step"}
        _set(cursor, one["id"], **known)
        return
    if one["by_hand"] and not pending["by_hand"]:
        cursor.execute("DELETE FROM stations_locallistentry WHERE local_list_id = %s", (one["id"],))
    known |= {name: pending[name] for name in ("upto", "highest", "count", "left_out", "limit", "made_by", "by_hand")}
    known |= {"full": False, "state": "in_step" if pending["made_by"] or pending["by_hand"] else "off"}
    if pending["more"]:
        known |= {"state": "waiting", "due_at": now}
    _set(cursor, one["id"], **known)


def _refused(cursor: Cursor, one: dict[str, Any], detail: str, now: datetime) -> None:
    """After VersionMismatch and Failed the whole list is sent (OCPP 2.0.1 D01, 1.6 5.15); if that is refused, again and later."""
    pending = one["pending"] or {}
    known = {"command_id": None, "pending": None, "error": detail[:300], "error_at": now, "attempts": min(one["attempts"] + 1, 30)}
    if pending.get("hand") == "full" and one["rule_id"] is None:
        _set(cursor, one["id"], **known, state="failed", due_at=None)
        return
    if pending.get("hand") == "differential" and one["rule_id"] is None:
        count = _keep_by_hand(cursor, one["id"], pending)
        known |= {"by_hand": True, "made_by": "", "count": count}
    at_once = pending.get("hand", pending.get("update")) == "differential" and one["attempts"] == 0
    pause = timedelta(0) if at_once else min(FIRST_PAUSE * 2 ** min(one["attempts"], 10), LONGEST_PAUSE)
    _set(cursor, one["id"], **known, full=True, state="waiting" if at_once else "failed", due_at=now + pause)


def _unknown(cursor: Cursor, one: dict[str, Any], now: datetime) -> None:
    """Nobody knows whether it took it; its version tells (`pending` is kept until then)."""
    error = "The station did not answer in time."
    state = "waiting" if one["state"] == "sending" else one["state"]
    _set(cursor, one["id"], command_id=None, ask=True, state=state, error=error, error_at=now, due_at=now + ASK_AGAIN)


def _unsupported(cursor: Cursor, one: dict[str, Any], detail: str, now: datetime) -> None:
    told = {"error": detail[:300], "error_at": now, "due_at": None, "urgent": False, "ask": False, "full": True}
    _set(cursor, one["id"], command_id=None, pending=None, state="unsupported", **told)


def _keep_by_hand(cursor: Cursor, pk: int, pending: dict[str, Any]) -> int:
    """Change the entries of a list that is sent by hand as the command says; returns how many there are."""
    cursor.execute(ENTRIES, (pending["command"],))
    row = cursor.fetchone()
    # On Django's connections JSON comes as text.
    entries = (orjson.loads(row[0]) if isinstance(row[0], str) else row[0]) if row and row[0] else []
    if pending["hand"] == "full":
        cursor.execute("DELETE FROM stations_locallistentry WHERE local_list_id = %s", (pk,))
    cursor.executemany(
        "DELETE FROM stations_locallistentry WHERE local_list_id = %s AND key = %s AND type = %s",
        [(pk, one["id_token"].upper(), one.get("type", "ISO14443")) for one in entries],
    )
    cursor.executemany(
        """
        INSERT INTO stations_locallistentry (operator_id, local_list_id, value, key, type, status, expires_at, "group")
        SELECT operator_id, id, %s, %s, %s, %s, %s, %s FROM stations_locallist WHERE id = %s
        """,
        [
            (
                *(one["id_token"], one["id_token"].upper(), one.get("type", "ISO14443"), one.get("status", "Accepted")),
                *(_moment(one.get("expires_at")), one.get("group") or "", pk),
            )
            for one in entries
            if not one.get("remove")
        ],
    )
    cursor.execute("SELECT count(*) FROM stations_locallistentry WHERE local_list_id = %s", (pk,))
    counted = cursor.fetchone()
    return int(counted[0]) if counted else 0


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment_of("expires_at", text)


def version_answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """The station told the version of its list: is it the one we know of (OCPP 2.0.1 D02, 1.6 5.10)?"""
    cursor, now = batch.cursor, batch.now
    one = _found(cursor, "station_id", batch.station.id)
    if one is None:
        return
    ours = _found(cursor, "command_id", command_id) is not None
    if "version" not in facts:
        if any(word in f"{change.get('detail', '')} {change.get('error_code', '')}" for word in NEVER):
            _unsupported(cursor, one, change.get("detail") or change.get("error_code", ""), now)
        elif ours:
            _unknown(cursor, one, now)
        return
    version = facts["version"]
    _set(cursor, one["id"], reported_version=version, reported_at=now, sent_version=max(one["sent_version"], version))
    if version < 0:
        _unsupported(cursor, one, "The station keeps no list (version -1).", now)
        return
    if one["state"] == "sending" and not ours:
        return  # what is under way tells more
    pending = one["pending"]
    if pending and version == pending["version"]:
        _taken(cursor, one, now)
        _set(cursor, one["id"], ask=False)
        if one["rule_id"] is not None:
            _set(cursor, one["id"], due_at=now)
        return
    known: dict[str, Any] = {"ask": False, "pending": None, "error": "", "error_at": None}
    if ours:
        known["command_id"] = None
    # Of a list without entries stations may say 0, whatever it was sent as (1.6 5.10).
    empty = version == 0 and one["count"] == 0 and not pending
    if version != one["version"] and not empty:
        known |= {"full": True, "error": f"It has version {version}, not {one['version']}.", "error_at": now}
        known |= {"count": 0} if version == 0 else {}
    kept = one["rule_id"] is not None or one["by_hand"] or one["made_by"] != ""
    resting = "off" if not kept else "waiting" if one["full"] or known.get("full") or one["rule_id"] else "in_step"
    _set(cursor, one["id"], **known, state=resting, due_at=now if resting == "waiting" else None)


def ended(cursor: Cursor, command_id: int, status: str, now: datetime) -> None:
    """The command ended without an answer: it was never sent, or nobody knows what the station made of it."""
    one = _found(cursor, "command_id", command_id)
    if one is None:
        return
    if status == CommandStatus.TIMED_OUT:
        _unknown(cursor, one, now)
        return
    kept = one["rule_id"] is not None or (one["by_hand"] and one["full"])
    known: dict[str, Any] = {"command_id": None, "pending": None, "due_at": now + FIRST_PAUSE if kept else None}
    known["state"] = "waiting" if kept else "in_step" if one["by_hand"] else "off"
    if status == CommandStatus.FAILED:
        attempts = min(one["attempts"] + 1, 30)
        pause = min(FIRST_PAUSE * 2 ** min(attempts, 10), LONGEST_PAUSE)
        known |= {"state": "failed", "attempts": attempts, "due_at": now + pause if kept else None, "error_at": now}
        known["error"] = "Its OCPP version cannot say this list."
    _set(cursor, one["id"], **known)


COMPANIONS = {
    commands.SendLocalList.kind: Companion(made, answered, ended),
    commands.GetLocalListVersion.kind: Companion(asked_version, version_answered, ended),
}
