-- migrate:up
create table agency (
    id text primary key,
    version bigint not null,
    name text not null,
    email text,
    commission jsonb not null,
    constraint agency_version_from_1 check (version >= 1)
);
comment on table agency is 'Collection agencies, with the percent of what comes in that each is owed, by the age of the claim.';

create table placement (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    case_id uuid not null,
    agency_id text not null references agency,
    status text not null,
    currency text not null,
    claims jsonb not null,
    commission jsonb not null,
    note text,
    requested_by text not null,
    requested_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    decision_note text,
    placed_on date,
    ended_on date,
    because text,
    hand_over_at timestamptz,
    constraint placement_status_known
    check (status in ('requested', 'approved', 'placed', 'recalled', 'closed', 'rejected', 'withdrawn')),
    constraint placement_approved_by_a_second_person check (
        status not in ('approved', 'placed', 'recalled', 'closed')
        or (decided_by is not null and decided_by <> requested_by)
    ),
    constraint placement_placed_on_a_day check (status not in ('placed', 'recalled', 'closed') or placed_on is not null),
    constraint placement_ended_when_over
    check ((status in ('recalled', 'closed', 'rejected', 'withdrawn')) = (ended_on is not null)),
    constraint placement_handed_over_once_approved check ((status = 'approved') = (hand_over_at is not null))
);
comment on table placement is 'Invoices of a customer given to a collection agency: asked for by one person, approved by another.';
comment on column placement.claims is 'Each invoice as it was handed over, and what has come in of it since.';
comment on column placement.commission is 'The agency''s percents as they stood when it was asked for.';
comment on column placement.hand_over_at is 'Business time: its file is made from what is owed then.';
create unique index placement_one_at_a_time on placement (customer_id, entity_id)
    where status in ('requested', 'approved', 'placed');
create index placement_hand_over_at on placement (hand_over_at) where hand_over_at is not null;
create index placement_placed_of_customer on placement (customer_id) where status = 'placed';
create index placement_of_customer on placement (customer_id, id);

create table placement_file (
    placement_id uuid primary key references placement,
    content bytea not null,
    made_at timestamptz not null
);
comment on table placement_file is 'What an agency is handed: the claims as CSV and JSON, and the invoices'' documents, in one ZIP.';

-- migrate:down
drop table placement_file;
drop table placement;
drop table agency;
