"""The triggers by which a change of prices, whoever makes it, changes the version of its operator's price list.

A table of which prices are made has `operator_id` and, in the migration that makes it, `RunSQL(watch(table), unwatch(table))`.
"""

FUNCTION = """
CREATE SEQUENCE billing_pricelist_version;
CREATE FUNCTION billing_prices_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing_pricelist (operator_id, version)
    SELECT operator_id, nextval('billing_pricelist_version')
    FROM (SELECT DISTINCT operator_id FROM changed ORDER BY operator_id) AS c
    ON CONFLICT (operator_id) DO UPDATE SET version = EXCLUDED.version;
    RETURN NULL;
END $$
"""
NO_FUNCTION = "DROP FUNCTION billing_prices_changed(); DROP SEQUENCE billing_pricelist_version"
#: Statements, and where one finds the rows they changed.
CHANGES = {"insert": "NEW", "update": "NEW", "delete": "OLD"}


def watch(table: str) -> str:
    return ";\n".join(
        f"CREATE TRIGGER {table}_{change}_price AFTER {change.upper()} ON {table} REFERENCING {rows} TABLE AS changed"
        " FOR EACH STATEMENT EXECUTE FUNCTION billing_prices_changed()"
        for change, rows in CHANGES.items()
    )


def unwatch(table: str) -> str:
    return ";\n".join(f"DROP TRIGGER {table}_{change}_price ON {table}" for change in CHANGES)
