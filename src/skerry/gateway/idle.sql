-- name: idle
-- Routes that no gateway was asked for in so many seconds.
select w.route from unnest($1::uuid[], $2::float8[]) as w(route, seconds)
where not exists (
  select from route_seen s where s.route = w.route
    and s.last_at > skerry_now() - make_interval(secs => w.seconds))
