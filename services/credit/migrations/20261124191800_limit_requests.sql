-- migrate:up
create table limit_request (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null references customer (id),
    kind text not null,
    amount_minor bigint not null,
    currency text not null,
    from_on date,
    until_on date,
    season_from text,
    season_until text,
    evidence text,
    reason text not null,
    requested_by text not null,
    requested_at timestamptz not null,
    approvers_needed integer not null,
    approvals jsonb not null default '[]',
    status text not null,
    closed_at timestamptz,
    closed_because text,
    constraint limit_request_kind_known check (kind in (
        'limit', 'group_limit', 'temporary', 'seasonal', 'guarantee', 'deposit', 'insurance'
    )),
    constraint limit_request_not_negative check (amount_minor >= 0),
    constraint limit_request_approvers check (approvers_needed between 0 and 2),
    constraint limit_request_status_known check (status in ('waiting', 'approved', 'refused', 'withdrawn')),
    constraint limit_request_never_approved_by_the_requester
        check (not jsonb_path_exists(approvals, '$[*] ? (@.by == $who)', jsonb_build_object('who', requested_by)))
);
comment on table limit_request is 'A change of a limit that somebody asks for and others approve.';
create index limit_request_queue on limit_request (id) where status = 'waiting';
create index limit_request_of_customer on limit_request (customer_id, id);

-- migrate:down
drop table limit_request;
