-- migrate:up
-- entity_id has no foreign key here and below: a share lock on the one entity row by every issuer would cost more
-- than it guards, and entities are never deleted.
create table invoice (
    id uuid primary key,
    version int not null,
    entity_id text not null,
    customer_id uuid not null references customer,
    number text not null,
    status text not null,
    currency text not null constraint invoice_currency check (currency ~ '^[A-Z]{3}$'),
    issue_date date not null,
    due_date date not null,
    net_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null,
    allocated_minor bigint not null default 0,
    charged_minor bigint not null default 0,
    credited_minor bigint not null default 0,
    discounted_minor bigint not null default 0,
    difference_minor bigint not null default 0,
    written_off_minor bigint not null default 0,
    balance_minor bigint not null,
    disputed_minor bigint not null default 0,
    planned_minor bigint not null default 0,
    overdue_episode int not null default 0,
    overdue_since date,
    aged_days smallint not null default 0,
    due_soon_on date,
    raised_on date not null,
    moved_on date not null,
    reopened_on date,
    settled_on date,
    voided_on date,
    next_look_at timestamptz,
    delivery_channel text not null,
    reference text,
    credit_policy text not null,
    credit_outcome text not null,
    credit_reasons text[] not null default '{}',
    credit_decision_id uuid,
    import_id uuid,
    issued_at timestamptz not null,
    constraint invoice_number_unique unique (entity_id, number),
    constraint invoice_due_not_before_issue check (due_date >= issue_date),
    constraint invoice_total_adds_up check (total_minor = net_minor + tax_minor and total_minor > 0),
    constraint invoice_balance_adds_up check (
        balance_minor = total_minor + charged_minor - allocated_minor - credited_minor - discounted_minor
            - difference_minor - written_off_minor
    ),
    constraint invoice_amounts_not_negative check (
        least(balance_minor, charged_minor, allocated_minor, credited_minor, discounted_minor, difference_minor,
              written_off_minor) >= 0
    ),
    constraint invoice_held_back_within_balance check (
        least(disputed_minor, planned_minor) >= 0 and disputed_minor + planned_minor <= balance_minor
    ),
    constraint invoice_status_follows_balance check (
        status = case
            when voided_on is not null then 'voided'
            when balance_minor = 0 and written_off_minor > 0 then 'written_off'
            when balance_minor = 0 then 'settled'
            when allocated_minor + credited_minor + discounted_minor + difference_minor + written_off_minor = 0
                then 'open'
            else 'partly_paid'
        end
    ),
    constraint invoice_voided_owes_nothing check (voided_on is null or balance_minor = 0),
    constraint invoice_settled_when_nothing_is_owed check ((balance_minor = 0) = (settled_on is not null)),
    constraint invoice_overdue_after_due check (
        overdue_since is null or (overdue_since > issue_date and balance_minor > 0 and overdue_episode > 0)
    ),
    constraint invoice_aged_days check (aged_days in (0, 31, 61, 91)),
    constraint invoice_delivery_channel check (delivery_channel in ('email', 'letter')),
    constraint invoice_credit_outcome check (
        credit_outcome in ('approved', 'declined', 'unavailable', 'not_asked')
    )
);
comment on table invoice is 'Claims on customers; everything below total is kept by the rules in invoices/rules.py and checked here.';
comment on column invoice.overdue_since is 'First overdue day of the running episode; null while none runs.';
comment on column invoice.aged_days is 'The highest of day 31, 61 and 91 already announced in the running episode.';
comment on column invoice.raised_on is 'Last date the balance rose: nothing is applied with effect before it, or as-of balances would go below zero.';
comment on column invoice.moved_on is 'Latest effective date of any change of the balance.';
comment on column invoice.reopened_on is 'Last date the balance rose from zero: no overdue episode starts before it.';
comment on column invoice.next_look_at is 'When the overdue tick next has something to say; null when never.';
create index invoice_of_customer on invoice (customer_id, id);
create index invoice_open_by_due_date on invoice (customer_id, due_date, id) where balance_minor > 0;
create index invoice_next_look_at on invoice (next_look_at) where next_look_at is not null;

create table invoice_line (
    invoice_id uuid not null references invoice,
    position int not null,
    description text not null,
    quantity_millionths bigint not null,
    unit_price_minor bigint not null,
    net_minor bigint not null,
    tax_category text not null,
    tax_rate_bp int not null,
    primary key (invoice_id, position)
);

create table invoice_tax (
    invoice_id uuid not null references invoice,
    category text not null,
    rate_bp int not null,
    taxable_minor bigint not null,
    tax_minor bigint not null,
    primary key (invoice_id, category, rate_bp)
);

create table overdue_episode (
    invoice_id uuid not null references invoice,
    episode int not null,
    due_date date not null,
    started_on date not null,
    announced_on date not null,
    cleared_on date,
    primary key (invoice_id, episode),
    constraint overdue_episode_after_due check (started_on > due_date),
    constraint overdue_episode_cleared_after_start check (cleared_on >= started_on)
);
comment on table overdue_episode is 'Each time an invoice became overdue: the key is what makes an episode announced once.';
create unique index overdue_episode_one_running on overdue_episode (invoice_id) where cleared_on is null;

create table adjustment (
    id uuid primary key,
    invoice_id uuid not null references invoice,
    component text not null constraint adjustment_component check (
        component in ('charge', 'credit_note', 'discount', 'small_difference', 'write_off')
    ),
    amount_minor bigint not null constraint adjustment_amount_positive check (amount_minor > 0),
    effective_on date not null,
    booked_on date not null,
    reason text not null,
    source_id uuid not null,
    source_number text,
    reversed_on date
);
comment on table adjustment is 'Every move of a balance that is no payment; taken back by reversed_on, never deleted.';
comment on column adjustment.source_id is 'What it comes from: the credit note, charge, write-off, or the payment that earned a discount.';
create index adjustment_of_invoice on adjustment (invoice_id);
create index adjustment_from_source on adjustment (source_id);

-- migrate:down
drop table adjustment;
drop table overdue_episode;
drop table invoice_tax;
drop table invoice_line;
drop table invoice;
