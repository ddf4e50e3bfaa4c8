-- When others were told to end for one that waits for a place.
alter table queue_entry add column room_made_at timestamptz;
