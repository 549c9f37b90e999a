-- migrate:up
create table proceeding (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    case_id uuid not null,
    kind text not null,
    status text not null,
    opened_on date not null,
    court text,
    file_number text,
    currency text,
    claim_minor bigint,
    file_claim_by date,
    claim_filed_on date,
    note text,
    made_by text not null,
    closed_on date,
    outcome text,
    constraint proceeding_kind_known check (kind in ('legal_action', 'insolvency')),
    constraint proceeding_status_known check (status in ('open', 'closed')),
    constraint proceeding_closed_on_a_day check ((status = 'closed') = (closed_on is not null)),
    constraint proceeding_claim_in_a_currency check ((claim_minor is null) = (currency is null))
);
comment on table proceeding is 'A customer before a court: a legal action against it, or its insolvency. Nothing is sent to it meanwhile.';
comment on column proceeding.file_claim_by is 'The day by which the claim has to be filed, such as with an insolvency administrator.';
create unique index proceeding_one_of_a_kind on proceeding (customer_id, entity_id, kind) where status = 'open';
create index proceeding_of_customer on proceeding (customer_id, id);

create table limitation (
    invoice_id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    number text not null,
    due_on date not null,
    country text not null,
    lapses_on date not null,
    interrupted_on date,
    interrupted_by text,
    note text,
    warn_at timestamptz,
    warned_on date
);
comment on table limitation is 'When the claim of a long overdue invoice lapses, and whether somebody was warned.';
comment on column limitation.country is 'Whose law governs the claim.';
comment on column limitation.warn_at is 'Business time of the warning; null once it was given.';
create index limitation_warn_at on limitation (warn_at) where warn_at is not null;
create index limitation_lapses_on on limitation (lapses_on, invoice_id);

-- migrate:down
drop table limitation;
drop table proceeding;
