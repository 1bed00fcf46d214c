"""Id tags from a CSV file: all of them or none."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.models import AuditEntry, IdToken, IdTokenGroup, Operator
from accounts.tokens import TOLD, fill, group_name, parse_moment

MAX_BYTES = 5 * 1024 * 1024
#: Tags of one file whose change the audit tells one by one; of the others it has the count.
MOST_TOLD = 1000
#: A large file takes half a minute to understand, in which PostgreSQL hears nothing (`csms.settings.SILENT_S`).
THINKS = "SET LOCAL idle_in_transaction_session_timeout = '5min'"
COLUMNS = ("value", "type", "group", "status", "expires", "note")


class Further(Protocol):
    """Columns that another app understands and keeps; it puts itself into `further` at import."""

    COLUMNS: tuple[str, ...]

    def understand(self, *, operator: Operator, rows: Sequence[dict[str, str]]) -> list[dict[str, Any] | ValidationError]: ...

    def keep(self, *, operator: Operator, tokens: Sequence[tuple[IdToken, dict[str, Any]]]) -> None: ...


further: Further | None = None


def all_columns() -> tuple[str, ...]:
    """All that a file may have."""
    return COLUMNS + (further.COLUMNS if further else ())


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    changed: int


def import_id_tokens(*, operator: Operator, content: bytes) -> Imported:
    """Adds the tags of a file and changes those it knows already (by type and value without case).

    UTF-8, comma or semicolon, a header line with `value` and any other of `all_columns()`; columns that the file lacks stay as they
    are. A ValidationError names every bad line, and then nothing is imported.
    """
    with transaction.atomic(), scope(operator=operator):
        with connection.cursor() as cursor:
            cursor.execute(THINKS)
        columns, tokens, groups, more = _understand(operator, content)
        done = _write(operator, columns, tokens, groups)
        if further is not None and any(one.kept for one in more):
            further.keep(operator=operator, tokens=[(token, one.kept) for token, one in zip(tokens, more, strict=True)])
        return done


@dataclass(frozen=True, slots=True)
class Line:
    """What a file says of a tag, and whether the tag is known already."""

    token: IdToken
    group: str
    known: bool
    #: Its cells of the further columns.
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class More:
    """What the further columns say of a tag, and what that means."""

    cells: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)


def preview_id_tokens(*, operator: Operator, content: bytes) -> list[Line]:
    """What an import of the file would do, without doing it. Raises what the import would."""
    with scope(operator=operator):
        _columns, tokens, groups, more = _understand(operator, content)
        known = set(_known(tokens).values_list("key", "type"))
    return [
        Line(token, group, (token.key, token.type) in known, tuple(filter(None, one.cells.values())))
        for token, group, one in zip(tokens, groups, more, strict=True)
    ]


def _understand(operator: Operator, content: bytes) -> tuple[list[str], list[IdToken], list[str], list[More]]:
    """The columns of a file that are ours, its tags, the names of their groups, and what other columns say of each."""
    columns, lines = _read(content)
    others = [name for name in columns if name not in COLUMNS]
    cells = [{name: row[columns.index(name)].strip() for name in others if len(row) == len(columns)} for _number, row in lines]
    meant = further.understand(operator=operator, rows=cells) if further is not None and others else [{} for _row in cells]
    more: list[More] = []
    errors: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    tokens: list[IdToken] = []
    groups: list[str] = []
    for (number, row), said, means in zip(lines, cells, meant, strict=True):
        try:
            token, group = _token(operator, columns, row)
            if isinstance(means, ValidationError):
                raise means
        except ValidationError as error:
            errors.append(_line(number, "; ".join(_sentences(error))))
            continue
        first = seen.setdefault((token.key, token.type), number)
        if first != number:
            errors.append(_line(number, _("%(tag)s stands on line %(first)s already.") % {"tag": token.value, "first": first}))
        tokens.append(token)
        groups.append(group)
        more.append(More(said, means))
    if errors:
        raise ValidationError(errors)
    return [name for name in columns if name in COLUMNS], tokens, groups, more


def _line(number: int, text: str) -> str:
    return _("line %(number)s: %(text)s") % {"number": number, "text": text}


def _read(content: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names of the columns, and the lines below the header, with their number, that are not empty."""
    if len(content) > MAX_BYTES:
        raise ValidationError(_("The file is larger than %(most)s MiB: split it.") % {"most": MAX_BYTES // 1024**2})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValidationError(_line(line, _("The file is not UTF-8. Save it as CSV UTF-8."))) from error
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in header else ",", strict=True)
    rows: list[tuple[int, list[str]]] = []
    number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
            number = reader.line_num + 1
    except csv.Error as error:
        raise ValidationError(_line(number, _("This is not CSV (%(error)s).") % {"error": error})) from error
    known, columns = all_columns(), [cell.strip().lower() for cell in rows[0][1]] if rows else []
    if "value" not in columns:
        text = _("A header is missing: %(columns)s (only value is required).")
        raise ValidationError(_line(1, text % {"columns": ",".join(known)}))
    if unknown := [name or "(empty)" for name in columns if name not in known]:
        text = _("Unknown columns: %(unknown)s. Known are %(known)s.")
        raise ValidationError(_line(1, text % {"unknown": ", ".join(unknown), "known": ", ".join(known)}))
    if len(set(columns)) < len(columns):
        raise ValidationError(_line(1, _("A column stands there twice.")))
    return columns, rows[1:]


def _token(operator: Operator, columns: list[str], cells: list[str]) -> tuple[IdToken, str]:
    if len(cells) != len(columns):
        raise ValidationError(_("%(values)s values for %(columns)s columns.") % {"values": len(cells), "columns": len(columns)})
    row = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    token = IdToken(operator=operator)
    fields: dict[str, object] = {"value": row["value"], "note": row.get("note", "")}
    # An empty cell of these means the usual.
    fields |= {name: row[name] for name in ("type", "status") if row.get(name)}
    if row.get("expires"):
        try:
            fields["expires_at"] = parse_moment(row["expires"])
        except ValueError as error:
            raise ValidationError({"expires": str(error)}) from error
    fill(token, **fields)
    return token, group_name(row.get("group"))


def _sentences(error: ValidationError) -> list[str]:
    if hasattr(error, "error_dict"):
        return [f"{name}: {sentence}" for name, sentences in error.message_dict.items() for sentence in sentences]
    return error.messages


def _known(tokens: list[IdToken]) -> QuerySet[IdToken]:
    return IdToken.objects.filter(key__in=[token.key for token in tokens])


def _write(operator: Operator, columns: list[str], tokens: list[IdToken], groups: list[str]) -> Imported:
    names = sorted({name for name in groups if name})
    IdTokenGroup.objects.bulk_create([IdTokenGroup(operator=operator, name=name) for name in names], ignore_conflicts=True)
    by_name = {group.name: group for group in IdTokenGroup.objects.filter(name__in=names)}
    for token, name in zip(tokens, groups, strict=True):
        token.group = by_name.get(name)
    known = {(token.key, token.type): audit.fields_of(token, *TOLD) for token in _known(tokens).select_related("group")}
    changed = sum((token.key, token.type) in known for token in tokens)
    columns = [{"expires": "expires_at"}.get(name, name) for name in columns if name != "type"]
    # Sorted, so that two imports at once never wait for each other.
    saved = IdToken.objects.bulk_create(
        sorted(tokens, key=lambda token: (token.key, token.type)),
        batch_size=2000,
        update_conflicts=True,
        unique_fields=["operator", "key", "type"],
        update_fields=columns,
    )
    done = Imported(added=len(tokens) - changed, changed=changed)
    audit.record("id_token.imported", operator=operator, after={"added": done.added, "known": done.changed})
    told = (_told(token, known.get((token.key, token.type)), columns) for token in saved)
    audit.record_all(islice(filter(None, told), MOST_TOLD))
    return done


def _told(token: IdToken, before: dict[str, Any] | None, columns: list[str]) -> AuditEntry | None:
    """What the audit tells of one tag of the file. None: the file says what was known."""
    after = audit.fields_of(token, *TOLD)
    if before is None:
        return audit.entry("id_token.added", token, operator=token.operator_id, after=after)
    kept = {name: value for name, value in before.items() if name not in columns}
    return audit.entry("id_token.changed", token, operator=token.operator_id, before=before, after=after | kept)
