-- The sequencer writes only what it has just read from `change`, whose rows are never removed; the
-- key doubled its work. The audit names a position whose change is gone.
alter table feed drop constraint feed_change_id_fkey;
