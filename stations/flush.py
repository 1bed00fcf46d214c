"""How a batch's rows reach their tables: one statement a table and kind of change, whatever the number of rows.

Measured here, an array literal made with `str.join` and unpacked by `unnest` costs less client CPU than a temporary table
filled by COPY and needs half the statements, so only rows without a natural key use COPY.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import orjson
import psycopg
from django.db import models
from psycopg import sql
from psycopg.types.json import Jsonb

Cursor = psycopg.Cursor[tuple]  # type: ignore[type-arg]
Row = dict[str, Any]


def beside(cursor: Cursor) -> Cursor:
    """Another cursor of the same connection: in a pipeline each keeps the rows of one statement."""
    return type(cursor)(cursor.connection)


#: Types whose values may hold what means something in an array literal.
QUOTED = {"text", "jsonb"}


@dataclass(frozen=True)
class Table:
    """One model's way into its table.

    `key`: the columns of its natural key; without one, rows are appended by COPY. `merge`: what happens to a row that exists:
    "keep" leaves it, "fill" fills its empty columns, "renew" renews
    the `renewed` columns, "count" does so and adds to its `count`. `refined` columns are renewed where the new row says something
    (neither NULL nor "").
    """

    model: type[models.Model]
    key: tuple[str, ...] = ()
    merge: str = "keep"
    renewed: tuple[str, ...] = ()
    refined: tuple[str, ...] = ()

    @cached_property
    def name(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def fields(self) -> dict[str, models.Field[Any, Any]]:
        return {f.column: f for f in self.model._meta.concrete_fields if f.column}

    @cached_property
    def types(self) -> dict[str, str]:
        return {column: _sql_type(f) for column, f in self.fields.items()}

    @cached_property
    def defaults(self) -> Row:
        """Columns to the values a row gets when it does not say; computed once, so never a time or a mutable value.

        What the database fills in is left to it.
        """
        given = {column: f for column, f in self.fields.items() if not (f.primary_key or f.generated or self._of_database(f))}
        return {column: f.get_default() for column, f in given.items()}

    @staticmethod
    def _of_database(field: models.Field[Any, Any]) -> bool:
        return field.db_default is not models.NOT_PROVIDED

    def columns(self, row: Row) -> list[str]:
        """Of a table whose ids are given by the database the id is left out."""
        return [column for column, field in self.fields.items() if column in row and not field.generated]

    def append(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        columns = self.columns(rows[0])
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(self.name), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        structures = [column for column in columns if self.types[column] == "jsonb"]
        if structures:
            rows = [row | {column: Jsonb(row[column]) for column in structures if row[column] is not None} for row in rows]
        with cursor.copy(statement) as copy:
            copy.set_types([self.types[column] for column in columns])
            for row in rows:
                copy.write_row([row[column] for column in columns])

    def insert(self, cursor: Cursor, rows: Sequence[Row]) -> None:
        """Insert rows with a natural key. Of a "fill" table, the cursor then has those that existed (`stored`)."""
        columns = self.columns(rows[0])
        arrays = [self._array(column, rows) for column in columns]
        if self.merge == "fill":
            arrays.append(arrays[columns.index("id")])
        cursor.execute(self._insert(tuple(columns)), arrays)

    def stored(self, cursor: Cursor, rows: Sequence[Row]) -> list[Row]:
        """Of the rows that this cursor inserted into a "fill" table, those that existed, as they are now."""
        names = [*self.key, *self._filled(self.columns(rows[0]))]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    def update(self, cursor: Cursor, changes: Mapping[Any, Row]) -> None:
        """Apply changes by primary key, one statement for each set of columns that occurs."""
        groups: dict[tuple[str, ...], dict[Any, Row]] = {}
        for pk, change in changes.items():
            groups.setdefault(tuple(sorted(change)), {})[pk] = change
        for columns, rows in groups.items():
            arrays = [array(rows), *(self._array(column, rows.values()) for column in columns)]
            cursor.execute(self._update(columns), arrays)

    def _array(self, column: str, rows: Iterable[Row]) -> str:
        if self.types[column] in QUOTED:
            return array([row[column] for row in rows])
        # Numbers and times need no quotes, and `str` is several times faster than an f-string.
        return "{" + ",".join(["NULL" if (value := row[column]) is None else str(value) for row in rows]) + "}"

    def _filled(self, columns: Iterable[str]) -> list[str]:
        return [column for column in columns if column not in self.key and self.fields[column].null]

    @cache  # noqa: B019  (tables live as long as the process)
    def _insert(self, columns: tuple[str, ...]) -> str:
        listed = ", ".join(columns)
        values = ", ".join(f"%s::{self.types[column]}[]" for column in columns)
        statement = f"INSERT INTO {self.name} AS t ({listed}) SELECT * FROM unnest({values}) ON CONFLICT ({', '.join(self.key)}) "
        if self.merge == "keep":
            return statement + "DO NOTHING"
        if self.merge in ("count", "renew"):
            renewed = [f"{column} = EXCLUDED.{column}" for column in self.renewed]
            for column in self.refined:
                said = f"NULLIF(EXCLUDED.{column}, '')" if self.types[column] == "text" else f"EXCLUDED.{column}"
                renewed.append(f"{column} = COALESCE({said}, t.{column})")
            if self.merge == "count":
                renewed.append("count = t.count + EXCLUDED.count")
            return statement + f"DO UPDATE SET {', '.join(renewed)}"
        filled = self._filled(columns)
        # Structures are filled name by name ("||" is NULL if one side is).
        json = {column for column in filled if self.types[column] == "jsonb"}
        both = {column: f"EXCLUDED.{column} || t.{column}, " if column in json else "" for column in filled}
        sets = ", ".join(f"{column} = COALESCE({both[column]}t.{column}, EXCLUDED.{column})" for column in filled)
        # What the database says of a row, such as when it was written, is said anew.
        sets += "".join(f", {column} = DEFAULT" for column, field in self.fields.items() if self._of_database(field))
        # A row that has none of our ids was there before (a partitioned table cannot return xmax).
        returned = ", ".join([*self.key, *filled])
        return (
            f"WITH done AS ({statement} DO UPDATE SET {sets} RETURNING t.*) SELECT {returned} FROM done "
            "WHERE NOT EXISTS (SELECT FROM unnest(%s::bigint[]) AS ours(id) WHERE ours.id = done.id)"
        )

    @cache  # noqa: B019  (tables live as long as the process)
    def _update(self, columns: tuple[str, ...]) -> str:
        pk = next(column for column, field in self.fields.items() if field.primary_key)
        sets = ", ".join(f"{column} = v.{column}" for column in columns)
        values = ", ".join(f"%s::{self.types[column]}[]" for column in (pk, *columns))
        return f"UPDATE {self.name} AS t SET {sets} FROM unnest({values}) AS v({', '.join((pk, *columns))}) WHERE t.{pk} = v.{pk}"


def array(values: Iterable[Any]) -> str:
    """A PostgreSQL array literal of scalars. Structures become JSON."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if "\\" in value or '"' in value:
            value = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{value}"'
    if isinstance(value, dict | list):
        return _element(orjson.dumps(value).decode())
    return f'"{value}"'


def _sql_type(field: models.Field[Any, Any]) -> str:
    """The type to read an array of this column as. Text is left unbounded, so that what is too long is an error, never cut."""
    from django.db import connection

    if isinstance(field, models.ForeignKey):
        return _sql_type(field.target_field)
    if isinstance(field, models.CharField | models.TextField):
        return "text"
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))
