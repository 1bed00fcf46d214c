"""Chapter N, privacy: what a station keeps of a customer."""

from dataclasses import dataclass
from typing import Any, ClassVar

from stations.domain.command import BadCommand, Command, need_one_of, need_text

#: OCPP 2.0.1 IdTokenEnumType.
TOKEN_TYPES = ("Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization")
#: What names a certificate (OCPP 2.0.1 CertificateHashDataType), and how long each may be.
CERTIFICATE = {"hash_algorithm": 6, "issuer_name_hash": 128, "issuer_key_hash": 128, "serial_number": 40}
ALGORITHMS = ("SHA256", "SHA384", "SHA512")


@dataclass(frozen=True, slots=True)
class CustomerInformation(Command):
    """Ask what a station keeps of a customer (`report`), have it deleted (`clear`), or both (OCPP 2.0.1 N09-N10).

    The customer is one of: an `id_token` with its `id_token_type`, a `customer_identifier`, or a `customer_certificate`
    {"hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number"}.
    """

    report: bool = True
    clear: bool = False
    id_token: str | None = None
    id_token_type: str | None = None
    customer_identifier: str | None = None
    customer_certificate: dict[str, Any] | None = None
    kind: ClassVar[str] = "customer_information"
    verb: ClassVar[str] = "customers.fetch"

    def check(self) -> None:
        for name, value in (("report", self.report), ("clear", self.clear)):
            if not isinstance(value, bool):
                raise BadCommand("%(name)s must be true or false.", name=name)
        if not self.report and not self.clear:
            raise BadCommand("Say what is wanted: report, clear, or both.")
        named = [one for one in (self.id_token, self.customer_identifier, self.customer_certificate) if one is not None]
        # Exactly one (OCPP 2.0.1 CustomerInformationRequest).
        if len(named) != 1:
            raise BadCommand("Name the customer by one of id_token, customer_identifier and customer_certificate.")
        if self.id_token is not None:
            need_text("id_token", self.id_token, 36)
            need_one_of("id_token_type", self.id_token_type or "ISO14443", TOKEN_TYPES)
        elif self.id_token_type is not None:
            raise BadCommand("id_token_type needs its id_token.")
        if self.customer_identifier is not None:
            need_text("customer_identifier", self.customer_identifier, 64)
        if self.customer_certificate is not None:
            certificate = self.customer_certificate
            if not isinstance(certificate, dict) or set(certificate) != set(CERTIFICATE):
                raise BadCommand("customer_certificate needs exactly %(names)s.", names=", ".join(CERTIFICATE))
            for name, longest in CERTIFICATE.items():
                need_text(name, certificate[name], longest)
            need_one_of("hash_algorithm", certificate["hash_algorithm"], ALGORITHMS)

    def without_secrets(self) -> dict[str, Any]:
        """Who it was about is kept with what came of it, for a bounded time; not in the list of commands, which all may see."""
        hidden = {"id_token": self.id_token, "customer_identifier": self.customer_identifier}
        kept = self.params() | {name: "***" for name, value in hidden.items() if value is not None}
        if self.customer_certificate is not None:
            algorithm = self.customer_certificate.get("hash_algorithm", "SHA256")
            kept["customer_certificate"] = dict.fromkeys(CERTIFICATE, "***") | {"hash_algorithm": algorithm}
        return kept


ALL: tuple[type[Command], ...] = (CustomerInformation,)
