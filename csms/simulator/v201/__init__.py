"""How a simulated station speaks OCPP 2.0.1."""

from csms.simulator.v201.dialect import Dialect201

__all__ = ["Dialect201"]
