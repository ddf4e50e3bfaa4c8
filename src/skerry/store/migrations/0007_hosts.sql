-- A site may have several machines, each of which is in contact by itself. Whoever speaks for a
-- place is known as `at`: a site's name, or `site/host` for a host that joined it.

alter table site_contact rename column site to at;
alter table site_outage rename column site to at;
alter table workload rename column site to at;
alter table site_orphan rename column site to at;
alter index workload_site rename to workload_at;

-- Every place that there may be contact with.
create view place as
select uid, kind, case
  when kind = 'host' then regexp_replace(parent_ref, '^.*/', '') || '/' || name
  else name
end as at
from resource where kind in ('site', 'host') and deleted_at is null;
