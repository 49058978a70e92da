"""Accounts, workspaces, grants and tokens; and the trigger that keeps grants as history."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE FUNCTION access_grant_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'grants are history: end one by setting until' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF (NEW.id, NEW.user_id, NEW.workspace_id, NEW.role, NEW.since, NEW.granted_by_id, NEW.reason)
     IS DISTINCT FROM
     (OLD.id, OLD.user_id, OLD.workspace_id, OLD.role, OLD.since, OLD.granted_by_id, OLD.reason)
     OR NEW.until IS NULL OR NEW.until > OLD.until THEN
    RAISE EXCEPTION 'a grant can only be ended, or ended sooner' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER access_grant_guard BEFORE UPDATE OR DELETE ON access_grant
  FOR EACH ROW EXECUTE FUNCTION access_grant_guard();
"""

UNGUARD = """
DROP TRIGGER access_grant_guard ON access_grant;
DROP FUNCTION access_grant_guard();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('username', models.CharField(max_length=80, unique=True)),
                ('display_name', models.CharField(max_length=120)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('kind', models.CharField(choices=[('person', 'person'), ('service', 'service account')], default='person', max_length=10)),
                ('is_active', models.BooleanField(default=True)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('shortcuts_enabled', models.BooleanField(default=True)),
                ('password_given_at', models.DateTimeField(null=True)),
                ('session_epoch', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('disabled_at', models.DateTimeField(null=True)),
                ('second_account_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='second_accounts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'access_user',
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('prefix', models.CharField(max_length=16, unique=True)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=12), size=None)),
                ('workspaces', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='issued_tokens', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tokens', to=settings.AUTH_USER_MODEL)),
                ('revoked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'access_apitoken',
            },
        ),
        migrations.CreateModel(
            name='LoginAttempts',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('failures', models.PositiveIntegerField()),
                ('window_began_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'access_login_attempts',
                'indexes': [models.Index(fields=['last_at'], name='access_login_attempts_last')],
            },
        ),
        migrations.CreateModel(
            name='Workspace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=63, unique=True)),
                ('arm_id', models.TextField()),
                ('arm_key', models.TextField(unique=True)),
                ('subscription_id', models.CharField(max_length=36)),
                ('resource_group', models.CharField(max_length=90)),
                ('name', models.CharField(max_length=64)),
                ('region', models.CharField(blank=True, max_length=64)),
                ('environment', models.CharField(choices=[('production', 'production'), ('test', 'test')], max_length=12)),
                ('connected_at', models.DateTimeField(auto_now_add=True)),
                ('disconnected_at', models.DateTimeField(null=True)),
                ('connected_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'access_workspace',
            },
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('requester', 'requester'), ('reviewer', 'reviewer'), ('operator', 'operator'), ('supervisor', 'supervisor'), ('finops', 'finops'), ('auditor', 'auditor'), ('admin', 'admin')], max_length=12)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(null=True)),
                ('reason', models.TextField(blank=True)),
                ('granted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='access.workspace')),
            ],
            options={
                'db_table': 'access_grant',
            },
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('username', django.db.models.functions.text.Lower('username'))), name='access_user_lower'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.UniqueConstraint(condition=models.Q(('until__isnull', True)), fields=('user', 'workspace', 'role'), name='access_grant_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('role__in', ['requester', 'reviewer', 'operator', 'supervisor', 'finops', 'auditor']), ('workspace__isnull', False)), models.Q(('role__in', ['admin', 'auditor']), ('workspace__isnull', True)), _connector='OR'), name='access_grant_place'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.CheckConstraint(condition=models.Q(('until__isnull', True), ('until__gte', models.F('since')), _connector='OR'), name='access_grant_order'),
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
