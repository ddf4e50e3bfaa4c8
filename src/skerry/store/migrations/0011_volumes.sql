-- Which volumes a run takes, from when it is given its place. It holds them until it is over.
create table volume_use (
  workload text not null references workload (id) on delete cascade,
  volume uuid not null references resource (uid),
  read_only boolean not null,
  primary key (workload, volume)
);
create index volume_use_volume on volume_use (volume);
