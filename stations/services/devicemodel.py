"""The device model (OCPP 2.0.1 chapter B): what stations say of their settings, kept beside what is wanted."""

from stations.batch import Batch
from stations.domain.commands import VariableReport
from stations.models import Variable


def store(batch: Batch, report: VariableReport) -> None:
    """Keep what a station reported of a setting, beside what is wanted."""
    name = report.name
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
        reported_at=batch.now,
    )
