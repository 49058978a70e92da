"""Who froze, stopped or protected what, when and why never changes; an end is set once."""

from django.db import migrations

CREATE = """
CREATE FUNCTION holds_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ending text[] := TG_ARGV;
    end_column text := TG_ARGV[0];
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) ->> end_column IS NULL
        AND to_jsonb(NEW) - ending = to_jsonb(OLD) - ending THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'row % of % is history: it can be ended once, and never change otherwise', OLD.id, TG_TABLE_NAME
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER holds_freeze_only_ends BEFORE UPDATE OR DELETE ON holds_freeze
    FOR EACH ROW EXECUTE FUNCTION holds_only_ends('ended_at', 'ended_by', 'end_reason');
CREATE TRIGGER holds_stop_only_ends BEFORE UPDATE OR DELETE ON holds_stop
    FOR EACH ROW EXECUTE FUNCTION holds_only_ends('lifted_at', 'lifted_by', 'lift_reason');
CREATE TRIGGER holds_protection_only_ends BEFORE UPDATE OR DELETE ON holds_protection
    FOR EACH ROW EXECUTE FUNCTION holds_only_ends('ended_at', 'ended_by');
"""
DROP = """
DROP TRIGGER holds_freeze_only_ends ON holds_freeze;
DROP TRIGGER holds_stop_only_ends ON holds_stop;
DROP TRIGGER holds_protection_only_ends ON holds_protection;
DROP FUNCTION holds_only_ends();
"""


class Migration(migrations.Migration):
    dependencies = [("holds", "0001_freezes_stops_protections")]
    operations = [migrations.RunSQL(CREATE, DROP)]
