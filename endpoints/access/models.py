"""Accounts, workspaces (the tenants), grants, API tokens and failed logins. Only services write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from endpoints.access.roles import INSTALLATION_ROLES, Role

_SESSION_SALT = "endpoints.access.session"


class UserManager(BaseUserManager["User"]):
    """Finds accounts by user name, whatever its case. Accounts are made by `services.create_user`."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username=(username or "").lower())


class User(AbstractBaseUser):
    """One account, of a person or of a service. Powers come from grants alone: there is no superuser."""

    class Kind(models.TextChoices):
        PERSON = "person", "person"
        SERVICE = "service", "service account"

    username = models.CharField(max_length=80, unique=True)
    display_name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)
    second_account_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="second_accounts"
    )
    is_active = models.BooleanField(default=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    shortcuts_enabled = models.BooleanField(default=True)
    password_given_at = models.DateTimeField(null=True)  # when somebody else last set the password
    session_epoch = models.PositiveIntegerField(default=0)  # raised to end every session of the account
    created_at = models.DateTimeField(auto_now_add=True)
    disabled_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        db_table = "access_user"
        constraints = (
            models.CheckConstraint(condition=models.Q(username=Lower("username")), name="access_user_lower"),
        )

    def __str__(self) -> str:
        return self.display_name

    def get_session_auth_hash(self) -> str:
        """Changes with password and epoch, so that either ends the sessions begun before."""
        return self._session_hash(None)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret)

    def _session_hash(self, secret: str | bytes | None) -> str:
        value = f"{self.password}:{self.session_epoch}"
        return salted_hmac(_SESSION_SALT, value, secret=secret, algorithm="sha256").hexdigest()


class Workspace(models.Model):
    """An Azure Machine Learning workspace that is or was connected: the tenant of everything in it."""

    class Environment(models.TextChoices):
        PRODUCTION = "production", "production"
        TEST = "test", "test"

    slug = models.SlugField(max_length=63, unique=True)
    arm_id = models.TextField()  # as given
    arm_key = models.TextField(unique=True)  # as compared: lower case
    subscription_id = models.CharField(max_length=36)
    resource_group = models.CharField(max_length=90)
    name = models.CharField(max_length=64)
    region = models.CharField(max_length=64, blank=True)
    environment = models.CharField(max_length=12, choices=Environment.choices)
    connected_at = models.DateTimeField(auto_now_add=True)
    connected_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    disconnected_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "access_workspace"

    def __str__(self) -> str:
        return self.slug


class Grant(models.Model):
    """A role that a person has, or had, from `since` until `until`. Rows stay; only `until` is ever set."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, null=True, related_name="grants")
    role = models.CharField(max_length=12, choices=[(role.value, role.value) for role in Role])
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)

    class Meta:
        db_table = "access_grant"
        constraints = (
            models.UniqueConstraint(
                fields=["user", "workspace", "role"],
                name="access_grant_once",
                condition=models.Q(until__isnull=True),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(
                    workspace__isnull=False, role__in=[role.value for role in Role if role != Role.ADMIN]
                )
                | models.Q(
                    workspace__isnull=True, role__in=sorted(role.value for role in INSTALLATION_ROLES)
                ),
                name="access_grant_place",
            ),
            models.CheckConstraint(
                condition=models.Q(until__isnull=True) | models.Q(until__gte=models.F("since")),
                name="access_grant_order",
            ),
        )

    def __str__(self) -> str:
        return f"{self.role} for user {self.user_id} on {self.workspace_id or 'the installation'}"


class ApiToken(models.Model):
    """A key for programs. Its secret is shown once; the row holds a SHA-256 (256 random bits need no KDF)."""

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="issued_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=12))
    workspaces = ArrayField(models.BigIntegerField(), default=list)  # empty: all that the owner may see
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "access_apitoken"

    def __str__(self) -> str:
        return f"opt_{self.prefix}"


class LoginAttempts(models.Model):
    """Recent failed logins of one key (an account and address, or an address). The key is a keyed hash."""

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField()
    window_began_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "access_login_attempts"
        indexes = (models.Index(fields=["last_at"], name="access_login_attempts_last"),)

    def __str__(self) -> str:
        return f"{self.failures} failures"
