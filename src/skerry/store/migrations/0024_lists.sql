-- Lists by the time of creation, either way. It never changes, so the index costs nothing after a
-- row is made; one by modified_at would have every update write all indexes of the row.
create index resource_created on resource (kind, parent_ref, created_at, uid)
  where deleted_at is null;
