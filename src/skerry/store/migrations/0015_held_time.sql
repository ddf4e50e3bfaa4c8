-- A machine's clock may be put back; Skerry's time then goes on, and ``held`` is how far it is ahead.
alter table clock add column held interval not null default '0';

create or replace function skerry_now() returns timestamptz language sql stable parallel safe
as 'select clock_timestamp() + shift + held from clock';
