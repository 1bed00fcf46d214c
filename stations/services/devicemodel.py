"""The device model (OCPP 2.0.1 chapter B): what stations say of their settings, kept beside what is wanted."""

from stations.batch import Batch
from stations.domain.commands import VariableName, VariableReport
from stations.domain.commands.monitoring import BASES, LEAST_SEVERE, MONITORING, SAYS_BASE, SAYS_LEVEL
from stations.domain.showing import matters
from stations.domain.values import Note, Severity
from stations.models import Variable
from stations.state import OUTDATED

#: No station has an EVSE or a connector of a higher number.
HIGHEST = 255
#: By which id tokens may be held to some plugs.
PLUG_TYPE = ("Connector", "ConnectorType")


def possible(batch: Batch, name: VariableName) -> bool:
    """Whether a station may have this; else there is a finding."""
    if 0 <= name.evse <= HIGHEST and 0 <= name.connector <= HIGHEST:
        return True
    detail = f"A setting of {name.component} names EVSE {name.evse} and connector {name.connector}, which no station has."
    batch.note(Note("evse_impossible", name.variable, detail, Severity.WARNING))
    return False


#: The base and the level of a station's monitoring that are at work stand with its monitors, too: told are others than were set.
AT_WORK = {
    **dict.fromkeys(SAYS_BASE, ("base", frozenset(BASES))),
    **dict.fromkeys(SAYS_LEVEL, ("level", frozenset(str(level) for level in range(LEAST_SEVERE + 1)))),
}
TOLD = "UPDATE stations_devicemodel SET {0} = %s, {0}_at = %s WHERE station_id = %s AND {0} IS DISTINCT FROM %s"


def _keep_at_work(batch: Batch, report: VariableReport) -> None:
    column, values = AT_WORK[report.name.variable]
    if report.known and report.attribute == "Actual" and report.value in values:
        batch.cursor.execute(TOLD.format(column), (report.value, batch.now, batch.station.id, report.value))


def store(batch: Batch, report: VariableReport) -> None:
    """Keep what a station reported of a setting, beside what is wanted."""
    name = report.name
    if not possible(batch, name):
        return
    if matters(name.component, name.variable) or (name.component, name.variable) == PLUG_TYPE:
        batch.station.version = OUTDATED  # what it can show, and of which type its plugs are, is read anew before its next message
    if name.component == MONITORING and name.variable in AT_WORK:
        _keep_at_work(batch, report)
    batch.add(
        Variable,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        component=name.component,
        component_instance=name.component_instance,
        evse_number=name.evse,
        connector_number=name.connector,
        variable=name.variable,
        variable_instance=name.variable_instance,
        attribute=report.attribute,
        value=report.value,
        mutability=report.mutability,
        known=report.known,
        data_type=report.data_type,
        unit=report.unit,
        values=report.values,
        persistent=report.persistent,
        constant=report.constant,
        lowest=report.lowest,
        highest=report.highest,
        monitorable=report.monitorable,
        reported_at=batch.now,
    )
