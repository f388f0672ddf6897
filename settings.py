"""What differs from one installation to the next. Composition roots read it (worker, api, the command), nobody else.

Every setting is an environment variable: `LEGATION_` and the name in capitals. Secrets come from the environment or
from files of mode 0600 below the data folder, and are never written to a log.
"""

import base64
import binascii
import stat
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Profile = Literal["demo", "embedded", "server"]

PREFIX = "LEGATION_"
MASTER_KEY_BYTES = 32


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsRefused(Exception):
    """A setting is missing or malformed: one sentence that names it and repeats no value."""


class OidcProvider(BaseModel):
    """A provider of OpenID Connect whose word is taken: `issuer` exactly as it writes itself into its tokens.

    `organisation` says whose people sign in there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")
    organisation: str = Field(min_length=1, max_length=200)
    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None

    @field_validator("name")
    @classmethod
    def _name_is_free(cls, name: str) -> str:
        if name == "callback":
            raise ValueError("the name “callback” is an address of its own")
        return name

    @field_validator("issuer")
    @classmethod
    def _issuer_is_safe(cls, issuer: str) -> str:
        if not is_safe(issuer):
            raise ValueError("an issuer begins with https:// (http:// on this machine alone)")
        return issuer


def is_safe(url: str) -> bool:
    """Whether what goes to an address is encrypted on its way, or does not leave this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


