"""What a station says that it cannot do, looked at before it is asked."""

from stations.domain.commands import BadCommand, Command, Reset
from stations.models import Station, Variable

#: How long a chain of certificates a station takes, in characters: as it says in either version.
LONGEST_CHAIN = ("MaxCertificateChainSize", "CertificateSignedMaxChainSize")


def check(station: Station, command: Command) -> None:
    """Raises BadCommand if the station's settings say that it would not do it."""
    if isinstance(command, Reset) and command.evse is not None:
        # OCPP 2.0.1 B12: EVSE.AllowReset.
        named = {"component": "EVSE", "variable": "AllowReset", "evse_number": command.evse, "attribute": "Actual"}
        if Variable.objects.filter(station=station, known=True, value__iexact="false", **named).exists():
            raise BadCommand(
                "EVSE %(evse)s of %(station)s cannot be restarted by itself, as its settings say: restart the whole charger.",
                evse=command.evse,
                station=station.identity,
            )


def check_chain(station: Station, chain: str) -> None:
    """Raises BadCommand if a chain of certificates is longer than the station takes (OCPP 2.0.1 A02, 1.6 security whitepaper)."""
    said = Variable.objects.filter(station=station, variable__in=LONGEST_CHAIN, attribute="Actual", known=True)
    for most in said.values_list("value", flat=True):
        if (most or "").isdecimal() and 0 < int(most or 0) < len(chain):
            raise BadCommand(
                "The chain has %(n)s characters, and %(station)s takes %(most)s: leave out the root, or use shorter keys.",
                n=len(chain),
                most=most,
                station=station.identity,
            )
