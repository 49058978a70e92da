"""An ended change never changes again, whoever writes: not even a later bug of ours."""

from django.db import migrations

CREATE = """
CREATE FUNCTION changes_ended_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'CR-% has ended and does not change any more', OLD.id USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER changes_ended_is_final BEFORE UPDATE OR DELETE ON changes_change
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION changes_ended_is_final();
"""
DROP = """
DROP TRIGGER changes_ended_is_final ON changes_change;
DROP FUNCTION changes_ended_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
