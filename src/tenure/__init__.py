"""Tenure: the lifecycle control plane for the machine identities of IoT fleets.

The folders are the loop, and every arrow changes the type:

    OBSERVE  sources/      an export, a log            -> a snapshot           (evidence/)
    LINK     roll/         snapshots + declarations    -> the roll             (one DuckDB file)
    JUDGE    rules/        the roll                    -> findings             (plain SQL, run by roll/)
    SHOW     reports/      findings                    -> terminal, json, sarif, html ...

``model/`` holds the vocabulary, ``pki/`` turns bytes into it, ``flows/`` are the verbs, ``cli/`` is the face and
``wiring`` is the one place that names the members of each family.
"""

__version__ = "0.1.0"
