-- migrate:up
create table letter_batch (
    id uuid primary key,
    entity_id text not null,
    day date not null,
    made_at timestamptz not null,
    printed_on date
);
comment on table letter_batch is 'Letters to print together: those asked for up to the end of a business day.';

create table delivery (
    id uuid primary key,
    entity_id text not null,
    customer_id uuid not null references customer,
    kind text not null constraint delivery_kind check (
        kind in ('invoice', 'credit_note', 'statement', 'receipt')
    ),
    channel text not null constraint delivery_channel check (channel in ('email', 'letter')),
    status text not null,
    recipient text,
    invoice_id uuid references invoice,
    credit_note_id uuid,
    payment_id uuid references payment,
    period_first date,
    period_last date,
    requested_on date not null,
    due_at timestamptz not null,
    attempts int not null default 0,
    retry_at timestamptz,
    lease_until timestamptz,
    sent_at timestamptz,
    delivered_at timestamptz,
    opened_at timestamptz,
    reason text,
    batch_id uuid references letter_batch,
    constraint delivery_status check (
        status in ('queued', 'sending', 'sent', 'delivered', 'opened', 'bounced', 'failed', 'unknown')
    ),
    constraint delivery_of_one_thing check (
        case kind
            when 'invoice' then invoice_id is not null and num_nonnulls(credit_note_id, payment_id, period_first) = 0
            when 'credit_note' then credit_note_id is not null and num_nonnulls(payment_id, period_first) = 0
            when 'receipt' then payment_id is not null and num_nonnulls(invoice_id, credit_note_id, period_first) = 0
            else period_first <= period_last and num_nonnulls(invoice_id, credit_note_id, payment_id) = 0
        end
    ),
    constraint delivery_mail_has_an_address check (
        channel = 'letter' or recipient is not null or status = 'failed'
    ),
    constraint delivery_sending_on_a_lease check ((status = 'sending') = (lease_until is not null)),
    constraint delivery_failed_for_a_reason check (status not in ('failed', 'bounced') or reason is not null)
);
comment on table delivery is 'A document on its way to a customer: the intent, written before anything leaves, and what became of it.';
comment on column delivery.due_at is 'Business time from which it may go out.';
comment on column delivery.retry_at is 'Real time: a temporary refusal is tried again then.';
comment on column delivery.lease_until is 'Real time: after it, whoever was sending is gone and nobody knows whether the mail left.';
create index delivery_under_way on delivery (channel, due_at) where status in ('queued', 'sending') and batch_id is null;
create index delivery_of_invoice on delivery (invoice_id) where invoice_id is not null;
create index delivery_of_customer on delivery (customer_id, id);
create index delivery_of_batch on delivery (batch_id) where batch_id is not null;
-- A period's statement goes out by itself once.
create unique index delivery_statement_once on delivery (customer_id, entity_id, period_first, period_last)
    where kind = 'statement';

create table statement_schedule (
    entity_id text primary key references entity,
    next_at timestamptz not null,
    month date not null,
    after_customer uuid
);
comment on table statement_schedule is 'The month an entity sends statements for next, and how far it is with them.';

-- migrate:down
drop table statement_schedule;
drop table delivery;
drop table letter_batch;
