-- Who holds a flow, so that a process that comes back frees what it held when it was killed.
alter table flow add column holder text not null default '';
