-- migrate:up
create table letter_batch (
    id uuid primary key,
    version bigint not null,
    entity_id text not null,
    status text not null,
    envelope_window text not null,
    letters bigint not null,
    closed_at timestamptz not null,
    closed_by text not null,
    ended_at timestamptz,
    ended_by text,
    constraint letter_batch_status_known check (status in ('closed', 'posted', 'withdrawn')),
    constraint letter_batch_ended_by_somebody
        check ((status = 'closed') = (ended_at is null) and (ended_at is null) = (ended_by is null))
);
comment on table letter_batch is 'Letters printed together: closed, then posted (they count as sent) or withdrawn (they wait again).';

create table letter (
    batch_id uuid not null references letter_batch (id),
    contact_id uuid not null,
    customer_id uuid not null,
    place bigint not null,
    customer text,
    address jsonb not null,
    step text not null,
    totals jsonb not null,
    invoices jsonb not null,
    content jsonb not null,
    documents jsonb not null,
    enclosed bytea,
    withdrawn boolean not null default false,
    primary key (batch_id, contact_id),
    constraint letter_place_unique unique (batch_id, place)
);
comment on table letter is 'A letter as it was closed into a batch: printed again, it is the same.';
comment on column letter.documents is 'Where the documents that go with it are at the invoice service.';
comment on column letter.enclosed is 'These documents as one PDF, fetched before the first print.';
-- A letter is printed in one batch: no crash and no second click puts it into another one too.
create unique index letter_in_one_batch on letter (contact_id) where not withdrawn;

-- migrate:down
drop table letter;
drop table letter_batch;
