"""What is told of a finding."""

from dataclasses import dataclass

from django.utils.functional import Promise

Word = str | Promise


@dataclass(frozen=True, slots=True)
class Words:
    """`says`: what the rule is; `source`: where OCPP has it; `change`: what the vendor should do, empty if it is not at fault."""

    title: Word
    says: Word
    source: str = ""
    change: Word = ""
