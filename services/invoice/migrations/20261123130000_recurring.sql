-- migrate:up
create table recurring_invoice (
    id uuid primary key,
    version int not null,
    entity_id text not null,
    customer_id uuid not null references customer,
    status text not null constraint recurring_invoice_status check (status in ('active', 'paused', 'ended')),
    name text,
    rrule text not null,
    starts_on date not null,
    ends_on date,
    timing text not null constraint recurring_invoice_timing check (timing in ('advance', 'arrears')),
    proration text not null constraint recurring_invoice_proration check (proration in ('days', 'none')),
    catch_up text not null constraint recurring_invoice_catch_up check (catch_up in ('period_date', 'today')),
    pauses jsonb not null,
    lines jsonb not null,
    price_changes jsonb not null,
    payment_terms jsonb,
    reference text,
    delivery_channel text not null,
    billed_through date,
    next_bill_on date,
    next_bill_at timestamptz,
    created_at timestamptz not null,
    constraint recurring_invoice_ends_after_start check (ends_on >= starts_on - 1),
    constraint recurring_invoice_next_both_or_none check ((next_bill_on is null) = (next_bill_at is null)),
    constraint recurring_invoice_ended_bills_nothing check (status <> 'ended' or next_bill_at is null)
);
comment on table recurring_invoice is 'Invoices that repeat: a template of lines and a rule (RFC 5545) whose occurrences begin the periods.';
comment on column recurring_invoice.billed_through is 'Last day decided on: billed, held, or passed over in a pause. Periods begin after it, so none is billed twice.';
comment on column recurring_invoice.next_bill_at is 'The moment next_bill_on begins in the time zone of the entity; null while paused and when ended.';
create index recurring_invoice_next_bill_at on recurring_invoice (next_bill_at) where next_bill_at is not null;
create index recurring_invoice_of_customer on recurring_invoice (customer_id, id);

create table recurring_period (
    recurring_id uuid not null references recurring_invoice,
    period_start date not null,
    period_end date not null,
    whole_start date not null,
    whole_end date not null,
    runs jsonb not null,
    bill_on date not null,
    status text not null constraint recurring_period_status check (status in ('issued', 'held', 'dropped')),
    invoice_id uuid references invoice,
    reason text,
    detail text,
    decided_at timestamptz not null,
    primary key (recurring_id, period_start),
    constraint recurring_period_in_order check (
        whole_start <= period_start and period_start <= period_end and period_end <= whole_end
    ),
    constraint recurring_period_issued_has_invoice check ((status = 'issued') = (invoice_id is not null)),
    constraint recurring_period_held_has_reason check (status <> 'held' or reason is not null),
    constraint recurring_period_one_invoice unique (invoice_id)
);
comment on table recurring_period is 'What became of each period: the key is what keeps a period from being invoiced twice.';
comment on column recurring_period.whole_start is 'The period as the rule has it, of which only the days in runs were billed.';
create index recurring_period_held on recurring_period (recurring_id, period_start) where status = 'held';

-- migrate:down
drop table recurring_period;
drop table recurring_invoice;
