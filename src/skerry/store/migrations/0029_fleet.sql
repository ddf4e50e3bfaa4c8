-- Gangs over several nodes.

-- What a lease takes of further offers than its own, which has the first ranks. What is not given
-- back is in use at the offer.
create table lease_share (
  lease uuid not null references lease (id),
  position int not null,     -- from 1, in the order of ranks
  offer text not null references offer (id),
  takes text not null,       -- canonical JSON, as in lease
  given_back boolean not null default false,
  primary key (lease, position)
);
create index lease_share_open on lease_share (lease) where not given_back;
