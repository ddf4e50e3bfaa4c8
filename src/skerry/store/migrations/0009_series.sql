-- What everything used and said, for a stated time. Nothing here is a record of money or proof.

-- Whom samples are about: a task, a host (name '') or a route, as its source calls it.
create table subject (
  id integer primary key generated always as identity,
  source text not null,      -- who speaks of it: a host (`site` or `site/host`), or a gateway
  sort text not null check (sort in ('task', 'host', 'route')),
  name text not null,        -- a workload's id, a route's uid
  rank integer not null,
  owner uuid,                -- the resource whose workload or route it is
  tenant text not null default '',
  workspace text not null default '',
  made_at timestamptz not null,
  seen_at timestamptz not null,
  unique (source, name, rank)
);
create index subject_owner on subject (owner);
create index subject_workspace on subject (tenant, workspace);

-- All that a source said at one instant, side by side; counters as they came. Lives for minutes.
-- In all arrays of this file NaN is unknown, and a null array is nothing but unknown.
create table tick (
  at timestamptz not null,   -- of the grid of 15 seconds
  source text not null,
  taken_at timestamptz not null,
  subjects integer[] not null,
  cpu float8[], memory float8[], received float8[], sent float8[], gpu float8[],
  gpu_memory float8[], disk float8[], requests float8[], failures float8[], waited float8[],
  primary key (source, at)
);
create index tick_at on tick (at);

-- Five minutes of one subject: twenty points of each series, counters as growth per second; mean
-- and peak of each series in the order of these columns.
create table sample (
  subject integer not null,
  start timestamptz not null,
  cpu real[], memory real[], received real[], sent real[], gpu real[],
  gpu_memory real[], disk real[], requests real[], failures real[], waited real[],
  mean real[] not null,
  peak real[] not null,
  primary key (subject, start)
) partition by range (start);
create index sample_start on sample (start);

-- An hour of one subject: twelve means and twelve peaks of each series.
create table rollup (
  subject integer not null,
  start timestamptz not null,
  cpu real[], memory real[], received real[], sent real[], gpu real[],
  gpu_memory real[], disk real[], requests real[], failures real[], waited real[],
  cpu_peak real[], memory_peak real[], received_peak real[], sent_peak real[], gpu_peak real[],
  gpu_memory_peak real[], disk_peak real[], requests_peak real[], failures_peak real[],
  waited_peak real[],
  primary key (subject, start)
) partition by range (start);

-- How far ticks are packed into samples and samples into rollups.
create table packed (
  level text primary key check (level in ('sample', 'rollup')),
  until timestamptz not null
);

-- Pieces of the logs of tasks: whole lines with their times, compressed.
create table log_piece (
  at timestamptz not null,   -- of the first line, by the database's clock
  id bigint not null generated always as identity,
  until timestamptz not null,
  tenant text not null,
  workspace text not null,
  owner uuid not null,
  workload text not null,
  rank integer not null,
  lines integer not null,
  bytes integer not null,    -- of text
  marks integer[] not null,  -- hashes of its words, and of where it belongs
  body bytea not null,
  primary key (at, id)
) partition by range (at);
create index log_piece_marks on log_piece using gin (marks);
create index log_piece_workspace on log_piece (tenant, workspace, at);

-- How far each task's log has been read, and the begun lines that wait for their end.
create table log_cursor (
  workload text not null,
  rank integer not null,
  next bigint not null,
  begun bytea not null default '',
  read_at timestamptz not null,
  primary key (workload, rank)
);

-- Bytes of text kept for each workspace, by the day of the pieces; and what its share cut off.
create table log_share (
  tenant text not null,
  workspace text not null,
  day date not null,
  bytes bigint not null,
  primary key (tenant, workspace, day)
);
create table log_cut (
  tenant text not null,
  workspace text not null,
  until timestamptz not null, -- nothing older is kept whole
  bytes bigint not null,
  primary key (tenant, workspace)
);

alter table workload add column log_read_at timestamptz; -- all of its log has been collected
create index workload_log on workload (at) where ended_at is not null and gone_at is null
  and log_read_at is null;

-- Make the partitions of a table that hold `now` and the next, and drop those that ended before
-- `oldest`. Bounds are multiples of `width` since 1970; a name ends in its start.
create function keep_partitions(
  parent text, width interval, now timestamptz, oldest timestamptz
) returns integer language plpgsql as $$
declare
  seconds bigint := extract(epoch from width);
  first bigint := floor(extract(epoch from now) / seconds) * seconds;
  part record;
  dropped integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('partitions of ' || parent));
  for i in 0..1 loop
    if to_regclass(format('%s_%s', parent, first + i * seconds)) is null then
      execute format('create table %I partition of %I for values from (%L) to (%L)',
        parent || '_' || first + i * seconds, parent,
        to_timestamp(first + i * seconds), to_timestamp(first + (i + 1) * seconds));
    end if;
  end loop;
  for part in
    select c.relname, substring(c.relname from '_(\d+)$')::bigint + seconds as ends
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = to_regclass(parent)
  loop
    if part.ends <= extract(epoch from oldest) then
      execute format('drop table %I', part.relname);
      dropped := dropped + 1;
    end if;
  end loop;
  return dropped;
end
$$;
