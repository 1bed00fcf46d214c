"""Simulated stations of OCPP 1.6 and 2.0.1 for any CSMS. Knows nothing of this CSMS: no models, no settings, no database."""

from csms.simulator.battery import AC_11KW, AC_22KW, CCS_50KW, CCS_150KW, CHADEMO_50KW, Battery, Car, Supply
from csms.simulator.client import Acknowledged
from csms.simulator.clock import ScriptedClock, WallClock
from csms.simulator.errors import (
    BadAnswer,
    CallFailed,
    CallRefused,
    HandshakeRefused,
    NoAnswer,
    SimulatorError,
    StationOffline,
    Unreachable,
)
from csms.simulator.relay import LocalController
from csms.simulator.station import SimulatedStation

__all__ = [
    "AC_11KW",
    "AC_22KW",
    "CCS_50KW",
    "CCS_150KW",
    "CHADEMO_50KW",
    "Acknowledged",
    "BadAnswer",
    "Battery",
    "CallFailed",
    "CallRefused",
    "Car",
    "HandshakeRefused",
    "LocalController",
    "NoAnswer",
    "ScriptedClock",
    "SimulatedStation",
    "SimulatorError",
    "StationOffline",
    "Supply",
    "Unreachable",
    "WallClock",
]
