"""A migration runs while stations charge: on a table that grows it writes nothing anew and holds nobody up for long."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.postgres import operations as postgres
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now

#: Models whose tables grow with what stations say and people do.
BIG = {
    *("transaction", "metersample", "statushistory", "messagelogentry", "finding", "meterquarter", "meterday"),
    *("connectionhistory", "command", "outboxentry", "repairmessage", "chargerecord"),
    *("refusal", "monitorevent", "signedreading", "webhookdelivery", "auditentry", "idtoken"),
}
TABLES = "|".join(f"(?:accounts|stations|billing|csms)_{name}" for name in BIG)
OURS = ("accounts", "stations", "billing", "csms")
#: The migrations before anybody had big tables.
FIRST = {"0001_initial", "0002_partitioned_tables", "0003_commands_and_variables", "0004_transaction_fillfactor"}
#: Those before id tags and refusals were counted among them.
EARLIER = {("accounts", "0007_drivers"), ("accounts", "0011_local_lists"), ("stations", "0022_onboarding")}
CONCURRENT = (postgres.AddIndexConcurrently, postgres.RemoveIndexConcurrently)
#: What holds up writers while it reads or writes a whole table, in SQL.
LONG = {
    "an index built while writers wait: CREATE INDEX CONCURRENTLY": r"create (?:unique )?index (?!concurrently)(?!.* on only )",
    "an index dropped while writers wait: DROP INDEX CONCURRENTLY": r"drop index (?!concurrently)",
    "a type that writes the table anew": r"alter (?:column )?\w+ (?:set data )?type ",
    "a table that is read under a lock: a CHECK that is NOT VALID first": r"set not null",
    "a constraint that is not NOT VALID first": r"add constraint (?!.*not valid)",
    "a table that is written anew": r"(?:vacuum full|cluster |reindex (?!.*concurrently))",
    "rows that are changed in one statement: a task does it in pieces": r"^\s*(?:update|delete from) ",
}


def dangers(operation: Operation, app: str, before: ProjectState, after: ProjectState) -> Iterator[str]:
    """Why an operation should not be run on a table that is big."""
    match operation:
        case migrations.SeparateDatabaseAndState():
            for inner in operation.database_operations:
                yield from dangers(inner, app, before, after)
        case migrations.RunSQL():
            yield from in_sql(operation.sql if isinstance(operation.sql, str) else str(operation.sql))
        case migrations.RunPython():
            for text in re.findall(r'execute\(\s*f?(".*?"|""".*?""")', inspect.getsource(operation.code), re.DOTALL):
                # A name that a loop or a constant fills in is one of a big table until shown otherwise.
                yield from in_sql(re.sub(r"\{\w+\}", " stations_metersample ", text.strip('"')))
        case _ if isinstance(operation, CONCURRENT):
            return
        case migrations.AddIndex() | migrations.RemoveIndex() if operation.model_name.lower() in BIG:
            yield "an index built or dropped while writers wait: use AddIndexConcurrently, RemoveIndexConcurrently"
        case migrations.AddConstraint() if operation.model_name.lower() in BIG and not isinstance(
            operation, postgres.AddConstraintNotValid
        ):
            yield "a constraint that reads the whole table: use AddConstraintNotValid, and validate it in a second step"
        case migrations.AddField() if operation.model_name.lower() in BIG:
            yield from in_new_field(operation.field)
        case migrations.AlterField() if operation.model_name.lower() in BIG:
            key = (app, operation.model_name.lower())
            yield from in_changed_field(before.models[key].fields[operation.name], after.models[key].fields[operation.name])
        case migrations.RenameField() | migrations.RenameModel() | migrations.AlterModelTable():
            name = getattr(operation, "model_name", None) or getattr(operation, "old_name", None) or getattr(operation, "name", "")
            if name.lower() in BIG:
                yield "a new name, which the processes still running do not know: add first, remove with a later version"


def in_sql(sql: str) -> Iterator[str]:
    made = set(re.findall(r"create table (\w+)", sql, re.IGNORECASE))
    for statement in re.sub(r"--.*", "", sql).split(";"):
        line = " ".join(statement.lower().split())
        named = set(re.findall(TABLES, line)) - made
        if named or line.startswith("drop index"):
            yield from (f"{danger}: {line}" for danger, pattern in LONG.items() if re.search(pattern, line))


def in_new_field(field: "models.Field[Any, Any]") -> Iterator[str]:
    if field.many_to_many:
        return
    if not field.null and field.db_default is models.NOT_PROVIDED:
        yield "a new column that is neither null nor has a db_default, without which running processes cannot insert"
    if isinstance(field.db_default, models.expressions.BaseExpression) and not isinstance(field.db_default, Now | models.Value):
        yield "a db_default that may differ from row to row, and so writes each of them"
    if field.unique or field.db_index:
        yield "a new column with an index: AddIndexConcurrently makes it (db_index=False on a foreign key)"
    if isinstance(field, models.GeneratedField):
        yield "a generated column, which writes the table anew"


def in_changed_field(old: "models.Field[Any, Any]", new: "models.Field[Any, Any]") -> Iterator[str]:
    if old.null and not new.null:
        yield "NOT NULL, which reads the whole table under a lock"
    if (new.db_index and not old.db_index) or (new.unique and not old.unique):
        yield "an index built while writers wait: use AddIndexConcurrently"
    if type_of(old) != type_of(new) and not widened(old, new):
        yield f"a type that writes the table anew: {type_of(old)} to {type_of(new)}"


def type_of(field: "models.Field[Any, Any]") -> str | None:
    # A field of a state is bound to no model; a foreign key's type is that of a key.
    return "bigint" if isinstance(field, models.ForeignKey) else field.db_type(connection)


def widened(old: "models.Field[Any, Any]", new: "models.Field[Any, Any]") -> bool:
    """A longer text is only another limit."""
    texts = (models.CharField, models.TextField)
    if not (isinstance(old, texts) and isinstance(new, texts)):
        return False
    return new.max_length is None or (old.max_length is not None and new.max_length >= old.max_length)


def all_of_ours() -> list[tuple[str, str]]:
    keys = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return sorted(key for key in keys if key[0] in OURS and key[1] not in FIRST and key not in EARLIER)


@pytest.mark.parametrize(("app", "name"), all_of_ours(), ids="/".join)
def test_no_migration_holds_up_a_network(app: str, name: str) -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    state = loader.project_state((app, name), at_end=False)
    found, made = [], set()
    for operation in loader.disk_migrations[app, name].operations:
        before = state.clone()
        operation.state_forwards(app, state)
        if isinstance(operation, migrations.CreateModel):
            made.add(operation.name_lower)
        elif getattr(operation, "model_name_lower", "") not in made:
            found += list(dangers(operation, app, before, state))
    assert found == []


@pytest.mark.parametrize(("app", "name"), all_of_ours(), ids="/".join)
def test_every_migration_can_be_reversed(app: str, name: str) -> None:
    migration = MigrationLoader(None, ignore_no_migrations=True).disk_migrations[app, name]
    assert [operation for operation in migration.operations if not operation.reversible] == []


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddIndex("Transaction", models.Index(fields=["doubt"], name="x")),
        migrations.RemoveIndex("transaction", "transaction_station_active"),
        migrations.AddConstraint("finding", models.UniqueConstraint(fields=["code"], name="x")),
        migrations.AddField("transaction", "x", models.IntegerField(default=0)),
        migrations.AddField("transaction", "x", models.IntegerField(null=True, db_index=True)),
        migrations.AddField("transaction", "x", models.ForeignKey("stations.Site", models.CASCADE, null=True)),
        migrations.AddField("transaction", "x", models.FloatField(db_default=models.Func(function="random"))),
        migrations.AlterField("transaction", "connector_number", models.TextField()),
        migrations.AlterField("transaction", "id_tag", models.CharField(max_length=20)),
        migrations.AlterField("transaction", "id_tag", models.CharField(max_length=255, db_index=True)),
        migrations.AlterField("transaction", "stopped_at", models.DateTimeField()),
        migrations.RenameField("transaction", "id_tag", "tag"),
        migrations.RunSQL("CREATE INDEX x ON stations_transaction (doubt)"),
        migrations.RunSQL("ALTER TABLE stations_finding ALTER COLUMN count TYPE bigint"),
        migrations.RunSQL("ALTER TABLE stations_finding ALTER count SET NOT NULL"),
        migrations.RunSQL("SELECT 1; UPDATE stations_transaction SET doubt = ''"),
        migrations.RunPython(lambda apps, editor: editor.execute("CREATE INDEX x ON stations_metersample (at)")),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_would_hold_it_up_is_found(operation: Operation) -> None:
    assert found_in(operation)


@pytest.mark.parametrize(
    "operation",
    [
        postgres.AddIndexConcurrently("transaction", models.Index(fields=["doubt"], name="x")),
        migrations.AddIndex("site", models.Index(fields=["city"], name="x")),
        migrations.AddField("transaction", "x", models.IntegerField(null=True)),
        migrations.AddField("transaction", "x", models.IntegerField(db_default=0)),
        migrations.AlterField("transaction", "doubt", models.CharField(max_length=30, choices=[("a", "A")])),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY x ON stations_transaction (doubt)"),
        migrations.RunSQL("CREATE INDEX x ON ONLY stations_metersample (at)"),
        migrations.RunSQL("ALTER TABLE stations_finding ADD CONSTRAINT x CHECK (count > 0) NOT VALID"),
        migrations.RunSQL("ALTER TABLE stations_transaction SET (fillfactor = 60)"),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_holds_nobody_up_is_let_pass(operation: Operation) -> None:
    assert found_in(operation) == []


def found_in(operation: Operation) -> list[str]:
    before = MigrationLoader(None, ignore_no_migrations=True).project_state()
    after = before.clone()
    operation.state_forwards("stations", after)
    return list(dangers(operation, "stations", before, after))
