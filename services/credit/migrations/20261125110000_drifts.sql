-- migrate:up
create table payment_drift (
    id uuid primary key,
    customer_id uuid not null,
    version bigint not null,
    since date,
    look_at timestamptz,
    constraint payment_drift_one_a_customer unique (customer_id)
);
comment on table payment_drift is
    'Who is watched for paying later than before. Its chart is drawn from payment_record and invoice_exposure when looked at.';
comment on column payment_drift.since is 'The day on which the running drift was found; null while there is none.';
comment on column payment_drift.look_at is 'When to look again: after news, or when what is open would be a drift by itself.';
create index payment_drift_due on payment_drift (look_at) where look_at is not null;
create index payment_drift_running on payment_drift (since, customer_id) where since is not null;

create table segment_norm (
    segment text primary key,
    as_of date not null,
    mean_days double precision not null,
    within double precision not null,
    between_customers double precision not null,
    constraint segment_norm_spreads check (within > 0 and between_customers > 0)
);
comment on table segment_norm is 'How late each segment pays, as of the last Monday; * is the whole book. Statistics of days, not money.';

create table segment_week (
    segment text not null,
    week_on date not null,
    payments bigint not null,
    deviation double precision not null,
    primary key (segment, week_on)
);
comment on table segment_week is 'The week before each Monday: how much later than expected all of a segment paid.';

create table segment_drift (
    segment text primary key,
    version bigint not null,
    since date,
    smoothed double precision not null
);
comment on table segment_drift is 'Where the chart of each segment stands.';

create table segment_round (
    one boolean primary key default true,
    due_at timestamptz not null,
    constraint segment_round_is_one check (one)
);
comment on table segment_round is 'The Monday on which segments are looked at next; empty until something is paid.';

-- migrate:down
drop table segment_round;
drop table segment_drift;
drop table segment_week;
drop table segment_norm;
drop table payment_drift;
