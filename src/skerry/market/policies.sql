-- name: of_tenant
-- Those that bind a workspace of a tenant.
select ref, version, spec from resource
where tenant = $1 and kind = 'policy' and deleted_at is null
  and (coalesce(json_array_length(spec -> 'workspaces'), 0) = 0
    or exists (select from json_array_elements_text(spec -> 'workspaces') as w (named) where w.named = $2))
order by ref
