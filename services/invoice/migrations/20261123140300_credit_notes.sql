-- migrate:up
create table credit_note (
    id uuid primary key,
    entity_id text not null,
    customer_id uuid not null references customer,
    invoice_id uuid not null references invoice,
    number text not null,
    currency text not null,
    issue_date date not null,
    effective_on date not null,
    reason text not null,
    net_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null,
    unapplied_minor bigint not null default 0,
    issued_at timestamptz not null,
    constraint credit_note_number_unique unique (entity_id, number),
    constraint credit_note_total_adds_up check (total_minor = net_minor + tax_minor and total_minor > 0),
    constraint credit_note_unapplied_within_total check (unapplied_minor between 0 and total_minor)
);
comment on table credit_note is 'What of an invoice is taken back, under a gapless number of its own; written once.';
comment on column credit_note.unapplied_minor is 'What of it had been paid and became unapplied cash again.';
create index credit_note_of_invoice on credit_note (invoice_id, id);
create index credit_note_of_customer on credit_note (customer_id, id);

create table credit_note_line (
    credit_note_id uuid not null references credit_note,
    position int not null,
    description text not null,
    quantity_millionths bigint not null,
    unit_price_minor bigint not null,
    net_minor bigint not null,
    tax_category text not null,
    tax_rate_bp int not null,
    invoice_position int,
    of_quantity_millionths bigint,
    primary key (credit_note_id, position),
    constraint credit_note_line_of_quantity check ((invoice_position is null) = (of_quantity_millionths is null))
);
comment on column credit_note_line.of_quantity_millionths is 'How much of the invoice''s line it takes back.';

create table credit_note_tax (
    credit_note_id uuid not null references credit_note,
    category text not null,
    rate_bp int not null,
    taxable_minor bigint not null,
    tax_minor bigint not null,
    primary key (credit_note_id, category, rate_bp)
);

create table refund (
    id uuid primary key,
    entity_id text not null,
    customer_id uuid not null references customer,
    payment_id uuid not null references payment,
    currency text not null,
    amount_minor bigint not null constraint refund_amount_positive check (amount_minor > 0),
    reason text not null,
    method text not null,
    refunded_on date not null,
    requested_by text not null,
    booked_at timestamptz not null
);
comment on table refund is 'Unapplied cash that went back to the customer; the sum of a payment''s is payment.refunded_minor.';
create index refund_of_payment on refund (payment_id, id);
create index refund_of_customer on refund (customer_id, id);

-- migrate:down
drop table refund;
drop table credit_note_tax;
drop table credit_note_line;
drop table credit_note;
