"""Coverage-guided fuzzing of the certificate parsers: ``python tests/fuzz/der_walker.py -max_total_time=60 [CORPUS_DIR]``.

Needs ``atheris`` beside the runtime requirements; nothing else of the project does, so it is no requirement of it. Options are
libFuzzer's. What it looks for: an exception no parser may raise, a reader that disagrees with the other, an input that takes
longer than ``-timeout``. A crash leaves its input in the working folder.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tenure.pki"]):
    from tenure.pki import crls, signatures
    from tenure.pki.certificates import NoCertificateError, read, read_by_property
    from tenure.pki.containers import Contained, carve, certificates_in
    from tenure.pki.crls import NoCrlError

SEEDS = 40


def one_input(data: bytes) -> None:
    """The first byte says which parser, the rest is its input."""
    kind, data = data[:1], data[1:]
    if kind < b"\x80":
        _certificate(data)
    elif kind < b"\xc0":
        for _ in certificates_in(data, (b"x",)):
            pass
        for _ in carve(data):
            pass
    else:
        try:
            crls.read(data)
        except NoCrlError:
            return


def _certificate(data: bytes) -> None:
    try:
        facts = read(data)
    except NoCertificateError:
        return
    if facts != read_by_property(data):
        raise AssertionError("the readers disagree")
    signatures.verify(facts.der, facts.der)


def seeds(folder: Path) -> None:
    """Certificates and lists of the corpus of real exports, where it lies beside the project."""
    corpus = Path(__file__).resolve().parents[3] / "shared" / "corpus"
    files = sorted((corpus / "tpm-vendor-cas").glob("*.pem")) + sorted((corpus / "matter-paa").glob("*"))
    files += sorted((corpus / "zlint-certificates").glob("*.pem"))[::SEEDS]
    for path in files:
        data = path.read_bytes()
        (folder / path.name).write_bytes(b"\x90" + data)
        for number, found in enumerate(certificates_in(data)):
            if isinstance(found, Contained):
                (folder / f"{path.name}.{number}").write_bytes(b"\x00" + found.der)
        for number, block in enumerate(crls.crls_in(data)):
            if isinstance(block, Contained):
                (folder / f"{path.name}.{number}.crl").write_bytes(b"\xf0" + block.der)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        arguments = list(sys.argv)
        if all(argument.startswith("-") for argument in arguments[1:]):
            seeds(Path(scratch))
            arguments.append(scratch)
        atheris.Setup([*arguments, "-timeout=10", "-max_len=8192"], one_input)
        atheris.Fuzz()
