"""The ledger's tables, and the triggers that chain and guard them.

The functions run with the caller's rights: the runtime role may SELECT the head, and needs nothing more. Their
search_path is fixed and tables are named with their schema, so that a temporary table called audit_entry fools nobody.
"""

import django.db.models.deletion
from django.db import migrations, models

CHAIN = r"""
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  head record;
  doc jsonb;
BEGIN
  -- One writer at a time, until its commit. Only under READ COMMITTED does the next query see that commit.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the audit ledger is written under READ COMMITTED only';
  END IF;
  PERFORM pg_advisory_xact_lock(7203416);
  SELECT e.seq, e.at, e.hash INTO head FROM public.audit_entry e ORDER BY e.seq DESC LIMIT 1;
  NEW.seq := coalesce(head.seq, 0) + 1;
  NEW.at := greatest(clock_timestamp(), head.at);
  NEW.prev_hash := coalesce(head.hash, decode(repeat('00', 32), 'hex'));
  NEW.hash := sha256(
    '\x02'::bytea || NEW.prev_hash || int8send(NEW.seq)
    || int8send((extract(epoch FROM NEW.at) * 1000000)::bigint)
    || sha256('\x00'::bytea || NEW.body));
  doc := convert_from(NEW.body, 'UTF8')::jsonb;
  NEW.event_id := doc->>'event';
  NEW.app_at := doc->>'app_at';
  NEW.actor := doc->>'actor';
  NEW.on_behalf := doc->>'on_behalf';
  NEW.auth := doc->>'auth';
  NEW.workspace_id := doc->>'workspace';
  NEW.subject := doc->>'subject';
  NEW.endpoint := doc->>'endpoint';
  NEW.action := doc->>'action';
  NEW.request_id := doc->>'request';
  NEW.azure_request_id := doc->>'azure_request';
  NEW.before := nullif(doc->'before', 'null'::jsonb);
  NEW.after := nullif(doc->'after', 'null'::jsonb);
  RETURN NEW;
END $$;
CREATE TRIGGER audit_chain BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_chain();

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: the audit ledger is append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entry_rows BEFORE UPDATE OR DELETE ON audit_entry
  FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entry_table BEFORE TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
-- Personal text may be deleted (erasing a person), by a role that has the privilege; it is never rewritten.
CREATE TRIGGER audit_personal_rows BEFORE UPDATE ON audit_personal
  FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_personal_table BEFORE TRUNCATE ON audit_personal
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
-- The guards fire also for a session that calls itself a replica.
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_rows;
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_table;
ALTER TABLE audit_personal ENABLE ALWAYS TRIGGER audit_personal_rows;
ALTER TABLE audit_personal ENABLE ALWAYS TRIGGER audit_personal_table;
"""

UNCHAIN = """
DROP TRIGGER audit_chain ON audit_entry;
DROP TRIGGER audit_entry_rows ON audit_entry;
DROP TRIGGER audit_entry_table ON audit_entry;
DROP TRIGGER audit_personal_rows ON audit_personal;
DROP TRIGGER audit_personal_table ON audit_personal;
DROP FUNCTION audit_chain();
DROP FUNCTION audit_refuse();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False)),
                ('event_id', models.UUIDField(unique=True)),
                ('at', models.DateTimeField()),
                ('app_at', models.DateTimeField()),
                ('actor', models.TextField()),
                ('on_behalf', models.TextField()),
                ('auth', models.TextField()),
                ('workspace_id', models.BigIntegerField(null=True)),
                ('subject', models.TextField()),
                ('endpoint', models.TextField()),
                ('action', models.TextField()),
                ('request_id', models.TextField()),
                ('azure_request_id', models.TextField()),
                ('body', models.BinaryField()),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('prev_hash', models.BinaryField()),
                ('hash', models.BinaryField()),
            ],
            options={
                'db_table': 'audit_entry',
                'indexes': [models.Index(fields=['workspace_id', '-seq'], name='audit_entry_workspace'), models.Index(fields=['actor', '-seq'], name='audit_entry_actor'), models.Index(fields=['subject', '-seq'], name='audit_entry_subject'), models.Index(condition=models.Q(('endpoint', ''), _negated=True), fields=['endpoint', '-seq'], name='audit_entry_endpoint'), models.Index(fields=['at'], name='audit_entry_at'), models.Index(condition=models.Q(('request_id', ''), _negated=True), fields=['request_id'], name='audit_entry_request'), models.Index(condition=models.Q(('azure_request_id', ''), _negated=True), fields=['azure_request_id'], name='audit_entry_azure')],
            },
        ),
        migrations.CreateModel(
            name='VerificationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('began_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('ok', models.BooleanField()),
                ('entries', models.BigIntegerField()),
                ('head_seq', models.BigIntegerField(null=True)),
                ('head_hash', models.BinaryField(null=True)),
                ('first_bad_seq', models.BigIntegerField(null=True)),
                ('fault', models.TextField(blank=True)),
                ('reason', models.TextField(blank=True)),
                ('asked_by', models.TextField()),
            ],
            options={
                'db_table': 'audit_verification',
                'indexes': [models.Index(fields=['-ended_at'], name='audit_verification_latest')],
            },
        ),
        migrations.CreateModel(
            name='Personal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.TextField()),
                ('salt', models.BinaryField()),
                ('text', models.TextField()),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='personal', to='audit.entry')),
            ],
            options={
                'db_table': 'audit_personal',
                'constraints': [models.UniqueConstraint(fields=('entry', 'field'), name='audit_personal_once')],
            },
        ),
        migrations.RunSQL(CHAIN, UNCHAIN),
    ]
