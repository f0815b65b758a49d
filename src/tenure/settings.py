"""What the operator sets: where the registry lies, who may reach it and how, how long things are kept.

Sources, the stronger first: what the caller names, ``TENURE_*`` of the environment (``TENURE_LIMITS__BODY_BYTES`` for
``limits.body_bytes``), a TOML file, the defaults here. A word that no setting has is refused, in either source: a slip of
the pen must not become a default. Secrets are never settings, only the folder they lie in. ``docs/settings.md`` is made
from this file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as PydanticSettingsError

from tenure.errors import TenureError

PREFIX = "TENURE_"
FILE = "TENURE_SETTINGS"
NOT_SETTINGS = frozenset({FILE, "TENURE_STORE", "TENURE_TOKEN", "TENURE_SERVER", "TENURE_VENV"})  # read elsewhere

Seconds = Annotated[float, Field(gt=0)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Count = Annotated[int, Field(ge=1)]


class SettingsError(TenureError):
    """A setting that is none, or says what cannot be."""


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(_Group):
    """Where `tenure serve` listens."""

    host: str = Field(default="127.0.0.1", description="Address to listen on. Other than the loopback needs `tls`.")
    port: int = Field(default=8700, ge=0, le=65535, description="Port; 0 takes a free one.")
    socket: Path | None = Field(default=None, description="A unix socket in place of address and port.")
    connections: Count = Field(default=1000, description="Connections at once; those beyond are answered 503.")
    proxies: tuple[str, ...] = Field(default=(), description="Addresses of proxies in front whose X-Forwarded-For is believed.")


class Tls(_Group):
    """TLS of `tenure serve` itself. Certificate and key together, or neither."""

    certificate: Path | None = Field(default=None, description="PEM chain of the server.")
    key: Path | None = Field(default=None, description="PEM private key of the server, not encrypted, for its user alone.")
    clients: Path | None = Field(default=None, description="PEM anchors of client certificates. Without it none are asked for.")

    @model_validator(mode="after")
    def whole(self) -> Tls:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: set both or neither")
        if self.clients is not None and self.certificate is None:
            raise ValueError("clients needs certificate and key")
        return self


class Limits(_Group):
    """How much a caller may ask of one process."""

    body_bytes: Count = Field(default=1 << 20, description="The largest body of a request.")
    header_count: Count = Field(default=64, description="The most headers of a request.")
    header_bytes: Count = Field(default=16 << 10, description="All headers together.")
    target_bytes: Count = Field(default=8 << 10, description="Path and query together.")
    address_per_second: Seconds = Field(default=200.0, description="Requests of one address in the long run.")
    address_burst: Count = Field(default=400, description="Requests of one address at once.")
    caller_per_second: Seconds = Field(default=100.0, description="Requests of one token or certificate in the long run.")
    caller_burst: Count = Field(default=200, description="Requests of one token or certificate at once.")


class Ledger(_Group):
    """The ledger: its name, how often events get their place, and where they are shipped to."""

    origin: str = Field(
        default="", description="Name of this ledger in checkpoints; empty: made from the instance at first start."
    )
    shelf: Path | None = Field(
        default=None, description="Folder outside the database that checkpoints and entries are shipped to."
    )
    sequence_seconds: Seconds = Field(default=0.2, description="Pause between two looks for events without a place.")
    ship_seconds: Seconds = Field(default=2.0, description="Pause between two shipments.")
    lag_seconds: Seconds = Field(default=60.0, description="An event not shipped for longer makes /readyz say so.")


class Webhooks(_Group):
    """What receivers outside are told of (docs/webhooks.md)."""

    seconds: Seconds = Field(default=1.0, description="Pause between two looks for events to tell of.")
    local: bool = Field(default=False, description="Whether receivers may be on this machine, or on link-local addresses.")


class Approvals(_Group):
    """Four eyes."""

    devices: Count = Field(
        default=100,
        description="Devices that one offer may hand over; more take several offers. Every other verb is about one device.",
    )
    hours: Count = Field(default=72, description="How long a request waits for its second person, and an approval for its use.")


class Retention(_Group):
    """How long histories are kept. Tombstones, ledger entries and what an open obligation needs are never removed."""

    repeats_days: Days = Field(default=2, description="Answers kept for repeated requests (Idempotency-Key).")
    deliveries_days: Days = Field(default=30, description="Dead letters of webhooks.")
    approvals_days: Days = Field(default=400, description="Approvals that were used, refused or lapsed.")
    audits_days: Days = Field(default=400, description="What scheduled audits looked at.")
    rights_days: Days = Field(default=800, description="Grants, delegations, registrations, roles, decisions that ended.")
    credentials_days: Days = Field(default=800, description="Credentials, from when nothing can accept them any more.")
    obligations_days: Days = Field(default=3650, description="Settled obligations: the proof of an offboarding.")
    reasons_days: Days = Field(default=3650, description="Reasons that people gave; events keep a salted digest.")


class Settings(BaseSettings):
    """All settings. Made by ``load`` alone."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    database: str = Field(default="sqlite:///tenure.db", description="The registry: `sqlite:///PATH` or `postgresql://...`.")
    keys: Path = Field(default=Path("tenure-keys"), description="Folder of Tenure's own keys, for its user alone.")
    keys_passphrase_file: Path | None = Field(default=None, description="File whose first line seals the keys (docs/keys.md).")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Lines below it are not written.")
    token_days: Days = Field(default=90, description="Life of a token for which none is asked.")
    token_days_most: Days = Field(default=366, description="The longest life of a token that may be asked.")
    finding_targets: str = Field(
        default="",
        pattern=r"^((critical|high|medium|low|info)=[0-9]{1,5}(,(critical|high|medium|low|info)=[0-9]{1,5})*)?$",
        description="Days to resolve a finding in, as `critical=3,high=14` (0: none); the others keep 7, 30, 90, 180.",
    )
    listen: Listen = Field(default_factory=Listen)
    tls: Tls = Field(default_factory=Tls)
    limits: Limits = Field(default_factory=Limits)
    ledger: Ledger = Field(default_factory=Ledger)
    webhooks: Webhooks = Field(default_factory=Webhooks)
    approvals: Approvals = Field(default_factory=Approvals)
    retention: Retention = Field(default_factory=Retention)

    @model_validator(mode="after")
    def guarded(self) -> Settings:
        """Tokens do not travel in clear: beyond this machine only over TLS, here or in a proxy on this machine."""
        if self.listen.socket is None and self.listen.host not in LOOPBACK and self.tls.certificate is None:
            raise ValueError(f"listen.host {self.listen.host} needs tls.certificate and tls.key: tokens would travel in clear")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library passes it
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library passes it
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library passes it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library passes it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is handed over alone: ``load`` puts the sources together."""
        return (init_settings,)


def load(file: Path | None = None, named: Mapping[str, Any] | None = None) -> Settings:
    """The settings. ``file`` is the TOML file, else the one ``TENURE_SETTINGS`` names; ``named`` is what the caller says itself.

    Raises SettingsError with the name of the setting.
    """
    path = file or (Path(os.environ[FILE]) if FILE in os.environ else None)
    if strange := [name for name in os.environ if name.startswith(PREFIX) and name not in NOT_SETTINGS | set(_variables())]:
        raise SettingsError(
            f"{sorted(strange)[0]} names no setting", "docs/settings.md lists the variables; take it out or mend it"
        )
    try:
        told = EnvSettingsSource(Settings)()
        return Settings(**_over(_over(_written(path) if path else {}, told), named or {}))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"]) or "settings"
        raise SettingsError(f"{place}: {first['msg']}", f"mend it in {path or 'the environment'} (docs/settings.md)") from None
    except PydanticSettingsError as error:
        raise SettingsError(f"a variable cannot be read: {error}", "lists are written as JSON (docs/settings.md)") from None


def _written(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}", "check the path and its permissions") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no TOML: {error}", "mend the line it names") from error


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the second one stronger, table by table."""
    both = dict(below)
    for name, value in above.items():
        under = both.get(name)
        both[name] = _over(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return both


def _variables() -> Iterator[str]:
    """Every variable of the environment that sets something."""
    for name, field in Settings.model_fields.items():
        yield PREFIX + name.upper()
        if isinstance(group := field.annotation, type) and issubclass(group, _Group):
            yield from (f"{PREFIX}{name}__{inner}".upper() for inner in group.model_fields)


def page() -> str:
    """``docs/settings.md``."""
    lines = [_HEAD]
    alone = [(name, field) for name, field in Settings.model_fields.items() if not _grouped(field)]
    lines += _table("", alone)
    for name, field in Settings.model_fields.items():
        if group := _grouped(field):
            lines += [f"\n## {name}\n", f"{group.__doc__}\n", *_table(name, list(group.model_fields.items()))]
    return "\n".join(lines) + "\n"


def _grouped(field: FieldInfo) -> type[_Group] | None:
    return field.annotation if isinstance(field.annotation, type) and issubclass(field.annotation, _Group) else None


def _table(group: str, fields: Sequence[tuple[str, FieldInfo]]) -> list[str]:
    rows = ["| setting | variable | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in fields:
        whole = f"{group}.{name}" if group else name
        shown = "none" if field.default is None else ("empty" if field.default in ("", ()) else f"`{field.default}`")
        rows.append(f"| `{whole}` | `{PREFIX}{whole.replace('.', '__').upper()}` | {shown} | {field.description} |")
    return rows


_HEAD = """\
# Settings

Made from the program (`script/catalogue`). A setting comes, the stronger first, from the option of a command that sets it,
from the environment, from a TOML file, from its default. The file is the one `TENURE_SETTINGS` names, or the option `--settings`:

```toml
database = "postgresql://tenure@localhost/tenure"

[tls]
certificate = "/etc/tenure/server.pem"
key = "/etc/tenure/server.key"

[listen]
host = "0.0.0.0"
```

A word that no setting has is refused, in the file and in the environment. Lists are written as JSON in the environment:
`TENURE_LISTEN__PROXIES='["192.0.2.1"]'`. No setting holds a secret: Tenure's own keys lie as files in the folder `keys`, the
password of PostgreSQL in its own files (`~/.pgpass`, `PGPASSFILE`) or variables.
"""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
