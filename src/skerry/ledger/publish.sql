-- name: lists_to_show
select t.name as tenant, p.version from resource t cross join price_list p
where t.kind = 'tenant' and t.deleted_at is null and t.state <> 'deleting'
  and not exists (select 1 from resource r where r.kind = 'price-list' and r.tenant = t.name
    and r.name = 'v' || p.version and r.deleted_at is null)
order by t.name, p.version

-- name: accounts_to_show
select t.name as tenant from resource t
where t.kind = 'tenant' and t.deleted_at is null and t.state <> 'deleting'
  and not exists (select 1 from resource r where r.kind = 'billing-account' and r.tenant = t.name
    and r.name = $1 and r.deleted_at is null)
order by t.name

-- name: invoices_to_show
select distinct s.tenant, to_char(s.period, 'YYYY-MM') as name
from spending s join resource t on t.kind = 'tenant' and t.name = s.tenant
where t.deleted_at is null and t.state <> 'deleting'
  and not exists (select 1 from resource r where r.kind = 'invoice' and r.tenant = s.tenant
    and r.name = to_char(s.period, 'YYYY-MM') and r.deleted_at is null)
order by s.tenant, name

-- name: invoice_to_show
select true from resource t
where t.kind = 'tenant' and t.name = $1 and t.deleted_at is null and t.state <> 'deleting'
  and not exists (select 1 from resource r where r.kind = 'invoice' and r.tenant = $1
    and r.name = $2 and r.deleted_at is null)
