-- migrate:up
create table bank_csv_profile (
    name text primary key,
    version int not null,
    profile jsonb not null
);
comment on table bank_csv_profile is 'Which column of a bank''s CSV is what.';

create table bank_statement (
    id uuid primary key,
    entity_id text not null,
    format text not null constraint bank_statement_format check (format in ('camt', 'mt940', 'csv')),
    message text not null,
    content_hash text not null,
    parts jsonb not null,
    entries int not null,
    entries_new int not null,
    received_at timestamptz not null,
    constraint bank_statement_counts_its_entries check (entries_new between 0 and entries),
    constraint bank_statement_taken_once unique (entity_id, content_hash)
);
comment on table bank_statement is 'A file that a bank sent: accounts, periods and balances in parts; its new entries in bank_entry.';

create table bank_entry (
    id uuid primary key,
    bank_statement_id uuid not null references bank_statement,
    entity_id text not null,
    account text not null,
    line int not null,
    booking_key text not null,
    occurrence int not null,
    position int not null,
    detailed boolean not null,
    direction text not null constraint bank_entry_direction check (direction in ('credit', 'debit')),
    kind text not null constraint bank_entry_kind check (
        kind in ('receipt', 'return', 'returned_to_us', 'debit', 'charge')
    ),
    amount_minor bigint not null constraint bank_entry_amount_positive check (amount_minor > 0),
    currency text not null constraint bank_entry_currency check (currency ~ '^[A-Z]{3}$'),
    booked_on date not null,
    value_on date,
    bank_reference text,
    end_to_end_id text,
    creditor_reference text,
    remittance text,
    additional_info text,
    mandate_id text,
    party_name text,
    party_iban text,
    charges_minor bigint not null default 0,
    reason text,
    match_at timestamptz,
    applied_at timestamptz,
    superseded_at timestamptz,
    constraint bank_entry_kind_fits_direction check (
        (direction = 'credit') = (kind in ('receipt', 'returned_to_us'))
    ),
    constraint bank_entry_applied_or_superseded check (applied_at is null or superseded_at is null),
    constraint bank_entry_superseded_is_left_alone check (superseded_at is null or match_at is null)
);
comment on table bank_entry is 'Movements on our accounts, each once however often banks tell of it.';
comment on column bank_entry.booking_key is 'What is the same in every telling of the booking; equals of one file are counted by occurrence.';
comment on column bank_entry.match_at is 'When matching next looks at it; null when never.';
comment on column bank_entry.superseded_at is 'When the details of a batch took the place of its sum.';
create unique index bank_entry_told_once on bank_entry (account, booking_key, occurrence, position)
    where superseded_at is null;
create index bank_entry_match_at on bank_entry (match_at) where match_at is not null;
create index bank_entry_of_statement on bank_entry (bank_statement_id, id);
create index bank_entry_end_to_end_id on bank_entry (end_to_end_id) where end_to_end_id is not null;
create index bank_entry_party_iban on bank_entry (party_iban) where party_iban is not null;
create index bank_entry_mandate_id on bank_entry (mandate_id) where mandate_id is not null;

-- migrate:down
drop table bank_entry;
drop table bank_statement;
drop table bank_csv_profile;