class Settings(BaseSettings):
    """`demo`: embedded, with clocks that can be moved and payloads in the clear. `embedded`: `legation up`.

    `server`: an outside Temporal cluster, named by `TEMPORAL_*` variables or a profile file (temporalio.envconfig).
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    profile: Profile = "embedded"
    data_dir: Path = Path("var")
    zone: str = Field("Asia/Ho_Chi_Minh", description="IANA name of the zone that business days are counted in")
    language: Literal["vi", "en"] | None = Field(None, description="of what the command says; else the terminal's")

    database_url: str = Field("", description="SQLAlchemy URL; without one, an SQLite file below the data folder")
    master_key: SecretStr | None = Field(
        None, description="one or more 32-byte keys in base64, the newest first, parted by commas"
    )

    checkpoint_key: SecretStr | None = Field(
        None, description="one or more 32-byte seeds of Ed25519 keys in base64, the newest first, parted by commas"
    )
    checkpoint_minutes: int = Field(15, ge=1, le=1440, description="how long between two checkpoints")
    witness_url: SecretStr | None = Field(None, description="where each checkpoint is posted to")
    witness_folder: Path | None = Field(None, description="where each checkpoint is written to, once")

    temporal_address: str | None = Field(None, description="host:port; without one, the stack starts its own server")
    temporal_namespace: str = "legation"
    temporal_task_queue: str = "legation"
    retention_days: int = Field(3650, ge=1, description="how long the server keeps closed runs, in days")

    archive_dir: Path | None = Field(
        None, description="where histories of closed runs are kept; without one, `archive` below the data folder"
    )
    archive_url: str | None = Field(None, description="s3://bucket/prefix, to keep them on a server that speaks S3")
    archive_endpoint: str | None = Field(None, description="that server's address; without one, Amazon's of the region")
    archive_region: str = "us-east-1"
    archive_key: str | None = Field(None, description="the id of the key that may read and write there")
    archive_secret: SecretStr | None = None

    api_host: str = "127.0.0.1"
    api_port: int = Field(8080, ge=1, le=65535)
    public_url: str = Field("", description="what links in letters and mails begin with")
    unclaimed_days: int = Field(
        30, ge=1, description="after how many days people, texts and files that no command named are removed"
    )
    retention_round: Literal["plan", "apply"] = Field(
        "plan",
        description="whether what is due by the rules of retention waits for an administrator, or is removed by itself",
    )
    retention_plan_days: int = Field(
        7, ge=1, le=366, description="with “apply”: for how many days somebody may stop a plan"
    )
    attachment_limit_bytes: int = Field(25 * 1024 * 1024, ge=1)

    digest_hour: int = Field(
        7, ge=0, le=23, description="at which full hour of an account's own clock it gets its morning digest"
    )
    review_hour: int = Field(
        1, ge=0, le=23, description="at which hour of the business zone every file looks again who is on leave"
    )

    session_idle_minutes: int = Field(60, ge=5, description="a session that nobody used for so long is over")
    session_hours: int = Field(12, ge=1, le=720, description="how long a session lasts at most")
    fresh_sign_in_minutes: int = Field(
        15, ge=1, description="how long after signing in somebody may change what they sign in with"
    )
    token_days: int = Field(365, ge=1, le=1096, description="how long a token is good at most")
    signing_token_days: int = Field(30, ge=1, le=1096, description="and one that may sign, if that is less")
    sign_in_link_hours: int = Field(24, ge=1, le=168, description="how long a link to choose a password is good")
    sign_in_address_attempts: int = Field(100, ge=1, description="attempts to sign in, by address and window")
    sign_in_account_attempts: int = Field(10, ge=1, description="and for one account from one address")
    token_guesses: int = Field(60, ge=1, description="unknown tokens and sessions, by address and window")
    attempts_window_seconds: int = Field(900, ge=1, description="the window that attempts are counted in")
    # OWASP's minimum for argon2id is 19 MiB, two passes, one lane: less is not taken.
    argon2_memory_kib: int = Field(65536, ge=19456, le=4194304)
    argon2_passes: int = Field(3, ge=2, le=100)
    argon2_lanes: int = Field(1, ge=1, le=16)
    oidc_providers: tuple[OidcProvider, ...] | None = Field(
        None, description="JSON: [{name, organisation, issuer, client_id, client_secret}, …]"
    )

    feed_days: int = Field(60, ge=1, description="for how many days after a visit its calendars can be fetched")
    page_days: int = Field(14, ge=1, description="for how many days after a visit its personal pages can be opened")
    feed_fetches: int = Field(300, ge=1, description="fetches of one calendar, by window")

    smtp_host: str | None = Field(None, description="without one, the stack starts a development mailbox")
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = True
    imap_host: str | None = Field(None, description="where answers to invitations are read; without one they are not")
    imap_port: int = Field(993, ge=1, le=65535)
    imap_security: Literal["tls", "starttls", "none"] = "tls"
    imap_user: str | None = Field(None, description="else the organizer's mailbox")
    imap_password: SecretStr | None = None
    imap_folder: str = Field("INBOX", min_length=1)
    imap_read_to: str | None = Field(None, description="the folder that read mails are moved to; else they stay, seen")
    imap_seconds: int = Field(30, ge=1, le=3600, description="how long between two looks into the mailbox")
    imap_authserv: str = Field(
        "",
        description="the authserv-id of our own mail server: a DMARC failure it reports keeps an answer from counting",
    )
    received_mail_limit_bytes: int = Field(1_000_000, ge=10_000, le=25_000_000)
    received_mail_days: int = Field(90, ge=1, description="how long what settled mails said is kept")
    mail_per_minute: int = Field(
        600, ge=0, description="how many mails go to one domain in a minute at most; 0: any number, as in the demo"
    )
    mail_deferrals: int = Field(
        30, ge=1, le=1000, description="after how many times that a server puts a mail off it is a dead letter"
    )
    mail_hours: int = Field(48, ge=1, le=720, description="and after how many hours, whatever kept it")
    organizer_mailbox: str = Field("lich@hoihuunghi.example", description="sender and ORGANIZER of every invitation")
    organizer_name: str = "Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam"

    caldav_loopback: bool = Field(
        False, description="for development: calendar servers on this machine, by http too and on any port"
    )
    caldav_private_networks: tuple[str, ...] | None = Field(
        None, description="JSON: private ranges whose calendar servers are trusted, such as 10.20.0.0/16"
    )
    caldav_ports: tuple[int, ...] | None = Field(
        None, description="JSON: ports that calendar servers may listen on; without any, 443 and 8443"
    )
    caldav_patience_seconds: int = Field(20, ge=1, le=120, description="how long one request to one may take")
    caldav_retry_minutes: int = Field(
        10, ge=1, le=59, description="how often calendar collections that lack something are looked at again"
    )

    union_name: str = "Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam"
    union_name_en: str = "Sông Lam Union of Friendship Organisations"
    union_parent: str = "Ủy ban nhân dân tỉnh Sông Lam"
    union_parent_en: str = "People's Committee of Sông Lam Province"
    union_place: str = "Sông Lam"
    union_address: str = ""
    union_telephone: str = ""
    union_email: str = ""
    signatory_name: str = ""
    signatory_office: str = "Chủ tịch"
    signatory_office_en: str = "President"

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (LookupError, OSError, ValueError) as unknown:
            raise ValueError("is not the IANA name of a time zone") from unknown
        return zone

    @field_validator("oidc_providers")
    @classmethod
    def _names_differ(cls, providers: tuple[OidcProvider, ...] | None) -> tuple[OidcProvider, ...] | None:
        names = [provider.name for provider in providers or ()]
        if len(set(names)) != len(names):
            raise ValueError("two providers have the same name")
        return providers

    @field_validator("archive_url")
    @classmethod
    def _archive_is_a_bucket(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme != "s3" or not urlsplit(url).hostname):
            raise ValueError("has the form s3://bucket/prefix")
        return url

    @field_validator("archive_endpoint")
    @classmethod
    def _archive_is_safe(cls, endpoint: str | None) -> str | None:
        if endpoint is not None and not is_safe(endpoint):
            raise ValueError("begins with https:// (http:// on this machine alone)")
        return endpoint

    @field_validator("caldav_private_networks")
    @classmethod
    def _networks_exist(cls, networks: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for one in networks or ():
            try:
                ip_network(one)
            except ValueError:
                raise ValueError("holds what is no network, such as 10.20.0.0/16") from None
        return networks

    @field_validator("witness_url")
    @classmethod
    def _witness_is_safe(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not is_safe(url.get_secret_value()):
            raise ValueError("begins with https:// (http:// on this machine alone)")
        return url

    @field_validator("temporal_address")
    @classmethod
    def _address_has_a_port(cls, address: str | None) -> str | None:
        if address is not None and not address.rpartition(":")[2].isdigit():
            raise ValueError("has the form host:port")
        return address

    @model_validator(mode="after")
    def _filled_in(self) -> Self:
        folder = self.data_dir.absolute()
        # `object.__setattr__`: the model is frozen for everybody after this.
        object.__setattr__(self, "data_dir", folder)
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite+aiosqlite:///{folder / 'legation.db'}")
        if not self.public_url:
            object.__setattr__(self, "public_url", f"http://{self.api_host}:{self.api_port}")
        return self

    @property
    def retention(self) -> timedelta:
        return timedelta(days=self.retention_days)

    @property
    def archive_folder(self) -> Path:
        """Where histories of closed runs are kept."""
        return self.archive_dir.absolute() if self.archive_dir is not None else self.data_dir / "archive"

    @property
    def public_origin(self) -> str:
        """Scheme, host and port of the address that people open, as a browser writes an Origin (RFC 6454)."""
        parts = urlsplit(self.public_url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")

    @property
    def has_secure_cookies(self) -> bool:
        """Whether a browser is told to send cookies over TLS alone: everywhere but on plain http on this machine."""
        parts = urlsplit(self.public_url)
        return not (parts.scheme == "http" and parts.hostname in LOOPBACK)

    def public_url_at(self, port: int) -> str:
        """Where people reach an API that listens on a port: what the settings say, else there."""
        said = self.public_url != f"http://{self.api_host}:{self.api_port}"
        return self.public_url if said else f"http://{self.api_host}:{port}"

    @property
    def encrypts_payloads(self) -> bool:
        """Whether payloads in Temporal's histories are encrypted: in every profile but the demo."""
        return self.profile != "demo"

    @property
    def has_virtual_clock(self) -> bool:
        """Whether a workflow's clock can be moved: in the demo alone."""
        return self.profile == "demo"

    @property
    def master_key_file(self) -> Path:
        return self.data_dir / "keys" / "master.key"

    def master_keys(self) -> tuple[bytes, ...]:
        """The master keys, 32 bytes each, the newest first: from the environment, else from the key file.

        Refuses (`SettingsRefused`) when there is none, when one is malformed, and when others may read the file.
        """
        return _found(self.master_key, "MASTER_KEY", self.master_key_file, "master key")

    @property
    def checkpoint_key_file(self) -> Path:
        return self.data_dir / "keys" / "checkpoint.key"

    def checkpoint_keys(self) -> tuple[bytes, ...]:
        """The seeds of the keys that checkpoints are signed with (Ed25519, 32 bytes each), the newest first.

        From where `master_keys` are, with the same refusals.
        """
        return _found(self.checkpoint_key, "CHECKPOINT_KEY", self.checkpoint_key_file, "checkpoint key")


