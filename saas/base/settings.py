"""What an installation sets, from the environment or a ``.env`` file. docs/operations.md explains each by name."""

import os
import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from limits import parse as parse_rate
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_KEY = "development-only-key-do-not-use-in-production"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
FIRST_KEY = "1"
"""The id of the sealing key that is derived from SECRET_KEY."""

SERVER: Mapping[str, Any] = {"ws_max_size": 65_536, "ws_per_message_deflate": False}
"""How uvicorn is to serve: small messages from outside, and no buffer to compress in for each connection."""

_SEALING_KEYS = re.compile(r"[a-z0-9]{1,20}:[^,:\s]{32,}(,[a-z0-9]{1,20}:[^,:\s]{32,})*", re.ASCII)


class Environment(StrEnum):
    """Where the process runs."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class UnsafeSettings(RuntimeError):
    """Production does not start with these settings."""


class Settings(BaseSettings):
    """The settings. Every field is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    environment: Environment = Field(
        Environment.DEVELOPMENT, description="development shows GraphiQL; production refuses unsafe settings."
    )
    database_url: str = Field(
        "sqlite:///var/banyan.db",
        description="sqlite:///FILE, or postgresql://… as a role that may SET ROLE banyan_app.",
    )
    migration_database_url: str | None = Field(
        None, description="PostgreSQL address of the tables' owner, for migrations. Default: DATABASE_URL."
    )
    database_pool_size: int = Field(10, ge=1, le=100, description="Connections one process keeps at most.")
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the server listens on.")
    base_domain: str = Field(
        "localhost", description="Brands are served at SLUG.BASE_DOMAIN; the domain itself is the platform's."
    )
    secret_key: SecretStr = Field(
        SecretStr(DEVELOPMENT_KEY),
        min_length=32,
        description="Master secret; keys for encryption and keyed hashes are derived from it.",
    )
    sealing_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys that encrypt, `id:secret` parted by commas; the first one seals, all of them open. "
        "Default: one with the id 1, derived from SECRET_KEY, which always opens.",
    )
    session_hours: int = Field(12, ge=1, le=720, description="Hours a log-in lasts at most.")
    session_idle_minutes: int = Field(
        120, ge=5, le=43_200, description="Minutes without a request after which a log-in has ended, to the minute."
    )
    login_attempts: int = Field(
        5, ge=1, description="Failed log-ins of one name before it has to wait; an address has ten times as many."
    )
    login_wait_seconds: int = Field(60, ge=1, description="First wait after too many failures; doubles up to an hour.")
    page_max: int = Field(100, ge=1, le=1000, description="Rows that a page of the API has at most.")
    request_seconds: int = Field(60, ge=1, le=600, description="Seconds after which a request is stopped.")
    rate_per_user: str = Field("1200/minute", description="Requests of one account at most, counted by each process.")
    rate_per_key: str = Field("6000/minute", description="Requests of one API key at most.")
    rate_per_address: str = Field("1200/minute", description="Requests of one address without a log-in at most.")
    rate_per_tenant: str = Field("60000/minute", description="Requests of all accounts and keys of a brand at most.")
    worker_in_server: bool = Field(
        True, description="The server also does the brands' jobs; off where main.py worker runs beside it."
    )
    wechat_pay_url: str = Field("https://api.mch.weixin.qq.com", description="Address of WeChat Pay's API.")
    sqlite_in_production: bool = Field(
        False, description="Run production on one SQLite file, on purpose: one machine, one writer at a time."
    )
    shutdown_seconds: int = Field(
        25, ge=1, le=600, description="How long requests under way are waited for when the server is told to stop."
    )
    drain_seconds: int = Field(
        0, ge=0, le=300, description="How long /readyz says no before that, while requests are still accepted."
    )
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="Port of /metrics for Prometheus, apart from the API's. Default: none."
    )
    metrics_host: str = Field("127.0.0.1", description="Address that /metrics listens on.")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token that /metrics asks for; needed where it listens beyond loopback."
    )
    traces_url: str = Field(
        "", description="Where OpenTelemetry traces go, an OTLP/HTTP address such as http://localhost:4318/v1/traces."
    )
    traces_percent: int = Field(100, ge=0, le=100, description="Of a hundred requests, how many are traced.")
    webhook_loopback: bool = Field(
        False, description="Webhooks may lead to this machine itself, over http too. For development only."
    )
    secure_cookies: bool = Field(False, description="Send session cookies over HTTPS only. Must be on in production.")

    @field_validator("sealing_keys")
    @classmethod
    def _well_formed(cls, given: SecretStr) -> SecretStr:
        keys = given.get_secret_value()
        ids = [key.partition(":")[0] for key in keys.split(",")] if keys else []
        if keys and not _SEALING_KEYS.fullmatch(keys):
            raise ValueError("write id:secret, parted by commas: small letters and digits, 32 characters or more")
        if len(set(ids)) < len(ids) or FIRST_KEY in ids:
            raise ValueError(f"each id once, and not {FIRST_KEY}, which belongs to SECRET_KEY")
        return given

    @field_validator("rate_per_user", "rate_per_key", "rate_per_address", "rate_per_tenant")
    @classmethod
    def _a_rate(cls, given: str) -> str:
        if parse_rate(given).amount < 1:  # which raises ValueError itself for what it cannot read
            raise ValueError("let at least one request pass: 600/minute, 10/second")
        return given

    @cached_property
    def sealing_secrets(self) -> Mapping[str, str]:
        """The secrets of ``sealing_keys`` by id, the one that seals first."""
        keys = self.sealing_keys.get_secret_value()
        return dict(key.split(":", 1) for key in keys.split(",")) if keys else {}

    def unsafe(self) -> list[str]:
        """What must be changed before this may run in production; empty in development."""
        if self.environment is not Environment.PRODUCTION:
            return []
        findings = {
            "SECRET_KEY is the development key; set one of your own": self.secret_key.get_secret_value()
            == DEVELOPMENT_KEY,
            "SECURE_COOKIES must be on": not self.secure_cookies,
            "DATABASE_URL is SQLite; say SQLITE_IN_PRODUCTION if it is meant": self.database_url.startswith("sqlite:")
            and not self.sqlite_in_production,
            "BASE_DOMAIN is localhost; name the domain that brands are served at": self.base_domain == "localhost",
            "WECHAT_PAY_URL must begin with https": not self.wechat_pay_url.startswith("https://"),
            "METRICS_HOST is no loopback address; set METRICS_TOKEN": self.metrics_port is not None
            and self.metrics_host not in LOOPBACK
            and not self.metrics_token.get_secret_value(),
            "Python's debug mode is on; start it without -X dev and PYTHONASYNCIODEBUG": sys.flags.dev_mode
            or bool(os.environ.get("PYTHONASYNCIODEBUG")),
            "WEBHOOK_LOOPBACK lets brands reach this machine; switch it off": self.webhook_loopback,
        }
        return [finding for finding, found in findings.items() if found]

    @property
    def owner_url(self) -> str:
        """Where who owns the tables logs in, for what alters them."""
        return self.migration_database_url or self.database_url

    def require_safe(self) -> None:
        """Raise ``UnsafeSettings`` when anything is ``unsafe``."""
        if findings := self.unsafe():
            raise UnsafeSettings(f"Unsafe in production: {'; '.join(findings)}.")


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()
