-- migrate:up
create table promise (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    currency text not null,
    amount_minor bigint not null,
    paid_minor bigint not null,
    status text not null,
    made_on date not null,
    promised_on date not null,
    ended_on date,
    invoices text[] not null
);
comment on table promise is 'The newest state of each promise to pay.';
comment on column promise.ended_on is 'When it was kept, broken, withdrawn or replaced.';
comment on column promise.invoices is 'Numbers of the invoices it is about; empty for the account as a whole.';
create index promise_ended on promise (ended_on) where ended_on is not null;
create index promise_running on promise (made_on) where ended_on is null;
create index promise_of_customer on promise (customer_id);

create table dispute (
    id uuid primary key,
    customer_id uuid not null,
    invoice_id uuid not null,
    currency text not null,
    amount_minor bigint not null,
    opened_on date,
    resolved_on date,
    outcome text,
    reason text
);
comment on table dispute is 'Each dispute; either of its two events may come first.';
create index dispute_opened on dispute (opened_on);
create index dispute_resolved on dispute (resolved_on) where resolved_on is not null;

create table receipt (
    payment_id uuid primary key,
    customer_id uuid not null,
    currency text not null,
    amount_minor bigint not null,
    received_on date not null,
    booked_on date not null,
    applied_on date,
    touched boolean not null
);
comment on table receipt is 'Each payment, and whether it found its invoices by itself.';
comment on column receipt.booked_on is 'The first day anything was known of it.';
comment on column receipt.applied_on is 'The first day all of it was applied.';
comment on column receipt.touched is 'Whether something of it was taken back, refunded or reversed later.';
create index receipt_received on receipt (received_on);

create table reference (
    name text not null,
    version bigint not null,
    body jsonb not null,
    put_by text not null,
    put_at timestamptz not null,
    primary key (name, version)
);
comment on table reference is 'What figures are held against and users may replace: industry benchmarks, what a contact costs.';

insert into reference (name, version, body, put_by, put_at) values ('benchmarks', 1, '[
    {"figure": "dso_simple", "value": "38.04", "industry": "all industries, United States, median", "as_of": "2021-03-31",
     "source": "Credit Research Foundation, National Summary of Domestic Trade Receivables, first quarter 2021",
     "url": "https://www.crfonline.org/tools/national-summary-of-domestic-trade-receivables-results-summary/"},
    {"figure": "best_possible_dso", "value": "32.02", "industry": "all industries, United States, median",
     "as_of": "2021-03-31",
     "source": "Credit Research Foundation, National Summary of Domestic Trade Receivables, first quarter 2021",
     "url": "https://www.crfonline.org/tools/national-summary-of-domestic-trade-receivables-results-summary/"},
    {"figure": "average_days_delinquent", "value": "3.00", "industry": "all industries, United States, median",
     "as_of": "2021-03-31",
     "source": "Credit Research Foundation, National Summary of Domestic Trade Receivables, first quarter 2021",
     "url": "https://www.crfonline.org/tools/national-summary-of-domestic-trade-receivables-results-summary/"},
    {"figure": "cei", "value": "86.52", "industry": "all industries, United States, median", "as_of": "2021-03-31",
     "source": "Credit Research Foundation, National Summary of Domestic Trade Receivables, first quarter 2021",
     "url": "https://www.crfonline.org/tools/national-summary-of-domestic-trade-receivables-results-summary/"},
    {"figure": "share_current", "value": "90.56", "industry": "all industries, United States, median",
     "as_of": "2021-03-31",
     "source": "Credit Research Foundation, National Summary of Domestic Trade Receivables, first quarter 2021",
     "url": "https://www.crfonline.org/tools/national-summary-of-domestic-trade-receivables-results-summary/"}
]', 'release', '2026-11-25T17:00:00Z');

-- migrate:down
drop table reference, receipt, dispute, promise;
