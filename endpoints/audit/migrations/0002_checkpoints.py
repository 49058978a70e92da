"""Signed checkpoints and their anchors, and the one way to erase personal text.

audit_erase runs with its owner's rights: the runtime role still may not delete, and what goes is named in an entry
that is made in the same statement. The guard on deletion holds for the owner too.
"""

import django.db.models.deletion
from django.db import migrations, models


GUARDS = "".join(
    f"""
CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER {table}_table BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_rows;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_table;
"""
    for table in ("audit_checkpoint", "audit_subtree", "audit_anchoring")
)
UNGUARD = "".join(
    f"DROP TRIGGER {table}_rows ON {table}; DROP TRIGGER {table}_table ON {table};"
    for table in ("audit_checkpoint", "audit_subtree", "audit_anchoring")
)

ERASE = r"""
CREATE FUNCTION audit_keep_personal() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM public.audit_entry e WHERE e.action = 'personal.erased' AND e.seq > OLD.entry_id
      AND e.after @> jsonb_build_object('entries', jsonb_build_array(OLD.entry_id))
  ) THEN
    RAISE EXCEPTION 'DELETE on audit_personal is refused: no entry says that the text of entry % is erased', OLD.entry_id
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER audit_personal_erased BEFORE DELETE ON audit_personal
  FOR EACH ROW EXECUTE FUNCTION audit_keep_personal();
ALTER TABLE audit_personal ENABLE ALWAYS TRIGGER audit_personal_erased;

CREATE FUNCTION audit_erase(entry bytea, fields text[], salts bytea[], texts text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  doc jsonb := convert_from(entry, 'UTF8')::jsonb;
  number bigint;
BEGIN
  IF doc->>'action' IS DISTINCT FROM 'personal.erased' OR jsonb_typeof(doc#>'{after,entries}') IS DISTINCT FROM 'array'
  THEN
    RAISE EXCEPTION 'only an entry personal.erased that names entries erases' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO public.audit_entry (body) VALUES (entry) RETURNING seq INTO number;
  INSERT INTO public.audit_personal (entry_id, field, salt, text)
    SELECT number, p.field, p.salt, p.text FROM unnest(fields, salts, texts) AS p (field, salt, text);
  DELETE FROM public.audit_personal p USING jsonb_array_elements(doc#>'{after,entries}') AS named (seq)
    WHERE p.entry_id = named.seq::bigint AND p.entry_id < number;
  RETURN number;
END $$;
"""
UNERASE = """
DROP FUNCTION audit_erase(bytea, text[], bytea[], text[]);
DROP TRIGGER audit_personal_erased ON audit_personal;
DROP FUNCTION audit_keep_personal();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Anchoring',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('place', models.TextField()),
                ('ok', models.BooleanField()),
                ('reason', models.TextField(blank=True, default='')),
            ],
            options={
                'db_table': 'audit_anchoring',
            },
        ),
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('size', models.BigIntegerField(unique=True)),
                ('at', models.DateTimeField()),
                ('root', models.BinaryField()),
                ('head', models.BinaryField()),
                ('frontier', models.BinaryField()),
                ('note', models.TextField()),
                ('made_by', models.TextField()),
            ],
            options={
                'db_table': 'audit_checkpoint',
            },
        ),
        migrations.CreateModel(
            name='Subtree',
            fields=[
                ('pk', models.CompositePrimaryKey('level', 'index', blank=True, editable=False, primary_key=True, serialize=False)),
                ('level', models.SmallIntegerField()),
                ('index', models.BigIntegerField()),
                ('hash', models.BinaryField()),
            ],
            options={
                'db_table': 'audit_subtree',
            },
        ),
        migrations.AddField(
            model_name='verificationrun',
            name='checkpoints',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='verificationrun',
            name='unchecked',
            field=models.TextField(blank=True, default=''),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('action', 'personal.erased')), fields=['seq'], name='audit_entry_erasure'),
        ),
        migrations.AddField(
            model_name='anchoring',
            name='checkpoint',
            field=models.ForeignKey(db_column='size', on_delete=django.db.models.deletion.PROTECT, related_name='anchorings', to='audit.checkpoint', to_field='size'),
        ),
        migrations.AddIndex(
            model_name='anchoring',
            index=models.Index(condition=models.Q(('ok', True)), fields=['place', '-checkpoint'], name='audit_anchoring_newest'),
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
        migrations.RunSQL(ERASE, UNERASE),
    ]
