-- migrate:up
create table event (
    seq bigint generated always as identity primary key,
    id uuid not null,
    source text not null,
    type text not null,
    topic text not null,
    subject uuid not null,
    version bigint not null,
    customer_id uuid not null,
    time timestamptz not null,
    effective_on date not null,
    correlation text,
    causation text,
    data json not null,
    kept_at timestamptz not null default now(),
    constraint event_once unique (subject, version, source)
);
comment on table event is 'Every event of every service, kept once, in the order this service took it in.';
comment on column event.seq is 'Handed out under a lock held until commit, so no smaller number ever appears later: a cursor over it misses nothing.';

create index event_by_type on event (type, seq);
create index event_of_customer on event (customer_id, effective_on, seq);
create index event_by_day on event (effective_on, seq);
create index event_by_id on event (id);

-- migrate:down
drop table event;
