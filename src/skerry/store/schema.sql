-- Written by `python -m skerry.store.schema` from the migrations. Do not edit.

SET check_function_bodies = false; -- functions come before the tables they name

CREATE FUNCTION public.keep_partitions(parent text, width interval, now timestamp with time zone, oldest timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $_$
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
$_$;

CREATE FUNCTION public.raise_authorization_epoch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  insert into authorization_epoch as e (tenant, epoch)
  values (case tg_op when 'DELETE' then old.tenant else new.tenant end, 1)
  on conflict (tenant) do update set epoch = e.epoch + 1;
  return null;
end
$$;

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  raise exception '% rows are never changed or removed', tg_table_name
    using hint = 'Write a new row that corrects the old one.';
end $$;

CREATE FUNCTION public.skerry_now() RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$select clock_timestamp() + shift + held from clock$$;

CREATE TABLE public.hold (
    lease uuid NOT NULL,
    tenant text NOT NULL,
    workspace text NOT NULL,
    product text NOT NULL,
    resource text NOT NULL,
    resource_uid uuid NOT NULL,
    root_uid uuid NOT NULL,
    currency text NOT NULL,
    pending uuid NOT NULL,
    state text NOT NULL,
    amount bigint NOT NULL,
    ceiling bigint,
    horizon integer NOT NULL,
    expires_at timestamp with time zone,
    closed_at timestamp with time zone,
    CONSTRAINT hold_amount_check CHECK ((amount >= 0)),
    CONSTRAINT hold_state_check CHECK ((state = ANY (ARRAY['reserved'::text, 'open'::text, 'closed'::text])))
)
WITH (fillfactor='70');

CREATE TABLE public.stream (
    id uuid NOT NULL,
    lease uuid NOT NULL,
    meter text NOT NULL,
    sku text NOT NULL,
    source text NOT NULL,
    region text NOT NULL,
    price bigint NOT NULL,
    per bigint NOT NULL,
    price_version integer NOT NULL,
    rate bigint,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    settled_until timestamp with time zone NOT NULL,
    billed_us bigint DEFAULT 0 NOT NULL,
    quantity bigint DEFAULT 0 NOT NULL,
    posted bigint DEFAULT 0 NOT NULL,
    unbilled bigint DEFAULT 0 NOT NULL,
    closed boolean DEFAULT false NOT NULL,
    devices text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT stream_per_check CHECK ((per > 0)),
    CONSTRAINT stream_price_check CHECK ((price >= 0)),
    CONSTRAINT stream_rate_check CHECK ((rate >= 0))
)
WITH (fillfactor='50');

CREATE TABLE public.usage (
    stream uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    quantity bigint NOT NULL,
    amount bigint NOT NULL,
    unbilled bigint NOT NULL,
    period date NOT NULL,
    batch bigint NOT NULL
);

CREATE FUNCTION public.usage_text(u public.usage, s public.stream, h public.hold) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select concat(
    '{"amount":', u.amount,
    ',"currency":', to_json(h.currency),
    case when s.devices <> '{}' then ',"devices":' || array_to_json(s.devices) end,
    ',"end":"', to_char(u.ends_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    '","lease":"', h.lease,
    '","meter":', to_json(s.meter),
    ',"per":', s.per,
    ',"period":"', to_char(u.period, 'YYYY-MM'),
    '","price":', s.price,
    ',"priceVersion":', s.price_version,
    ',"product":', to_json(h.product),
    ',"quantity":', u.quantity,
    ',"region":', to_json(s.region),
    ',"resource":', to_json(h.resource),
    ',"root":"', h.root_uid,
    '","site":', to_json(s.source),
    ',"sku":', to_json(s.sku),
    ',"start":"', to_char(u.starts_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    '","stream":"', u.stream,
    '","tenant":', to_json(h.tenant),
    ',"type":"usage","uid":"', h.resource_uid,
    '","unbilled":', u.unbilled,
    ',"workspace":', to_json(h.workspace),
    '}')
$$;

CREATE TABLE public.account (
    id uuid NOT NULL,
    owner text NOT NULL,
    workspace text NOT NULL,
    code text NOT NULL,
    currency text NOT NULL,
    guard text NOT NULL,
    allowance bigint NOT NULL,
    debits_pending numeric(38,0) DEFAULT 0 NOT NULL,
    debits_posted numeric(38,0) DEFAULT 0 NOT NULL,
    credits_pending numeric(38,0) DEFAULT 0 NOT NULL,
    credits_posted numeric(38,0) DEFAULT 0 NOT NULL,
    CONSTRAINT account_allowance_check CHECK ((allowance >= 0)),
    CONSTRAINT account_credits_pending_check CHECK ((credits_pending >= (0)::numeric)),
    CONSTRAINT account_credits_posted_check CHECK ((credits_posted >= (0)::numeric)),
    CONSTRAINT account_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT account_debits_pending_check CHECK ((debits_pending >= (0)::numeric)),
    CONSTRAINT account_debits_posted_check CHECK ((debits_posted >= (0)::numeric)),
    CONSTRAINT account_guard_check CHECK ((guard = ANY (ARRAY['none'::text, 'debits'::text, 'credits'::text])))
)
WITH (fillfactor='50');

CREATE TABLE public.alert (
    id uuid NOT NULL,
    subject text NOT NULL,
    tenant text NOT NULL,
    reason text NOT NULL,
    message text NOT NULL,
    remedy text NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    cleared_at timestamp with time zone,
    quiet boolean DEFAULT false NOT NULL
);

CREATE TABLE public.authorization_epoch (
    tenant text NOT NULL,
    epoch bigint NOT NULL
);

CREATE TABLE public.batch (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    size integer NOT NULL,
    root text NOT NULL,
    hashes bytea NOT NULL,
    change_id uuid NOT NULL
);
ALTER TABLE ONLY public.batch ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE SEQUENCE public.batch_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.budget_alert (
    budget uuid NOT NULL,
    period date NOT NULL,
    threshold integer NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.change (
    id uuid NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    verb text NOT NULL,
    tenant text NOT NULL,
    workspace text NOT NULL,
    actor text NOT NULL,
    version bigint NOT NULL,
    body text NOT NULL,
    salt bytea NOT NULL,
    leaf bytea NOT NULL,
    address text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.checkpoint (
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT checkpoint_root_check CHECK ((length(root) = 32)),
    CONSTRAINT checkpoint_size_check CHECK ((size >= 0))
);

CREATE TABLE public.clock (
    single boolean DEFAULT true NOT NULL,
    shift interval DEFAULT '00:00:00'::interval NOT NULL,
    held interval DEFAULT '00:00:00'::interval NOT NULL,
    CONSTRAINT clock_single_check CHECK (single)
);

CREATE TABLE public.cosignature (
    witness uuid NOT NULL,
    size bigint NOT NULL,
    line text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.credential (
    subject_uid uuid NOT NULL,
    hash text NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.data_key (
    tenant text NOT NULL,
    key_id text NOT NULL,
    wrapped bytea NOT NULL
);

CREATE TABLE public.decision (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    tenant text NOT NULL,
    workspace text NOT NULL,
    owner uuid NOT NULL,
    subject text NOT NULL,
    purpose text NOT NULL,
    outcome text NOT NULL,
    base text NOT NULL,
    changes text NOT NULL,
    body text NOT NULL,
    CONSTRAINT decision_outcome_check CHECK ((outcome = ANY (ARRAY['placed'::text, 'quoted'::text, 'unplaced'::text, 'unaffordable'::text]))),
    CONSTRAINT decision_purpose_check CHECK ((purpose = ANY (ARRAY['placement'::text, 'quote'::text])))
);

CREATE TABLE public.feed (
    "position" bigint NOT NULL,
    change_id uuid NOT NULL
);

CREATE TABLE public.flow (
    uid uuid NOT NULL,
    kind text NOT NULL,
    step text NOT NULL,
    data json DEFAULT '{}'::json NOT NULL,
    wake_at timestamp with time zone NOT NULL,
    entered_at timestamp with time zone NOT NULL,
    deadline timestamp with time zone,
    generation bigint NOT NULL,
    deleting boolean DEFAULT false NOT NULL,
    intents json DEFAULT '[]'::json NOT NULL,
    poke bigint DEFAULT 0 NOT NULL,
    token bigint DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    tries integer DEFAULT 0 NOT NULL,
    problem text DEFAULT ''::text NOT NULL,
    holder text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='70');

CREATE SEQUENCE public.flow_token
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.gateway (
    name text NOT NULL,
    seen_at timestamp with time zone NOT NULL
);

CREATE TABLE public.gateway_certificate (
    host text NOT NULL,
    source text NOT NULL,
    chain text DEFAULT ''::text NOT NULL,
    sealed_key bytea,
    not_after timestamp with time zone,
    renew_at timestamp with time zone NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    problem text DEFAULT ''::text NOT NULL,
    busy uuid,
    busy_until timestamp with time zone,
    CONSTRAINT gateway_certificate_source_check CHECK ((source = ANY (ARRAY['file'::text, 'authority'::text, 'acme'::text])))
);

CREATE TABLE public.gateway_challenge (
    token text NOT NULL,
    answer text NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.gateway_face (
    single boolean DEFAULT true NOT NULL,
    scheme text NOT NULL,
    base text NOT NULL,
    port integer NOT NULL,
    reserved text[] NOT NULL,
    tcp_first integer NOT NULL,
    tcp_last integer NOT NULL,
    CONSTRAINT gateway_face_single_check CHECK (single)
);

CREATE TABLE public.gateway_host (
    host text NOT NULL,
    route uuid NOT NULL,
    automatic boolean NOT NULL
);

CREATE TABLE public.gateway_key (
    name text NOT NULL,
    sealed bytea NOT NULL,
    public text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.gateway_pass (
    digest bytea NOT NULL,
    once boolean NOT NULL,
    route uuid NOT NULL,
    subject uuid NOT NULL,
    scopes json NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.gateway_port (
    port integer NOT NULL,
    route uuid NOT NULL
);

CREATE TABLE public.gateway_usage (
    piece uuid NOT NULL,
    route uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    requests bigint NOT NULL,
    received bigint NOT NULL,
    sent bigint NOT NULL
);

CREATE TABLE public.host_certificate (
    serial text NOT NULL,
    host uuid NOT NULL,
    made_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

CREATE TABLE public.host_door (
    one boolean DEFAULT true NOT NULL,
    address text NOT NULL,
    fingerprint text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    CONSTRAINT host_door_one_check CHECK (one)
);

CREATE TABLE public.invoice (
    tenant text NOT NULL,
    period date NOT NULL,
    number text NOT NULL,
    currency text NOT NULL,
    total bigint NOT NULL,
    exact bigint NOT NULL,
    document text NOT NULL,
    closed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.invoice_payment (
    id uuid NOT NULL,
    number text NOT NULL,
    amount bigint NOT NULL,
    received_on date NOT NULL,
    reference text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT invoice_payment_amount_check CHECK ((amount > 0))
);

CREATE TABLE public.invoice_series (
    series text NOT NULL,
    last bigint NOT NULL,
    CONSTRAINT invoice_series_last_check CHECK ((last >= 0))
);

CREATE TABLE public.issued_invoice (
    number text NOT NULL,
    series text NOT NULL,
    serial bigint NOT NULL,
    type text NOT NULL,
    tenant text NOT NULL,
    period date NOT NULL,
    corrects text,
    currency text NOT NULL,
    net bigint NOT NULL,
    vat bigint NOT NULL,
    gross bigint NOT NULL,
    promo bigint DEFAULT 0 NOT NULL,
    prepaid bigint DEFAULT 0 NOT NULL,
    excess bigint DEFAULT 0 NOT NULL,
    issued_on date NOT NULL,
    due_on date NOT NULL,
    document text NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    CONSTRAINT issued_invoice_check CHECK (((type = 'credit-note'::text) = (corrects IS NOT NULL))),
    CONSTRAINT issued_invoice_serial_check CHECK ((serial > 0)),
    CONSTRAINT issued_invoice_type_check CHECK ((type = ANY (ARRAY['invoice'::text, 'credit-note'::text])))
);

CREATE TABLE public.issuer_link (
    issuer_uid uuid NOT NULL,
    subject text NOT NULL,
    tenant text NOT NULL,
    user_uid uuid NOT NULL,
    since timestamp with time zone NOT NULL
);

CREATE TABLE public.join_token (
    id uuid NOT NULL,
    site text NOT NULL,
    host text DEFAULT ''::text NOT NULL,
    digest bytea NOT NULL,
    made_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    used_for uuid,
    used_key text,
    revoked_at timestamp with time zone
);

CREATE TABLE public.lease (
    id uuid NOT NULL,
    decision uuid NOT NULL,
    offer text NOT NULL,
    owner uuid NOT NULL,
    part text NOT NULL,
    tenant text NOT NULL,
    workspace text NOT NULL,
    takes text NOT NULL,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    confirmed_at timestamp with time zone,
    drains_until timestamp with time zone,
    closed_at timestamp with time zone,
    CONSTRAINT lease_check CHECK (((state = 'closed'::text) = (closed_at IS NOT NULL))),
    CONSTRAINT lease_check1 CHECK (((state <> 'reserved'::text) OR (expires_at IS NOT NULL))),
    CONSTRAINT lease_state_check CHECK ((state = ANY (ARRAY['reserved'::text, 'active'::text, 'draining'::text, 'closed'::text])))
);

CREATE TABLE public.lease_share (
    lease uuid NOT NULL,
    "position" integer NOT NULL,
    offer text NOT NULL,
    takes text NOT NULL,
    given_back boolean DEFAULT false NOT NULL
);

CREATE TABLE public.log_cursor (
    workload text NOT NULL,
    rank integer NOT NULL,
    next bigint NOT NULL,
    begun bytea DEFAULT '\x'::bytea NOT NULL,
    read_at timestamp with time zone NOT NULL
);

CREATE TABLE public.log_cut (
    tenant text NOT NULL,
    workspace text NOT NULL,
    until timestamp with time zone NOT NULL,
    bytes bigint NOT NULL
);

CREATE TABLE public.log_piece (
    at timestamp with time zone NOT NULL,
    id bigint NOT NULL,
    until timestamp with time zone NOT NULL,
    tenant text NOT NULL,
    workspace text NOT NULL,
    owner uuid NOT NULL,
    workload text NOT NULL,
    rank integer NOT NULL,
    lines integer NOT NULL,
    bytes integer NOT NULL,
    marks integer[] DEFAULT '{}'::integer[] NOT NULL,
    body bytea NOT NULL,
    filter bytea
)
PARTITION BY RANGE (at);
ALTER TABLE ONLY public.log_piece ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.log_piece ALTER COLUMN filter SET STORAGE PLAIN;

ALTER TABLE public.log_piece ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.log_piece_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.log_share (
    tenant text NOT NULL,
    workspace text NOT NULL,
    day date NOT NULL,
    bytes bigint NOT NULL
);

CREATE TABLE public.login_attempt (
    bucket integer NOT NULL,
    failures integer NOT NULL,
    since timestamp with time zone NOT NULL
);

CREATE TABLE public.meter_gap (
    source text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT meter_gap_check CHECK ((ends_at > starts_at))
);

CREATE TABLE public.meter_source (
    name text NOT NULL,
    seen_until timestamp with time zone NOT NULL
);

CREATE TABLE public.migration (
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE UNLOGGED TABLE public.node (
    id text NOT NULL,
    name text NOT NULL,
    roles text[] NOT NULL,
    version text NOT NULL,
    relay text DEFAULT ''::text NOT NULL,
    door text DEFAULT ''::text NOT NULL,
    fingerprint text DEFAULT ''::text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL
);

CREATE TABLE public.notice_attempt (
    delivery uuid NOT NULL,
    number integer NOT NULL,
    at timestamp with time zone NOT NULL,
    milliseconds integer NOT NULL,
    ok boolean NOT NULL,
    code integer NOT NULL,
    said text NOT NULL
);

CREATE TABLE public.notice_delivery (
    id uuid NOT NULL,
    notice uuid NOT NULL,
    tenant text NOT NULL,
    channel text NOT NULL,
    target text NOT NULL,
    webhook uuid,
    phase text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    began_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    once bytea,
    CONSTRAINT notice_delivery_channel_check CHECK ((channel = ANY (ARRAY['mail'::text, 'webhook'::text]))),
    CONSTRAINT notice_delivery_phase_check CHECK ((phase = ANY (ARRAY['waiting'::text, 'sent'::text, 'failed'::text, 'folded'::text, 'listed'::text])))
);

CREATE TABLE public.notice_key (
    key text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.notice_office (
    single boolean DEFAULT true NOT NULL,
    mail boolean NOT NULL,
    CONSTRAINT notice_office_single_check CHECK (single)
);

CREATE TABLE public.notice_outbox (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    topic text NOT NULL,
    tenant text NOT NULL,
    addresses text[] NOT NULL,
    webhook uuid,
    subject text NOT NULL,
    text text NOT NULL,
    facts jsonb NOT NULL,
    once bytea
);

CREATE TABLE public.notice_told (
    subject text NOT NULL,
    reason text NOT NULL,
    tenant text NOT NULL,
    phase text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT notice_told_phase_check CHECK ((phase = ANY (ARRAY['open'::text, 'cleared'::text])))
);

CREATE TABLE public.offer (
    id text NOT NULL,
    version bigint NOT NULL,
    retired boolean DEFAULT false NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL
);

CREATE TABLE public.offer_snapshot (
    digest text NOT NULL,
    members text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.offer_state (
    offer text NOT NULL,
    version bigint NOT NULL,
    terms bytea NOT NULL,
    used text NOT NULL,
    digest bytea NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.offer_terms (
    digest bytea NOT NULL,
    body text NOT NULL
);

CREATE TABLE public.one_time_link (
    digest bytea NOT NULL,
    tenant text NOT NULL,
    invitation_uid uuid,
    user_uid uuid,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT one_time_link_check CHECK (((invitation_uid IS NULL) <> (user_uid IS NULL))),
    CONSTRAINT one_time_link_digest_check CHECK ((octet_length(digest) = 32))
);

CREATE TABLE public.packed (
    level text NOT NULL,
    until timestamp with time zone NOT NULL,
    CONSTRAINT packed_level_check CHECK ((level = ANY (ARRAY['sample'::text, 'rollup'::text])))
);

CREATE TABLE public.resource (
    uid uuid NOT NULL,
    kind text NOT NULL,
    ref text NOT NULL,
    name text NOT NULL,
    tenant text NOT NULL,
    workspace text NOT NULL,
    region text NOT NULL,
    parent_ref text NOT NULL,
    owner_uid uuid,
    root_uid uuid NOT NULL,
    created_by text NOT NULL,
    labels jsonb NOT NULL,
    annotations json NOT NULL,
    extensions json NOT NULL,
    spec json NOT NULL,
    spec_version text NOT NULL,
    status json NOT NULL,
    state text NOT NULL,
    conditions json NOT NULL,
    version bigint NOT NULL,
    generation bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    modified_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT resource_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'creating'::text, 'active'::text, 'updating'::text, 'deleting'::text, 'error'::text])))
);

CREATE VIEW public.place AS
 SELECT uid,
    kind,
        CASE
            WHEN (kind = 'host'::text) THEN ((regexp_replace(parent_ref, '^.*/'::text, ''::text) || '/'::text) || name)
            ELSE name
        END AS at
   FROM public.resource
  WHERE ((kind = ANY (ARRAY['site'::text, 'host'::text])) AND (deleted_at IS NULL));

CREATE TABLE public.price_list (
    version integer NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    currency text NOT NULL,
    source text NOT NULL,
    loaded_at timestamp with time zone NOT NULL
);

CREATE TABLE public.queue_entry (
    owner uuid NOT NULL,
    queue text NOT NULL,
    tenant text NOT NULL,
    workspace text NOT NULL,
    subject text NOT NULL,
    priority integer NOT NULL,
    preempts boolean NOT NULL,
    preemptible boolean NOT NULL,
    notice integer NOT NULL,
    millicores bigint NOT NULL,
    memory bigint NOT NULL,
    gpus bigint NOT NULL,
    models text[] NOT NULL,
    duration bigint NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    number bigint NOT NULL,
    state text NOT NULL,
    model text DEFAULT ''::text NOT NULL,
    told boolean DEFAULT false NOT NULL,
    admitted_at timestamp with time zone,
    rests_until timestamp with time zone,
    unplaced_since timestamp with time zone,
    evicted_at timestamp with time zone,
    evicted_for uuid,
    evicted_why text DEFAULT ''::text NOT NULL,
    warned boolean DEFAULT false NOT NULL,
    room_made_at timestamp with time zone,
    CONSTRAINT queue_entry_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'admitted'::text])))
);

ALTER TABLE public.queue_entry ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.queue_entry_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.queue_past (
    queue text NOT NULL,
    millicores bigint NOT NULL,
    gpus bigint NOT NULL,
    runs bigint NOT NULL,
    seconds double precision NOT NULL
);

CREATE TABLE public.queue_round (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    queue text NOT NULL,
    body text NOT NULL
);

CREATE TABLE public.quota (
    tenant text NOT NULL,
    kind text NOT NULL,
    most bigint NOT NULL
);

CREATE TABLE public.quota_use (
    tenant text NOT NULL,
    kind text NOT NULL,
    used bigint DEFAULT 0 NOT NULL,
    CONSTRAINT quota_use_used_check CHECK ((used >= 0))
);

CREATE TABLE public.reference (
    from_uid uuid NOT NULL,
    field text NOT NULL,
    to_uid uuid NOT NULL
);

CREATE TABLE public.rollup (
    subject integer NOT NULL,
    start timestamp with time zone NOT NULL,
    cpu real[],
    memory real[],
    received real[],
    sent real[],
    gpu real[],
    gpu_memory real[],
    disk real[],
    requests real[],
    failures real[],
    waited real[],
    cpu_peak real[],
    memory_peak real[],
    received_peak real[],
    sent_peak real[],
    gpu_peak real[],
    gpu_memory_peak real[],
    disk_peak real[],
    requests_peak real[],
    failures_peak real[],
    waited_peak real[]
)
PARTITION BY RANGE (start);

CREATE TABLE public.route_seen (
    gateway text NOT NULL,
    route uuid NOT NULL,
    version bigint NOT NULL,
    draining text[] DEFAULT '{}'::text[] NOT NULL,
    last_at timestamp with time zone
)
WITH (fillfactor='50');

CREATE TABLE public.sample (
    subject integer NOT NULL,
    start timestamp with time zone NOT NULL,
    cpu real[],
    memory real[],
    received real[],
    sent real[],
    gpu real[],
    gpu_memory real[],
    disk real[],
    requests real[],
    failures real[],
    waited real[],
    mean real[] NOT NULL,
    peak real[] NOT NULL
)
PARTITION BY RANGE (start);

CREATE TABLE public.sealed (
    uid uuid NOT NULL,
    field text NOT NULL,
    ciphertext bytea NOT NULL
);

CREATE TABLE public.second_factor (
    user_uid uuid NOT NULL,
    seed bytea NOT NULL,
    confirmed_at timestamp with time zone,
    last_step bigint DEFAULT 0 NOT NULL,
    recovery bytea[] DEFAULT '{}'::bytea[] NOT NULL
);

CREATE TABLE public.sequencer (
    single boolean DEFAULT true NOT NULL,
    xid xid8 DEFAULT '0'::xid8 NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    id uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
    CONSTRAINT sequencer_single_check CHECK (single)
);

CREATE TABLE public.shortage (
    tenant text NOT NULL,
    since timestamp with time zone NOT NULL,
    keep_until timestamp with time zone NOT NULL,
    kept_hourly bigint NOT NULL,
    needed bigint NOT NULL,
    told_over boolean DEFAULT false NOT NULL,
    ended_at timestamp with time zone
);

CREATE TABLE public.sign_in (
    digest bytea NOT NULL,
    issuer text NOT NULL,
    tenant text NOT NULL,
    back text NOT NULL,
    state text NOT NULL,
    challenge text NOT NULL,
    invitation bytea,
    user_uid uuid,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT sign_in_digest_check CHECK ((octet_length(digest) = 32))
);

CREATE TABLE public.site_contact (
    at text CONSTRAINT site_contact_site_not_null NOT NULL,
    last_seen_at timestamp with time zone,
    connected_at timestamp with time zone,
    agent_version text DEFAULT ''::text NOT NULL,
    boot_id text DEFAULT ''::text NOT NULL,
    capacity json,
    watcher text DEFAULT ''::text NOT NULL,
    watcher_until timestamp with time zone,
    clock_ahead double precision
);

CREATE TABLE public.site_orphan (
    at text CONSTRAINT site_orphan_site_not_null NOT NULL,
    id text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    status json NOT NULL
);

CREATE TABLE public.site_outage (
    id uuid NOT NULL,
    at text CONSTRAINT site_outage_site_not_null NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT site_outage_check CHECK (((ended_at IS NULL) OR (ended_at >= began_at)))
);

CREATE TABLE public.site_token (
    id uuid NOT NULL,
    site text NOT NULL,
    digest bytea NOT NULL,
    made_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

CREATE TABLE public.spending (
    tenant text NOT NULL,
    workspace text NOT NULL,
    currency text NOT NULL,
    period date NOT NULL,
    amount bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE public.subject (
    id integer NOT NULL,
    source text NOT NULL,
    sort text NOT NULL,
    name text NOT NULL,
    rank integer NOT NULL,
    owner uuid,
    tenant text DEFAULT ''::text NOT NULL,
    workspace text DEFAULT ''::text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT subject_sort_check CHECK ((sort = ANY (ARRAY['task'::text, 'host'::text, 'route'::text, 'gpu'::text])))
);

ALTER TABLE public.subject ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.subject_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.terms (
    tenant text NOT NULL,
    version integer NOT NULL,
    mode text NOT NULL,
    credit_limit bigint,
    currency text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT terms_credit_limit_check CHECK ((credit_limit >= 0)),
    CONSTRAINT terms_mode_check CHECK ((mode = ANY (ARRAY['prepaid'::text, 'postpaid'::text])))
);

CREATE TABLE public.tick (
    at timestamp with time zone NOT NULL,
    source text NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    subjects integer[] NOT NULL,
    cpu double precision[],
    memory double precision[],
    received double precision[],
    sent double precision[],
    gpu double precision[],
    gpu_memory double precision[],
    disk double precision[],
    requests double precision[],
    failures double precision[],
    waited double precision[]
);

CREATE TABLE public.ticket (
    digest bytea NOT NULL,
    token_id uuid NOT NULL,
    path text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT ticket_digest_check CHECK ((octet_length(digest) = 32))
);

CREATE TABLE public.token (
    id uuid NOT NULL,
    digest bytea NOT NULL,
    subject_uid uuid NOT NULL,
    resource_uid uuid,
    scopes json DEFAULT '[]'::json NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    address text DEFAULT ''::text NOT NULL,
    opened_by text DEFAULT ''::text NOT NULL,
    CONSTRAINT token_digest_check CHECK ((octet_length(digest) = 32))
);

CREATE TABLE public.transfer (
    id uuid NOT NULL,
    batch bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    verb text NOT NULL,
    debit uuid NOT NULL,
    credit uuid NOT NULL,
    amount bigint NOT NULL,
    pending uuid,
    expires_at timestamp with time zone,
    code text NOT NULL,
    subject text NOT NULL,
    CONSTRAINT transfer_amount_check CHECK ((amount >= 0)),
    CONSTRAINT transfer_check CHECK ((debit <> credit)),
    CONSTRAINT transfer_check1 CHECK (((pending IS NOT NULL) = (verb = ANY (ARRAY['post'::text, 'void'::text, 'expire'::text])))),
    CONSTRAINT transfer_check2 CHECK (((expires_at IS NULL) OR (verb = 'pending'::text))),
    CONSTRAINT transfer_verb_check CHECK ((verb = ANY (ARRAY['move'::text, 'pending'::text, 'post'::text, 'void'::text, 'expire'::text])))
);

CREATE VIEW public.usage_record AS
 SELECT u.stream,
    h.lease,
    h.tenant,
    h.workspace,
    h.product,
    h.resource,
    h.resource_uid AS uid,
    h.root_uid AS root,
    s.meter,
    s.sku,
    s.source AS site,
    s.region,
    u.starts_at AS start,
    u.ends_at AS "end",
    u.quantity,
    s.price,
    s.per,
    s.price_version,
    u.amount,
    u.unbilled,
    h.currency,
    u.period,
    u.batch,
    s.devices
   FROM ((public.usage u
     JOIN public.stream s ON ((s.id = u.stream)))
     JOIN public.hold h ON ((h.lease = s.lease)));

CREATE TABLE public.volume_use (
    workload text NOT NULL,
    volume uuid NOT NULL,
    read_only boolean NOT NULL
);

CREATE TABLE public.voucher (
    name text NOT NULL,
    digest bytea NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    source text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    tenant text,
    ended_at timestamp with time zone,
    CONSTRAINT voucher_amount_check CHECK ((amount > 0)),
    CONSTRAINT voucher_check CHECK (((state = 'open'::text) = (ended_at IS NULL))),
    CONSTRAINT voucher_check1 CHECK (((state = 'redeemed'::text) = (tenant IS NOT NULL))),
    CONSTRAINT voucher_source_check CHECK ((source = ANY (ARRAY['sold'::text, 'gift'::text]))),
    CONSTRAINT voucher_state_check CHECK ((state = ANY (ARRAY['open'::text, 'redeemed'::text, 'expired'::text])))
);

CREATE TABLE public.witnessed (
    origin text NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.workload (
    id text NOT NULL,
    at text CONSTRAINT workload_site_not_null NOT NULL,
    owner uuid NOT NULL,
    tenant text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    status json,
    fence bigint DEFAULT 0 NOT NULL,
    seen_at timestamp with time zone,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    gone_at timestamp with time zone,
    given_up_at timestamp with time zone,
    log_read_at timestamp with time zone
);

CREATE TABLE public.workspace_blob (
    tenant text NOT NULL,
    workspace text NOT NULL,
    digest text NOT NULL,
    used_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_owner_workspace_code_currency_key UNIQUE (owner, workspace, code, currency);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.authorization_epoch
    ADD CONSTRAINT authorization_epoch_pkey PRIMARY KEY (tenant);

ALTER TABLE ONLY public.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.budget_alert
    ADD CONSTRAINT budget_alert_pkey PRIMARY KEY (budget, period, threshold);

ALTER TABLE ONLY public.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.checkpoint
    ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (size);

ALTER TABLE ONLY public.clock
    ADD CONSTRAINT clock_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.cosignature
    ADD CONSTRAINT cosignature_pkey PRIMARY KEY (witness, size);

ALTER TABLE ONLY public.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (subject_uid);

ALTER TABLE ONLY public.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (tenant);

ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_change_id_key UNIQUE (change_id);

ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY public.flow
    ADD CONSTRAINT flow_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY public.gateway_certificate
    ADD CONSTRAINT gateway_certificate_pkey PRIMARY KEY (host);

ALTER TABLE ONLY public.gateway_challenge
    ADD CONSTRAINT gateway_challenge_pkey PRIMARY KEY (token);

ALTER TABLE ONLY public.gateway_face
    ADD CONSTRAINT gateway_face_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.gateway_host
    ADD CONSTRAINT gateway_host_pkey PRIMARY KEY (host);

ALTER TABLE ONLY public.gateway_key
    ADD CONSTRAINT gateway_key_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.gateway_pass
    ADD CONSTRAINT gateway_pass_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.gateway
    ADD CONSTRAINT gateway_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.gateway_port
    ADD CONSTRAINT gateway_port_pkey PRIMARY KEY (port);

ALTER TABLE ONLY public.gateway_port
    ADD CONSTRAINT gateway_port_route_key UNIQUE (route);

ALTER TABLE ONLY public.gateway_usage
    ADD CONSTRAINT gateway_usage_pkey PRIMARY KEY (piece, route);

ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (lease);

ALTER TABLE ONLY public.host_certificate
    ADD CONSTRAINT host_certificate_pkey PRIMARY KEY (serial);

ALTER TABLE ONLY public.host_door
    ADD CONSTRAINT host_door_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_number_key UNIQUE (number);

ALTER TABLE ONLY public.invoice_payment
    ADD CONSTRAINT invoice_payment_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_pkey PRIMARY KEY (tenant, period);

ALTER TABLE ONLY public.invoice_series
    ADD CONSTRAINT invoice_series_pkey PRIMARY KEY (series);

ALTER TABLE ONLY public.issued_invoice
    ADD CONSTRAINT issued_invoice_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.issued_invoice
    ADD CONSTRAINT issued_invoice_series_serial_key UNIQUE (series, serial);

ALTER TABLE ONLY public.issuer_link
    ADD CONSTRAINT issuer_link_pkey PRIMARY KEY (issuer_uid, subject, tenant);

ALTER TABLE ONLY public.join_token
    ADD CONSTRAINT join_token_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.join_token
    ADD CONSTRAINT join_token_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lease_share
    ADD CONSTRAINT lease_share_pkey PRIMARY KEY (lease, "position");

ALTER TABLE ONLY public.log_cursor
    ADD CONSTRAINT log_cursor_pkey PRIMARY KEY (workload, rank);

ALTER TABLE ONLY public.log_cut
    ADD CONSTRAINT log_cut_pkey PRIMARY KEY (tenant, workspace);

ALTER TABLE ONLY public.log_piece
    ADD CONSTRAINT log_piece_pkey PRIMARY KEY (at, id);

ALTER TABLE ONLY public.log_share
    ADD CONSTRAINT log_share_pkey PRIMARY KEY (tenant, workspace, day);

ALTER TABLE ONLY public.login_attempt
    ADD CONSTRAINT login_attempt_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.meter_gap
    ADD CONSTRAINT meter_gap_pkey PRIMARY KEY (source, starts_at);

ALTER TABLE ONLY public.meter_source
    ADD CONSTRAINT meter_source_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notice_attempt
    ADD CONSTRAINT notice_attempt_pkey PRIMARY KEY (delivery, number);

ALTER TABLE ONLY public.notice_delivery
    ADD CONSTRAINT notice_delivery_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notice_key
    ADD CONSTRAINT notice_key_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.notice_office
    ADD CONSTRAINT notice_office_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.notice_outbox
    ADD CONSTRAINT notice_outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notice_told
    ADD CONSTRAINT notice_told_pkey PRIMARY KEY (subject, reason);

ALTER TABLE ONLY public.offer
    ADD CONSTRAINT offer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.offer_snapshot
    ADD CONSTRAINT offer_snapshot_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.offer_state
    ADD CONSTRAINT offer_state_pkey PRIMARY KEY (offer, version);

ALTER TABLE ONLY public.offer_terms
    ADD CONSTRAINT offer_terms_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT one_time_link_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.packed
    ADD CONSTRAINT packed_pkey PRIMARY KEY (level);

ALTER TABLE ONLY public.price_list
    ADD CONSTRAINT price_list_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.queue_entry
    ADD CONSTRAINT queue_entry_pkey PRIMARY KEY (owner);

ALTER TABLE ONLY public.queue_past
    ADD CONSTRAINT queue_past_pkey PRIMARY KEY (queue, millicores, gpus);

ALTER TABLE ONLY public.queue_round
    ADD CONSTRAINT queue_round_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.quota
    ADD CONSTRAINT quota_pkey PRIMARY KEY (tenant, kind);

ALTER TABLE ONLY public.quota_use
    ADD CONSTRAINT quota_use_pkey PRIMARY KEY (tenant, kind);

ALTER TABLE ONLY public.reference
    ADD CONSTRAINT reference_pkey PRIMARY KEY (from_uid, field, to_uid);

ALTER TABLE ONLY public.resource
    ADD CONSTRAINT resource_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY public.rollup
    ADD CONSTRAINT rollup_pkey PRIMARY KEY (subject, start);

ALTER TABLE ONLY public.route_seen
    ADD CONSTRAINT route_seen_pkey PRIMARY KEY (gateway, route);

ALTER TABLE ONLY public.sample
    ADD CONSTRAINT sample_pkey PRIMARY KEY (subject, start);

ALTER TABLE ONLY public.sealed
    ADD CONSTRAINT sealed_pkey PRIMARY KEY (uid, field);

ALTER TABLE ONLY public.second_factor
    ADD CONSTRAINT second_factor_pkey PRIMARY KEY (user_uid);

ALTER TABLE ONLY public.sequencer
    ADD CONSTRAINT sequencer_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.shortage
    ADD CONSTRAINT shortage_pkey PRIMARY KEY (tenant, since);

ALTER TABLE ONLY public.sign_in
    ADD CONSTRAINT sign_in_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.site_contact
    ADD CONSTRAINT site_contact_pkey PRIMARY KEY (at);

ALTER TABLE ONLY public.site_orphan
    ADD CONSTRAINT site_orphan_pkey PRIMARY KEY (at, id);

ALTER TABLE ONLY public.site_outage
    ADD CONSTRAINT site_outage_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.site_token
    ADD CONSTRAINT site_token_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.site_token
    ADD CONSTRAINT site_token_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.spending
    ADD CONSTRAINT spending_pkey PRIMARY KEY (tenant, workspace, currency, period);

ALTER TABLE ONLY public.stream
    ADD CONSTRAINT stream_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.subject
    ADD CONSTRAINT subject_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.subject
    ADD CONSTRAINT subject_source_name_rank_key UNIQUE (source, name, rank);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_pkey PRIMARY KEY (tenant, version);

ALTER TABLE ONLY public.tick
    ADD CONSTRAINT tick_pkey PRIMARY KEY (source, at);

ALTER TABLE ONLY public.ticket
    ADD CONSTRAINT ticket_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_resource_uid_key UNIQUE (resource_uid);

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.usage
    ADD CONSTRAINT usage_pkey PRIMARY KEY (stream, starts_at);

ALTER TABLE ONLY public.volume_use
    ADD CONSTRAINT volume_use_pkey PRIMARY KEY (workload, volume);

ALTER TABLE ONLY public.voucher
    ADD CONSTRAINT voucher_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.voucher
    ADD CONSTRAINT voucher_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.witnessed
    ADD CONSTRAINT witnessed_pkey PRIMARY KEY (origin);

ALTER TABLE ONLY public.workload
    ADD CONSTRAINT workload_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.workspace_blob
    ADD CONSTRAINT workspace_blob_pkey PRIMARY KEY (tenant, workspace, digest);

CREATE UNIQUE INDEX alert_open ON public.alert USING btree (subject, reason) WHERE (cleared_at IS NULL);

CREATE INDEX change_subject ON public.change USING btree (kind, subject, version);

CREATE INDEX change_tenant ON public.change USING btree (tenant, at);

CREATE INDEX change_xid ON public.change USING btree (xid, version, id);

CREATE INDEX cosignature_size ON public.cosignature USING btree (size);

CREATE INDEX decision_owner ON public.decision USING btree (owner, at DESC);

CREATE INDEX decision_tenant ON public.decision USING btree (tenant, at);

CREATE INDEX flow_due ON public.flow USING btree (GREATEST(wake_at, lease_until));

CREATE INDEX gateway_host_route ON public.gateway_host USING btree (route);

CREATE INDEX gateway_pass_age ON public.gateway_pass USING btree (expires_at);

CREATE INDEX gateway_usage_age ON public.gateway_usage USING btree (ends_at);

CREATE INDEX gateway_usage_route ON public.gateway_usage USING btree (route, starts_at);

CREATE INDEX hold_open ON public.hold USING btree (tenant, lease) WHERE (state = 'open'::text);

CREATE INDEX hold_reserved ON public.hold USING btree (expires_at) WHERE (state = 'reserved'::text);

CREATE INDEX hold_resource ON public.hold USING btree (resource_uid);

CREATE INDEX hold_root ON public.hold USING btree (root_uid);

CREATE INDEX hold_tenant ON public.hold USING btree (tenant, workspace);

CREATE INDEX host_certificate_good ON public.host_certificate USING btree (host) WHERE (revoked_at IS NULL);

CREATE INDEX invoice_payment_number ON public.invoice_payment USING btree (number);

CREATE INDEX issued_invoice_corrects ON public.issued_invoice USING btree (corrects) WHERE (corrects IS NOT NULL);

CREATE UNIQUE INDEX issued_invoice_once ON public.issued_invoice USING btree (tenant, period) WHERE (type = 'invoice'::text);

CREATE INDEX issuer_link_user ON public.issuer_link USING btree (user_uid);

CREATE INDEX lease_expiring ON public.lease USING btree (expires_at) WHERE (state = 'reserved'::text);

CREATE INDEX lease_offer ON public.lease USING btree (offer) WHERE (state <> 'closed'::text);

CREATE UNIQUE INDEX lease_open ON public.lease USING btree (owner, part) WHERE (state <> 'closed'::text);

CREATE INDEX lease_owner ON public.lease USING btree (owner, made_at);

CREATE INDEX lease_share_open ON public.lease_share USING btree (lease) WHERE (NOT given_back);

CREATE INDEX log_piece_workspace ON ONLY public.log_piece USING btree (tenant, workspace, at);

CREATE INDEX notice_delivery_due ON public.notice_delivery USING btree (channel, due_at) WHERE (phase = 'waiting'::text);

CREATE INDEX notice_delivery_folded ON public.notice_delivery USING btree (began_at) WHERE (phase = 'folded'::text);

CREATE INDEX notice_delivery_mails ON public.notice_delivery USING btree (tenant, began_at) WHERE (channel = 'mail'::text);

CREATE INDEX notice_delivery_notice ON public.notice_delivery USING btree (notice);

CREATE INDEX notice_delivery_webhook ON public.notice_delivery USING btree (webhook, began_at);

CREATE INDEX notice_outbox_age ON public.notice_outbox USING btree (at, id);

CREATE INDEX offer_xid ON public.offer USING btree (xid);

CREATE INDEX one_time_link_expires ON public.one_time_link USING btree (expires_at);

CREATE INDEX one_time_link_invitation ON public.one_time_link USING btree (invitation_uid);

CREATE INDEX one_time_link_user ON public.one_time_link USING btree (user_uid);

CREATE INDEX queue_entry_admitted ON public.queue_entry USING btree (queue, admitted_at) WHERE (state = 'admitted'::text);

CREATE INDEX queue_entry_evicted ON public.queue_entry USING btree (evicted_at) WHERE (evicted_at IS NOT NULL);

CREATE INDEX queue_entry_waiting ON public.queue_entry USING btree (queue, priority DESC, asked_at, number) WHERE (state = 'waiting'::text);

CREATE INDEX queue_round_queue ON public.queue_round USING btree (queue, at DESC);

CREATE INDEX reference_to ON public.reference USING btree (to_uid);

CREATE INDEX resource_created ON public.resource USING btree (kind, parent_ref, created_at, uid) WHERE (deleted_at IS NULL);

CREATE INDEX resource_gone ON public.resource USING btree (kind, parent_ref, deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX resource_labels ON public.resource USING gin (labels) WHERE (deleted_at IS NULL);

CREATE INDEX resource_list ON public.resource USING btree (kind, parent_ref, name) WHERE (deleted_at IS NULL);

CREATE INDEX resource_owner ON public.resource USING btree (owner_uid) WHERE (owner_uid IS NOT NULL);

CREATE INDEX resource_parent ON public.resource USING btree (parent_ref) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX resource_ref ON public.resource USING btree (ref) WHERE (deleted_at IS NULL);

CREATE INDEX resource_tenant ON public.resource USING btree (tenant, kind) WHERE (deleted_at IS NULL);

CREATE INDEX resource_workspace ON public.resource USING btree (tenant, workspace) WHERE ((deleted_at IS NULL) AND (workspace <> ''::text));

CREATE INDEX route_seen_route ON public.route_seen USING btree (route);

CREATE INDEX sample_start ON ONLY public.sample USING btree (start);

CREATE UNIQUE INDEX shortage_open ON public.shortage USING btree (tenant) WHERE (ended_at IS NULL);

CREATE INDEX sign_in_expires ON public.sign_in USING btree (expires_at);

CREATE UNIQUE INDEX site_outage_open ON public.site_outage USING btree (at) WHERE (ended_at IS NULL);

CREATE INDEX site_outage_time ON public.site_outage USING btree (at, began_at);

CREATE INDEX site_token_site ON public.site_token USING btree (site) WHERE (revoked_at IS NULL);

CREATE INDEX stream_lease ON public.stream USING btree (lease);

CREATE INDEX stream_running ON public.stream USING btree (lease) WHERE (NOT closed);

CREATE INDEX subject_owner ON public.subject USING btree (owner);

CREATE INDEX subject_workspace ON public.subject USING btree (tenant, workspace);

CREATE INDEX tick_at ON public.tick USING btree (at);

CREATE INDEX ticket_old ON public.ticket USING btree (expires_at);

CREATE INDEX ticket_token ON public.ticket USING btree (token_id);

CREATE INDEX token_sessions ON public.token USING btree (expires_at) WHERE (resource_uid IS NULL);

CREATE INDEX token_subject ON public.token USING btree (subject_uid);

CREATE INDEX transfer_batch ON public.transfer USING btree (batch);

CREATE INDEX transfer_credit ON public.transfer USING btree (credit) WHERE (code = ANY (ARRAY['payment'::text, 'voucher'::text, 'promo'::text, 'gift'::text]));

CREATE UNIQUE INDEX transfer_end ON public.transfer USING btree (pending) WHERE (pending IS NOT NULL);

CREATE INDEX transfer_subject ON public.transfer USING btree (subject);

CREATE INDEX usage_batch ON public.usage USING btree (batch);

CREATE UNIQUE INDEX user_email ON public.resource USING btree (tenant, lower((spec ->> 'email'::text))) WHERE ((kind = 'user'::text) AND (deleted_at IS NULL) AND ((spec ->> 'email'::text) <> ''::text));

CREATE INDEX volume_use_volume ON public.volume_use USING btree (volume);

CREATE INDEX voucher_open ON public.voucher USING btree (expires_at) WHERE (state = 'open'::text);

CREATE INDEX workload_at ON public.workload USING btree (at) WHERE (gone_at IS NULL);

CREATE INDEX workload_log ON public.workload USING btree (at) WHERE ((ended_at IS NOT NULL) AND (gone_at IS NULL) AND (log_read_at IS NULL));

CREATE INDEX workload_owner ON public.workload USING btree (owner);

CREATE TRIGGER authorization_purged AFTER DELETE ON public.resource FOR EACH ROW WHEN ((old.kind = ANY (ARRAY['role'::text, 'role-assignment'::text]))) EXECUTE FUNCTION public.raise_authorization_epoch();

CREATE TRIGGER authorization_written AFTER INSERT OR UPDATE ON public.resource FOR EACH ROW WHEN ((new.kind = ANY (ARRAY['role'::text, 'role-assignment'::text]))) EXECUTE FUNCTION public.raise_authorization_epoch();

CREATE TRIGGER batch_immutable BEFORE DELETE OR UPDATE ON public.batch FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER batch_kept BEFORE TRUNCATE ON public.batch FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER invoice_immutable BEFORE DELETE OR UPDATE ON public.invoice FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER invoice_kept BEFORE TRUNCATE ON public.invoice FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER invoice_payment_immutable BEFORE DELETE OR UPDATE ON public.invoice_payment FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER invoice_payment_kept BEFORE TRUNCATE ON public.invoice_payment FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER issued_invoice_immutable BEFORE DELETE OR UPDATE ON public.issued_invoice FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER issued_invoice_kept BEFORE TRUNCATE ON public.issued_invoice FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER price_list_immutable BEFORE DELETE OR UPDATE ON public.price_list FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER terms_immutable BEFORE DELETE OR UPDATE ON public.terms FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER transfer_immutable BEFORE DELETE OR UPDATE ON public.transfer FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER transfer_kept BEFORE TRUNCATE ON public.transfer FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER usage_immutable BEFORE DELETE OR UPDATE ON public.usage FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER usage_kept BEFORE TRUNCATE ON public.usage FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

ALTER TABLE ONLY public.batch
    ADD CONSTRAINT batch_change_id_fkey FOREIGN KEY (change_id) REFERENCES public.change(id);

ALTER TABLE ONLY public.credential
    ADD CONSTRAINT credential_subject_uid_fkey FOREIGN KEY (subject_uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_base_fkey FOREIGN KEY (base) REFERENCES public.offer_snapshot(digest);

ALTER TABLE ONLY public.flow
    ADD CONSTRAINT flow_uid_fkey FOREIGN KEY (uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_pending_fkey FOREIGN KEY (pending) REFERENCES public.transfer(id);

ALTER TABLE ONLY public.invoice_payment
    ADD CONSTRAINT invoice_payment_number_fkey FOREIGN KEY (number) REFERENCES public.issued_invoice(number);

ALTER TABLE ONLY public.issued_invoice
    ADD CONSTRAINT issued_invoice_corrects_fkey FOREIGN KEY (corrects) REFERENCES public.issued_invoice(number);

ALTER TABLE ONLY public.issuer_link
    ADD CONSTRAINT issuer_link_issuer_uid_fkey FOREIGN KEY (issuer_uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.issuer_link
    ADD CONSTRAINT issuer_link_user_uid_fkey FOREIGN KEY (user_uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_decision_fkey FOREIGN KEY (decision) REFERENCES public.decision(id);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_offer_fkey FOREIGN KEY (offer) REFERENCES public.offer(id);

ALTER TABLE ONLY public.lease_share
    ADD CONSTRAINT lease_share_lease_fkey FOREIGN KEY (lease) REFERENCES public.lease(id);

ALTER TABLE ONLY public.lease_share
    ADD CONSTRAINT lease_share_offer_fkey FOREIGN KEY (offer) REFERENCES public.offer(id);

ALTER TABLE ONLY public.meter_gap
    ADD CONSTRAINT meter_gap_source_fkey FOREIGN KEY (source) REFERENCES public.meter_source(name);

ALTER TABLE ONLY public.notice_attempt
    ADD CONSTRAINT notice_attempt_delivery_fkey FOREIGN KEY (delivery) REFERENCES public.notice_delivery(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notice_delivery
    ADD CONSTRAINT notice_delivery_notice_fkey FOREIGN KEY (notice) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.offer
    ADD CONSTRAINT offer_id_version_fkey FOREIGN KEY (id, version) REFERENCES public.offer_state(offer, version);

ALTER TABLE ONLY public.offer_state
    ADD CONSTRAINT offer_state_terms_fkey FOREIGN KEY (terms) REFERENCES public.offer_terms(digest);

ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT one_time_link_invitation_uid_fkey FOREIGN KEY (invitation_uid) REFERENCES public.resource(uid) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT one_time_link_user_uid_fkey FOREIGN KEY (user_uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.queue_entry
    ADD CONSTRAINT queue_entry_owner_fkey FOREIGN KEY (owner) REFERENCES public.resource(uid);

ALTER TABLE ONLY public.reference
    ADD CONSTRAINT reference_from_uid_fkey FOREIGN KEY (from_uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.reference
    ADD CONSTRAINT reference_to_uid_fkey FOREIGN KEY (to_uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.resource
    ADD CONSTRAINT resource_owner_uid_fkey FOREIGN KEY (owner_uid) REFERENCES public.resource(uid);

ALTER TABLE ONLY public.sealed
    ADD CONSTRAINT sealed_uid_fkey FOREIGN KEY (uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.second_factor
    ADD CONSTRAINT second_factor_user_uid_fkey FOREIGN KEY (user_uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.sign_in
    ADD CONSTRAINT sign_in_user_uid_fkey FOREIGN KEY (user_uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.stream
    ADD CONSTRAINT stream_lease_fkey FOREIGN KEY (lease) REFERENCES public.hold(lease);

ALTER TABLE ONLY public.stream
    ADD CONSTRAINT stream_source_fkey FOREIGN KEY (source) REFERENCES public.meter_source(name);

ALTER TABLE ONLY public.ticket
    ADD CONSTRAINT ticket_token_id_fkey FOREIGN KEY (token_id) REFERENCES public.token(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_resource_uid_fkey FOREIGN KEY (resource_uid) REFERENCES public.resource(uid) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_subject_uid_fkey FOREIGN KEY (subject_uid) REFERENCES public.resource(uid) ON DELETE CASCADE;

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_credit_fkey FOREIGN KEY (credit) REFERENCES public.account(id);

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_debit_fkey FOREIGN KEY (debit) REFERENCES public.account(id);

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_pending_fkey FOREIGN KEY (pending) REFERENCES public.transfer(id);

ALTER TABLE ONLY public.volume_use
    ADD CONSTRAINT volume_use_volume_fkey FOREIGN KEY (volume) REFERENCES public.resource(uid);

ALTER TABLE ONLY public.volume_use
    ADD CONSTRAINT volume_use_workload_fkey FOREIGN KEY (workload) REFERENCES public.workload(id) ON DELETE CASCADE;
