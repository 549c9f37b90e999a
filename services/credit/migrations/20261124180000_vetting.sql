-- migrate:up
create table vetting_input (
    id uuid primary key,
    customer_id uuid not null references customer (id),
    kind text not null,
    source text not null,
    dated_on date not null,
    expires_on date not null,
    particulars jsonb not null,
    received_at timestamptz not null,
    received_from text not null,
    constraint vetting_input_kind_known check (kind in ('credit_report', 'trade_reference', 'financial_statement',
                                                        'payment_history', 'foundation', 'public_record')),
    constraint vetting_input_expires_after_its_date check (expires_on >= dated_on)
);
comment on table vetting_input is 'What was learned about a customer, from whom and as of when; never changed.';
comment on column vetting_input.expires_on is 'The last day on which it counts.';
create index vetting_input_of_customer on vetting_input (customer_id, id);

create table bureau_inquiry (
    id uuid primary key,
    customer_id uuid not null references customer (id),
    legal_id text not null,
    status text not null,
    asked_at timestamptz not null,
    asked_by text not null,
    lease_until timestamptz,
    answered_at timestamptz,
    http_status int,
    raw text,
    detail text,
    input_id uuid references vetting_input (id),
    constraint bureau_inquiry_status_known check (status in ('asked', 'asking', 'answered', 'not_found', 'refused',
                                                             'unreached', 'unreadable', 'unknown')),
    constraint bureau_inquiry_leased_while_asking check ((status = 'asking') = (lease_until is not null)),
    constraint bureau_inquiry_answer_is_an_input check ((status = 'answered') = (input_id is not null))
);
comment on table bureau_inquiry is
    'Each question to the credit bureau, written before it is asked; `raw` is the answer as it came.';
comment on column bureau_inquiry.lease_until is
    'Real time until which the question counts as under way; after that its fate is unknown, and it is not repeated.';
create index bureau_inquiry_under_way on bureau_inquiry (asked_at) where status in ('asked', 'asking');
create index bureau_inquiry_of_customer on bureau_inquiry (customer_id, id);

create table scorecard (
    name text not null,
    version bigint not null,
    document text not null,
    published_at timestamptz,
    published_by text,
    primary key (name, version),
    constraint scorecard_version_from_1 check (version >= 1)
);
comment on table scorecard is 'Every version as it was written. `standard` version 1 came with the service.';

create table payment_record (
    invoice_id uuid primary key,
    customer_id uuid not null,
    version bigint not null,
    due_date date not null,
    ended_on date,
    written_off boolean not null,
    disputed_on date
);
comment on table payment_record is
    'How the invoices that were paid, written off or disputed went; those that are simply open are in invoice_exposure.';
create index payment_record_of_customer on payment_record (customer_id);

create table broken_promise (
    promise_id uuid primary key,
    customer_id uuid not null,
    broken_on date not null
);
create index broken_promise_of_customer on broken_promise (customer_id);

create table assessment (
    id uuid primary key,
    customer_id uuid not null references customer (id),
    assessed_at timestamptz not null,
    assessed_on date not null,
    assessed_by text not null,
    because text[] not null,
    scorecard text not null,
    scorecard_version bigint not null,
    material jsonb not null,
    result jsonb not null,
    valid_until date not null,
    foreign key (scorecard, scorecard_version) references scorecard (name, version),
    constraint assessment_valid_from_its_day check (valid_until >= assessed_on)
);
comment on table assessment is 'Each with all that it rests on, so that it can be made again; never changed.';
create index assessment_of_customer on assessment (customer_id, id);

create table credit_file (
    customer_id uuid primary key references customer (id),
    id uuid not null,
    version bigint not null,
    assessment_id uuid not null references assessment (id),
    scorecard text not null,
    risk_class text not null,
    score int not null,
    probability_of_default numeric not null,
    assessed_at timestamptz not null,
    valid_until date not null,
    reassess_at timestamptz not null,
    reassess_because text[] not null default '{}',
    constraint credit_file_id_unique unique (id),
    constraint credit_file_version_from_1 check (version >= 1),
    constraint credit_file_class_known check (risk_class in ('A', 'B', 'C', 'D', 'E')),
    constraint credit_file_probability check (probability_of_default between 0 and 1)
);
comment on table credit_file is 'The newest assessment of each customer that was assessed at all.';
comment on column credit_file.reassess_at is 'When the customer is assessed again: an input expires, or something happened.';
create index credit_file_due on credit_file (reassess_at);

-- migrate:down
drop table credit_file;
drop table assessment;
drop table broken_promise;
drop table payment_record;
drop table scorecard;
drop table bureau_inquiry;
drop table vetting_input;
