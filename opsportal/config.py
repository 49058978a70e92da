"""Every setting of the portal, typed and described; the environment is the only source.

`load()` names all that is wrong at once, in sentences, because an operator who learns one mistake per
restart needs five restarts. `docs/reference/settings.md` is checked against this file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "OPSPORTAL_"
MIN_SECRET_LENGTH = 50
MIN_DISTINCT_CHARACTERS = 10
MIN_TOKEN_LENGTH = 32
# Keys that were copied out of manuals and samples into production, and are therefore known to attackers.
KNOWN_SAMPLES = (
    "django-insecure",
    "changeme",
    "change-me",
    "change_me",
    "your-secret",
    "secret-key",
    "example",
)

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Config(BaseSettings):
    """The portal's settings. Names without a prefix are the ones that every hosting platform knows."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", populate_by_name=True, frozen=True)

    database_url: SecretStr = Field(
        validation_alias=AliasChoices("DATABASE_URL"),
        description="PostgreSQL 15 to 18, as the runtime role: postgresql://user:password@host:port/name. "
        "Only migrations run with the owner's URL here.",
    )
    broker_url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"),
        validation_alias=AliasChoices("BROKER_URL"),
        description="Redis or Valkey for Celery: redis://:password@host:port/0. Changes to Azure work "
        "without it.",
    )
    secret_key: SecretStr = Field(
        validation_alias=AliasChoices("SECRET_KEY"),
        description="Signs sessions and links. At least 50 random characters; no default.",
    )
    secret_key_fallbacks: Annotated[list[SecretStr], NoDecode] = Field(
        default=[],
        description="Former SECRET_KEY values, separated by commas, that stay valid while sessions run out.",
    )
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        validation_alias=AliasChoices("ALLOWED_HOSTS"),
        description="Host names under which the portal answers, separated by commas. A lone * is refused.",
    )

    public_url: str = Field(
        default="",
        description="The address people type, such as https://portal.example.org; used in links that leave "
        "the portal and as a trusted origin of forms.",
    )
    trust_proxy_headers: bool = Field(
        default=False,
        description="Believe X-Forwarded-Proto and X-Request-ID. Only behind a proxy that always sets them.",
    )
    state_dir: Path = Field(
        default=Path(".var"),
        validation_alias=AliasChoices("OPSPORTAL_VAR", "state_dir"),
        description="Where the embedded servers keep their data and where collected static files go.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least severe log line that is written."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="json for collectors, console for people."
    )

    database_pool_size: int = Field(
        default=8,
        ge=0,
        le=200,
        description="Database connections per process at most; 0 opens one per thread and keeps no pool.",
    )
    statement_timeout_seconds: Seconds = Field(
        default=30, description="PostgreSQL ends a statement of the portal after this long."
    )
    lock_timeout_seconds: Seconds = Field(
        default=5, description="PostgreSQL ends a statement that waited for a lock this long."
    )
    idle_in_transaction_seconds: Seconds = Field(
        default=5, description="PostgreSQL ends a session that sits inside an open transaction this long."
    )

    lease_seconds: Seconds = Field(
        default=60, description="How long an executor owns an endpoint without renewing its lease."
    )
    lease_renew_seconds: Seconds = Field(
        default=10, description="How often an executor renews its leases. Well below the lease."
    )
    in_flight_bound_seconds: Seconds = Field(
        default=30,
        description="How long after a lost lease a call that was already sent may still reach Azure; a new "
        "owner waits this long before it writes.",
    )
    remote_call_seconds: Seconds = Field(
        default=30, description="The deadline of one call to Azure, from connect to last byte."
    )
    executor_poll_seconds: Seconds = Field(
        default=2, description="How often the executor looks at every active change without being notified."
    )
    scale_first_seconds: Seconds = Field(
        default=180,
        description="How long a rollback that scales first waits for its instances before it goes on without.",
    )
    gate_seconds: Seconds = Field(
        default=60, description="How often the gates of a step that is in force are asked."
    )
    peak_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=60,
        description="For so long a process keeps an endpoint's highest load of two weeks as it read it; 0: never.",
    )
    gate_grace_seconds: Seconds = Field(
        default=600,
        description="How long a step that has baked waits for metrics before a gate that can't tell holds it.",
    )
    second_read_seconds: Seconds = Field(
        default=5,
        description="Between the read that confirms a new state and the one that completes the change.",
    )
    poll_scale: Annotated[float, Field(gt=0, le=100)] = Field(
        default=1.0, description="Multiplies every wait of the executor. Tests scale it down."
    )
    approval_ttl_hours: Annotated[float, Field(gt=0, le=24 * 30)] = Field(
        default=24, description="A request or an approval that nobody used expires after this long."
    )
    break_glass_review_hours: Annotated[float, Field(gt=0, le=24 * 30)] = Field(
        default=24,
        description="Somebody else must review a change that was started in an emergency within this time.",
    )
    scream_test_seconds: Annotated[int, Field(ge=0, le=14 * 86_400)] = Field(
        default=86_400,
        description="Whatever is to be deleted has had no traffic for at least this long before. Under a minute "
        "metrics can't tell who still asks for it.",
    )
    saving_seconds: Annotated[int, Field(ge=1, le=28 * 86_400)] = Field(
        default=7 * 86_400,
        description="For so long after an act on idle capacity it is measured before a saving counts as verified. A "
        "week holds each hour of the week once.",
    )
    attention_after_seconds: Annotated[float, Field(gt=0, le=7 * 86_400)] = Field(
        default=1800, description="An Azure operation that runs longer than this asks for a person."
    )
    sync_cadence_seconds: Seconds = Field(
        default=30, description="How often each workspace is read from Azure while the request budget allows."
    )
    metrics_cadence_seconds: Seconds = Field(
        default=60, description="How often metrics are read from Azure Monitor while it keeps up."
    )
    metrics_reread_minutes: Annotated[int, Field(ge=1, le=45)] = Field(
        default=10,
        description="Each reading of metrics begins so many minutes before the last one ended, because Azure fills in "
        "and revises minutes for a while.",
    )
    stale_read_seconds: Seconds = Field(
        default=120,
        description="A state read longer ago than this is called old and blocks starting a change.",
    )

    metrics_minute_days: Annotated[int, Field(ge=3, le=93)] = Field(
        default=3,
        description="Minutes of metrics are kept for at least this many days; partitions are dropped a day at a time.",
    )
    metrics_hour_days: Annotated[int, Field(ge=35, le=3700)] = Field(
        default=400,
        description="Hours of metrics are kept for at least this many days, by the month. Days are kept for good.",
    )

    metrics_token: SecretStr = Field(
        default=SecretStr(""),
        description="Whoever sends it as a bearer token reads the portal's own health at /metrics. At least 32 random "
        "characters; empty: there is no such address.",
    )

    audit_key_file: Path | None = Field(
        default=None,
        description="The Ed25519 private key, as PEM, that signs checkpoints of the audit ledger and evidence "
        "packs; former public keys may follow it in the file. Out of reach of the database's "
        "administrators. Without it nothing is signed, and pages say so.",
    )
    audit_origin: str = Field(
        default="opsportal",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$",
        description="The name of this installation's ledger in checkpoints and evidence packs.",
    )
    audit_anchor_file: Path | None = Field(
        default=None,
        description="Each checkpoint is appended to this file, which lies outside the database, best on another "
        "machine.",
    )
    audit_checkpoint_seconds: Seconds = Field(
        default=600, description="A checkpoint is made at least this often while the ledger grows."
    )
    audit_checkpoint_entries: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=100, description="A checkpoint is made after so many new entries of the ledger."
    )
    audit_strict: bool = Field(
        default=False,
        description="Do not start while the database role could alter the ledger. Otherwise a banner says so.",
    )

    prediction_days: Annotated[int, Field(ge=184, le=3700)] = Field(
        default=400,
        description="Metadata of predictions is kept for at least this many days, by the month; never less than "
        "six months.",
    )
    fingerprint_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key of the fingerprints of request bodies, at least 32 random characters; empty: none are "
        "kept.",
    )
    logs_cadence_seconds: Seconds = Field(
        default=60, description="How often the traffic log of an endpoint is read."
    )
    mail_url: SecretStr = Field(
        default=SecretStr(""),
        description="The mail server: smtp://user:password@host:587 (STARTTLS) or smtps://…; empty: no mail is "
        "sent.",
    )
    mail_from: str = Field(default="", description="The sender of the portal's mail.")
    webhook_hosts: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Hosts that webhooks may be sent to, separated by commas; *.example.org for all below. Empty: "
        "none.",
    )

    azure_cloud: str = Field(
        default="AzureCloud",
        description="The name of the cloud: AzureCloud, AzureChinaCloud, AzureUSGovernment or one that "
        "OPSPORTAL_AZURE_CLOUD_METADATA describes.",
    )
    azure_cloud_metadata: str = Field(
        default="",
        description="A cloud's metadata document as JSON, as its resource manager serves it at "
        "/metadata/endpoints; for clouds that the SDK does not know.",
    )
    azure_resource_manager: str = Field(
        default="https://management.azure.com", description="The address of Azure Resource Manager."
    )
    azure_metrics_endpoint: str = Field(
        default="",
        description="Where metrics of many resources are read, with {region} for the region, such as "
        "https://{region}.metrics.monitor.azure.com; empty takes the cloud's own.",
    )
    azure_logs_endpoint: str = Field(
        default="",
        description="Where logs are queried, such as https://api.loganalytics.azure.com; empty takes the "
        "cloud's own.",
    )
    azure_prices_endpoint: str = Field(
        default="https://prices.azure.com",
        description="Where Azure's public retail price list is read, without signing in; empty reads none. Sovereign "
        "clouds have none.",
    )
    azure_prices_currency: str = Field(
        default="USD",
        pattern="^[A-Z]{3}$",
        description="The currency that the retail price list is read in, such as EUR.",
    )
    azure_ca_bundle: Path | None = Field(
        default=None, description="A file of certificate authorities to trust instead of the usual ones."
    )
    azure_credential: Literal["managed_identity", "workload_identity", "default", "environment"] = Field(
        default="managed_identity",
        description="How the portal proves who it is to Azure. No secret is stored in the portal.",
    )
    azure_client_id: str = Field(
        default="",
        description="The client id of a user-assigned identity; empty for the system-assigned one.",
    )
    azure_tenant_id: str = Field(
        default="",
        description="The directory of a workload identity; empty takes what the platform provides.",
    )
    azure_portal_url: str = Field(
        default="https://portal.azure.com", description="Where links to the Azure portal lead."
    )
    azure_studio_url: str = Field(
        default="https://ml.azure.com", description="Where links to Azure Machine Learning studio lead."
    )

    @field_validator("secret_key_fallbacks", "allowed_hosts", "webhook_hosts", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("azure_ca_bundle", "audit_key_file", "audit_anchor_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None

    @field_validator("secret_key")
    @classmethod
    def _strong(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value()
        if len(key) < MIN_SECRET_LENGTH:
            raise ValueError(f"has {len(key)} characters and needs at least {MIN_SECRET_LENGTH} random ones")
        if len(set(key)) < MIN_DISTINCT_CHARACTERS:
            raise ValueError("repeats a few characters and can be guessed; use random ones")
        if any(sample in key.lower() for sample in KNOWN_SAMPLES):
            raise ValueError("is a published sample that anybody can look up; use random characters")
        return value

    @field_validator("metrics_token", "fingerprint_key")
    @classmethod
    def _long_or_empty(cls, value: SecretStr) -> SecretStr:
        length = len(value.get_secret_value())
        if 0 < length < MIN_TOKEN_LENGTH:
            raise ValueError(f"has {length} characters and needs at least {MIN_TOKEN_LENGTH} random ones")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _named_hosts(cls, value: list[str]) -> list[str]:
        if not value:
            raise ValueError("names no host")
        if "*" in value:
            raise ValueError(
                "contains *, which lets anybody choose the portal's name in links; list the names"
            )
        return value

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr) -> SecretStr:
        if not re.match(r"^postgres(ql)?://[^/]*/[^/?]+", value.get_secret_value()):
            raise ValueError("is not of the form postgresql://user:password@host:port/name")
        return value

    @field_validator("broker_url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        if not re.match(r"^(rediss?|sentinel)://", value.get_secret_value()):
            raise ValueError("is not of the form redis://:password@host:port/0")
        return value


def environment_name(field: str) -> str:
    """The environment variable that sets a field: `lease_seconds` is OPSPORTAL_LEASE_SECONDS."""
    alias = Config.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return PREFIX + field.upper()


def load(**values: Any) -> Config:
    """The settings from the environment, with `values` (by field name) before it.

    Ends the process with a list of every problem: under a traceback nobody finds the sentence that helps.
    """
    try:
        return Config(**values)
    except ValidationError as error:
        problems = sorted({_sentence(problem) for problem in error.errors(include_input=False)})
    raise SystemExit(
        "The portal does not start, because its settings are not usable:\n"
        + "\n".join(f"  - {problem}" for problem in problems)
    )


def _sentence(problem: Any) -> str:
    """One validation problem as one sentence. Never the value: it may be a secret."""
    name = _name_of(str(problem["loc"][0]))
    if problem["type"] == "missing":
        return f"{name} is not set."
    cause = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name} {cause}." if problem["type"] == "value_error" else f"{name}: {cause}."


def _name_of(location: str) -> str:
    return environment_name(location) if location in Config.model_fields else location
