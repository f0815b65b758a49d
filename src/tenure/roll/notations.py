"""Identifiers in one notation, in SQL: what ``model.identifiers`` does to one text, done to millions.

Each function takes a column and gives an expression; a test holds them against ``model.identifiers``.
"""

from __future__ import annotations

SERIAL_EXACT = "serial-exact"
"""How ``t_found`` calls a serial of a maker whose leading zeros are significant: it is found by the exact text only."""


def serial(column: str) -> str:
    """Upper case, no white space; a serial of digits without its leading zeros."""
    return (
        rf"CASE WHEN regexp_full_match({column}, '\s*[0-9]+\s*') THEN coalesce(nullif(ltrim(trim({column}), '0'), ''), '0') "
        f"ELSE {serial_exact(column)} END"
    )


def serial_exact(column: str) -> str:
    """Upper case, no white space, with leading zeros."""
    return rf"regexp_replace(upper({column}), '[\s\x{{00A0}}]+', '', 'g')"


def filler(column: str) -> str:
    """Whether a normalised serial names no device: a known filler (temp table t_filler), or one character over and over."""
    return f"({column} IN (SELECT value FROM t_filler) OR replace(replace({column}, '-', ''), left(replace({column}, '-', ''), 1), '') = '')"  # noqa: S608 - a notation


def mac(column: str) -> str:
    """The MAC at the end of a text as twelve lower-case hex digits; empty where there is none."""
    return (
        rf"regexp_replace(regexp_extract(lower(trim({column})), '(?:^|[^0-9a-f])((?:[0-9a-f]{{2}}[:.-]?){{5}}[0-9a-f]{{2}})$', 1), "
        "'[:.-]', '', 'g')"
    )


def name(column: str) -> str:
    """Lower case, runs of dash, underscore, dot and space as one dash."""
    return rf"trim(regexp_replace(lower(trim({column})), '[-_.\s]+', '-', 'g'), '-')"
