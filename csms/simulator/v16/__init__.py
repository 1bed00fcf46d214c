"""How a simulated station speaks OCPP 1.6."""

from csms.simulator.v16.dialect import Dialect16

__all__ = ["Dialect16"]