def load_settings(overrides: Mapping[str, object] | None = None) -> Settings:
    """The settings of the environment, with `overrides` (a command's options) before it.

    Refuses (`SettingsRefused`) in one sentence that names the variable and repeats no value.
    """
    try:
        return Settings(**dict(overrides or {}))  # type: ignore[arg-type]
    except ValidationError as refused:
        first = refused.errors(include_url=False, include_input=False, include_context=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsRefused(f"The setting {PREFIX}{name}: {message}.") from None


def _found(said: SecretStr | None, name: str, path: Path, what: str) -> tuple[bytes, ...]:
    if said is not None:
        return _keys(said.get_secret_value().split(","), f"{PREFIX}{name}")
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsRefused(f"Others may read the {what}: chmod 600 {path}")
        return _keys(path.read_text("ascii").split(), str(path))
    except FileNotFoundError:
        raise SettingsRefused(
            f"There is no {what}: set {PREFIX}{name}, or let `legation up` make {path} once."
        ) from None
    except (OSError, UnicodeDecodeError) as unreadable:
        raise SettingsRefused(f"The {what} in {path} cannot be read.") from unreadable


def _keys(texts: list[str], source: str) -> tuple[bytes, ...]:
    try:
        keys = tuple(base64.b64decode(text.strip(), validate=True) for text in texts if text.strip())
    except (binascii.Error, ValueError):
        keys = ()
    if not keys or any(len(key) != MASTER_KEY_BYTES for key in keys):
        raise SettingsRefused(f"{source} does not hold {MASTER_KEY_BYTES}-byte keys in base64.")
    return keys
