"""Every service that writes for a person or a program tells the audit, or says here why not.

Read from the source: what a function calls, through all functions of ours. A function that is handed a batch or a cursor is on
the way of the stations' messages, which are no audit.
"""

import ast
from functools import cache
from pathlib import Path

from django.conf import settings

ROOT: Path = settings.BASE_DIR
SERVICES = [
    *sorted(ROOT.glob("accounts/*.py")),
    *sorted(ROOT.glob("stations/services/*.py")),
    *sorted(ROOT.glob("billing/*.py")),
    *sorted(ROOT.glob("csms/*/services.py")),
]
WRITES = {
    *("save", "create", "update", "delete", "execute", "executemany", "bulk_create", "bulk_update", "get_or_create"),
    *("update_or_create", "copy"),
}
RECORDS = {"accounts.audit.record", "accounts.audit.record_all"}
HANDED = {"batch", "cursor"}
#: Services that write and tell nothing, and why.
SILENT = {
    "accounts.services.choose_language": "how a person likes to read is theirs",
    "accounts.services.delete_view": "what a person saved for themselves",
    "accounts.services.save_view": "what a person saves for themselves",
    "accounts.services.note_key_use": "that a key is used is no change of anything",
    "accounts.drivers.change": "a driver's own name and language",
    "csms.webhooks.services.deliver": "stands in the deliveries",
    "stations.services.diagnostics.sweep": "the end of a log that did not come stands in its row",
    "stations.services.customerinformation.let_go": "what stations told of customers, by a term of the system's",
    "stations.services.certificatekeeping.let_go": "certificates that are there no more, by a term of the system's",
    "stations.services.connectionkeeping.let_go": "by the terms that somebody set, which was told then",
    "stations.services.eventkeeping.let_go": "what stations noticed, by the term of states",
    "stations.services.displaymessage.let_go": "what was over long ago, by a term of the system's",
    "stations.services.smartcharging.sweep": "a report of profiles that did not come is noted in its rows",
    "stations.services.evneeds.sweep": "a car's needs that nobody met in time are noted in their row",
    "stations.services.runningcosts.tell": "what a running session costs is told by a clock, not by anybody",
    "stations.services.findingdays.let_go": "counts of what stations said, by a term of the system's",
    "stations.services.firmware.fetched": "a station's doing, which stands in the update's steps",
    "stations.services.firmware.sweep": "the end of an update by its term stands in its steps",
    "stations.services.localauthlist.assign": "follows from the rules, which were told",
    "stations.services.locallistwork.number": "of changes of tags, which were told",
    "stations.services.locallistwork.of_operator": "follows from the rules and the tags, which were told; stands in the commands",
    "stations.services.logkeeping.let_go": "by the terms that somebody set, which was told then",
    "stations.services.loguploads.arrived": "a station's doing",
    "stations.services.loguploads.broke": "a station's doing",
    "stations.services.loguploads.came": "a station's doing",
    "stations.services.connections.forget_sent": "what strangers sent, by its term",
    "stations.services.connections.forget_refusals": "who was turned away, by its term",
    "stations.services.presence.sweep": "whether stations are heard is no change of anybody's",
    "stations.services.publishing.sweep": "the end of a publication by its term stands in its row",
    "billing.services.write": "a first record, made by rule, is its own trace; whoever corrects one tells it",
    "billing.archives.let_go": "files that can be made anew, by a term of the system's",
    "billing.pricepoints.let_go": "a market's prices, by a term of the system's",
    "billing.meterkeys.seen": "a key that a station sent: its own doing, which stands in the row",
    "billing.signedchecks.check_transaction": "what a signature came to stands in its check and the findings",
    "billing.receipts.call_for": "has made what each record gets anyway",
    "billing.receipts.issue": "made of a record by rule, and never changed: the receipt is its own trace",
    "billing.receipts.make_receipt": "the same",
    "stations.services.commandends.sweep": "the end of a command by its term stands in the command",
    "stations.services.commandends.decide": "the end of a command by what the station did stands in the command",
    "stations.services.reserving.sweep": "the end of a reservation by its term, which was told when it was asked for",
    "stations.services.restoring.asked": "what was asked then; the replay as a whole is told",
    "stations.services.restoring.set_as_then": "what a charger's recording shows; the replay as a whole is told",
    "stations.services.quirks.sync": "what a release ships",
    "stations.services.quarters.count": "counts what stations said",
    "stations.services.registry.add_as_it_comes": "a station's own doing, in trials",
    "stations.services.stale.look": "what is closed by rule stands in the transaction and its findings",
    "stations.services.stale.sweep": "what is closed by rule stands in the transaction and its findings",
    "stations.services.security.let_go": "events of stations, by a term of the system's",
    "stations.services.retention.let_go": "by the terms that somebody set, which was told then",
}


@cache
def module(name: str) -> tuple[dict[str, ast.FunctionDef], dict[str, str]] | None:
    """The functions of one of our modules, and what its imported names mean."""
    path = ROOT / (name.replace(".", "/") + ".py")
    if not path.is_file():
        path = ROOT / name.replace(".", "/") / "__init__.py"
    if not path.is_file():
        return None
    tree = ast.parse(path.read_text())
    names = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}, names


@cache
def reached(function: str) -> frozenset[str]:
    """The functions of ours and the writing methods that a function comes to, however deep."""
    found: set[str] = set()
    todo = [function]
    while todo:
        one = todo.pop()
        if one in found:
            continue
        found.add(one)
        home, _, name = one.rpartition(".")
        known = module(home)
        if known is None or name not in known[0]:
            continue
        functions, names = known
        for node in ast.walk(functions[name]):
            match node:
                case ast.Name(id=called) if called in functions:
                    todo.append(f"{home}.{called}")
                case ast.Name(id=called) if called in names:
                    todo.append(names[called])
                case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=called)) if owner in names:
                    todo.append(f"{names[owner]}.{called}")
                    found.add(called)
                case ast.Call(func=ast.Attribute(attr=called)):
                    found.add(called)
    return frozenset(found)


def services() -> set[str]:
    """What one can ask of the services by name: public functions with arguments that must be named."""
    return {
        f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}.{node.name}"
        for path in SERVICES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and node.args.kwonlyargs
        and not node.name.startswith("_")
        and not {arg.arg for arg in node.args.args} & HANDED
    }


def writing() -> set[str]:
    return {name for name in services() if reached(name) & WRITES and not name.startswith("accounts.audit.")}


def test_every_service_that_writes_tells_the_audit_or_says_why_not() -> None:
    assert {name for name in writing() if not reached(name) & RECORDS} == set(SILENT)


def test_the_source_is_read_as_it_is() -> None:
    found = writing()
    assert {"accounts.services.add_id_token", "stations.services.commandruns.start", "billing.tariffs.add_tariff"} <= found
    assert "accounts.audit.record" in reached("accounts.services.change_id_token")
    assert "accounts.imports.preview_id_tokens" not in found
