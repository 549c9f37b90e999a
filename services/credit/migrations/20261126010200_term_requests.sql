-- migrate:up
create table term_request (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null references customer (id),
    net_days integer not null,
    prepaid_percent integer not null,
    deposit_minor bigint,
    deposit_currency text,
    evidence text,
    reason text not null,
    requested_by text not null,
    requested_at timestamptz not null,
    approvers_needed integer not null,
    approvals jsonb not null default '[]',
    status text not null,
    closed_at timestamptz,
    closed_because text,
    constraint term_request_days_within_a_year check (net_days between 0 and 365),
    constraint term_request_prepaid_is_a_share check (prepaid_percent between 0 and 100),
    constraint term_request_deposit_in_full
        check ((deposit_minor is null) = (deposit_currency is null) and deposit_minor > 0),
    constraint term_request_approvers check (approvers_needed between 0 and 2),
    constraint term_request_status_known check (status in ('waiting', 'approved', 'refused', 'withdrawn')),
    constraint term_request_never_approved_by_the_requester
        check (not jsonb_path_exists(approvals, '$[*] ? (@.by == $who)', jsonb_build_object('who', requested_by)))
);
comment on table term_request is 'A change of a customer''s terms that somebody asks for and others approve.';
comment on column term_request.evidence is 'The assessment that recommends it.';
create index term_request_queue on term_request (id) where status = 'waiting';
create index term_request_of_customer on term_request (customer_id, id);

-- migrate:down
drop table term_request;
