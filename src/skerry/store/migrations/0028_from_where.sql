-- Where the request that made a change came from; empty where none did, and for older changes. It
-- is no part of the leaf: a claim of this server, that nobody outside can check.
alter table change add column address text not null default '';
