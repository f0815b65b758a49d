"""Certificates to facts, by two readers: the walker alone where it may be trusted, pyca/cryptography as the arbiter of the rest.

The walker alone is trusted where it met nothing odd, the library takes structure and key, and every extension and
algorithm in it is one the library has taken before, byte for byte. Everything else is read by the library property by
property; what it refuses or raises on is taken from the walk and told as a problem. Why: docs/decisions/0003.
"""

from __future__ import annotations

import warnings
from typing import Any, Final

from cryptography import x509

from tenure.pki import property_reader
from tenure.pki.extensions import beyond_judgement, join
from tenure.pki.facts import COLUMNS, CertificateFacts, NoCertificateError, ReadingProblem
from tenure.pki.public_keys import on_p256
from tenure.pki.walker import Walked, careful, straight, walk

__all__ = ["COLUMNS", "CertificateFacts", "NoCertificateError", "ReadingProblem", "read", "read_by_property"]

_accepted_algorithms: Final[set[bytes]] = set()
"""Pairs of AlgorithmIdentifiers the library took without a warning; bounded by _MOST_REMEMBERED."""
_MOST_REMEMBERED: Final = 1024


def read(der: bytes) -> CertificateFacts:
    """All that can be read of the certificate the bytes begin with.

    Raises NoCertificateError where no certificate can be seen in them, and nothing else.
    """
    walked = straight(der)
    if walked is None:
        return _arbitrated(careful(der))
    facts, extensions, spki, algorithms = walked
    if algorithms in _accepted_algorithms and facts.key_bits is not None and facts.serial_hex and facts.serial_hex[0] not in "-0":
        for extension in extensions:
            if not extension.accepted:
                break
        else:
            try:
                certificate = x509.load_der_x509_certificate(der)
                if not on_p256(spki):
                    certificate.public_key()
            except Exception:  # noqa: BLE001 - whatever the library raises means that it does not take it; _arbitrated tells why
                return _arbitrated(walked)
            return facts
    return _arbitrated(walked)


def read_by_property(der: bytes) -> CertificateFacts:
    """The same by the library first, whatever the walker thinks: the reference the quick way is tested against."""
    return _arbitrated(walk(der))


def _arbitrated(walked: Walked) -> CertificateFacts:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            certificate = x509.load_der_x509_certificate(walked.facts.der)
        except Exception as error:  # noqa: BLE001 - a refusal in any form is a verdict on the certificate, told as a problem
            refusal = ReadingProblem("der", f"cryptography refuses the structure: {error}", "der-refused")
            return _with(walked.facts, {"reader": "partial"}, (refusal, *walked.facts.problems))
        columns, raised = property_reader.read(certificate)
    facts = _merged(walked.facts, columns, raised)
    if not told and facts == walked.facts:
        _remember(walked, certificate)
    return facts


def _remember(walked: Walked, certificate: x509.Certificate) -> None:
    """The readers agreed on it, so the extensions and algorithms in it need not be asked about again."""
    single = [member for extension in walked.extensions for member in (extension.members or (extension,))]
    for extension, seen in zip(single, certificate.extensions, strict=True):
        extension.accepted = True
        if isinstance(seen.value, x509.UnrecognizedExtension) and len(beyond_judgement) < _MOST_REMEMBERED:
            beyond_judgement.add(extension.oid)
    join(single)
    if len(_accepted_algorithms) < _MOST_REMEMBERED:
        _accepted_algorithms.add(walked.algorithms)


def _merged(facts: CertificateFacts, columns: dict[str, Any], raised: list[ReadingProblem]) -> CertificateFacts:
    """The library's word for every column it told; the walk's for those it raised on, and the walk's reason where it has one."""
    problems = [p for p in facts.problems if p.code == "trailing-bytes"]
    for problem in raised:
        group = property_reader.GROUPS.get(problem.field, frozenset({problem.field}))
        own = [
            ReadingProblem(p.field, p.reason, problem.code)
            for p in facts.problems
            if p.field in group or p.field == problem.field
        ]
        problems += own or [problem]
        for name in group:
            columns[name] = getattr(facts, name)
    columns["reader"] = "partial" if raised else "full"
    return _with(facts, columns, tuple(problems))


def _with(facts: CertificateFacts, columns: dict[str, Any], problems: tuple[ReadingProblem, ...]) -> CertificateFacts:
    told: tuple[Any, ...] = (*(columns[name] if name in columns else getattr(facts, name) for name in COLUMNS), problems)
    return CertificateFacts(*told)
