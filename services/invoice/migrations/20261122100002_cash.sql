-- migrate:up
create table payment (
    id uuid primary key,
    version int not null,
    entity_id text not null,
    customer_id uuid not null references customer,
    status text not null,
    currency text not null constraint payment_currency check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null,
    applied_minor bigint not null,
    refunded_minor bigint not null default 0,
    unapplied_minor bigint not null,
    received_on date not null,
    method text not null,
    reference text,
    applied_by text not null,
    reversed_on date,
    reversal_reason text,
    booked_at timestamptz not null,
    constraint payment_amount_positive check (amount_minor > 0),
    constraint payment_not_over_allocated check (
        least(applied_minor, refunded_minor) >= 0 and applied_minor + refunded_minor <= amount_minor
    ),
    constraint payment_unapplied_is_the_rest check (
        unapplied_minor = case when reversed_on is null then amount_minor - applied_minor - refunded_minor else 0 end
    ),
    constraint payment_status_follows_amounts check (
        status = case
            when reversed_on is not null then 'reversed'
            when refunded_minor = amount_minor then 'refunded'
            when applied_minor = 0 then 'unapplied'
            when applied_minor + refunded_minor < amount_minor then 'partly_applied'
            else 'applied'
        end
    ),
    constraint payment_reversed_holds_nothing check (reversed_on is null or applied_minor = 0)
);
create index payment_of_customer on payment (customer_id, id);
create index payment_unapplied on payment (customer_id) where unapplied_minor > 0;

create table allocation (
    id bigint generated always as identity primary key,
    payment_id uuid not null references payment,
    invoice_id uuid not null references invoice,
    amount_minor bigint not null constraint allocation_amount_positive check (amount_minor > 0),
    effective_on date not null,
    reversed_on date
);
comment on table allocation is 'What of a payment settles what of an invoice; taken back by reversed_on, never deleted.';
create index allocation_of_payment on allocation (payment_id);
create index allocation_of_invoice on allocation (invoice_id);

create table dispute (
    id uuid primary key,
    invoice_id uuid not null references invoice,
    customer_id uuid not null,
    status text not null constraint dispute_status check (
        status in ('open', 'rejected', 'withdrawn', 'paid', 'accepted')
    ),
    reason text not null,
    amount_minor bigint not null constraint dispute_amount_positive check (amount_minor > 0),
    held_minor bigint not null,
    opened_on date not null,
    resolved_on date,
    constraint dispute_holds_at_most_its_amount check (held_minor between 0 and amount_minor),
    constraint dispute_holds_while_open check ((status = 'open') = (held_minor > 0)),
    constraint dispute_resolved_when_closed check ((status = 'open') = (resolved_on is null))
);
comment on column dispute.held_minor is 'What is still held back: the amount, shrunk by payments to at most the balance.';
create index dispute_of_invoice on dispute (invoice_id, id);

-- The sums over rows that a check constraint cannot see, looked at when the transaction commits.
create function cash_adds_up() returns trigger language plpgsql as $$
declare
    the_invoice uuid;
    the_payment uuid;
begin
    if tg_table_name = 'allocation' then
        the_invoice := new.invoice_id;
        the_payment := new.payment_id;
    elsif tg_table_name in ('dispute', 'adjustment') then
        the_invoice := new.invoice_id;
    elsif tg_table_name = 'invoice' then
        the_invoice := new.id;
    else
        the_payment := new.id;
    end if;

    perform from invoice i
    where i.id = the_invoice and (
        i.allocated_minor <> (
            select coalesce(sum(a.amount_minor), 0) from allocation a where a.invoice_id = i.id and a.reversed_on is null
        )
        or i.disputed_minor <> (
            select coalesce(sum(d.held_minor), 0) from dispute d where d.invoice_id = i.id
        )
        or (i.charged_minor, i.credited_minor, i.discounted_minor, i.difference_minor, i.written_off_minor) <> (
            select coalesce(sum(a.amount_minor) filter (where a.component = 'charge'), 0),
                   coalesce(sum(a.amount_minor) filter (where a.component = 'credit_note'), 0),
                   coalesce(sum(a.amount_minor) filter (where a.component = 'discount'), 0),
                   coalesce(sum(a.amount_minor) filter (where a.component = 'small_difference'), 0),
                   coalesce(sum(a.amount_minor) filter (where a.component = 'write_off'), 0)
            from adjustment a where a.invoice_id = i.id and a.reversed_on is null
        )
        or exists (
            select from allocation a join payment p on p.id = a.payment_id
            where a.invoice_id = i.id and a.reversed_on is null and p.currency <> i.currency
        )
    );
    if found then
        raise exception 'invoice % does not add up with its allocations and disputes', the_invoice
            using errcode = 'check_violation', constraint = 'invoice_adds_up';
    end if;

    perform from payment p
    where p.id = the_payment and p.applied_minor <> (
        select coalesce(sum(a.amount_minor), 0) from allocation a where a.payment_id = p.id and a.reversed_on is null
    );
    if found then
        raise exception 'payment % does not add up with its allocations', the_payment
            using errcode = 'check_violation', constraint = 'payment_adds_up';
    end if;
    return null;
end $$;

create constraint trigger allocation_adds_up after insert or update on allocation
    deferrable initially deferred for each row execute function cash_adds_up();
create constraint trigger dispute_adds_up after insert or update on dispute
    deferrable initially deferred for each row execute function cash_adds_up();
create constraint trigger adjustment_adds_up after insert or update on adjustment
    deferrable initially deferred for each row execute function cash_adds_up();
create constraint trigger invoice_adds_up
    after update of allocated_minor, disputed_minor, charged_minor, credited_minor, discounted_minor, difference_minor,
                    written_off_minor
    on invoice
    deferrable initially deferred for each row
    when (
        (old.allocated_minor, old.disputed_minor, old.charged_minor, old.credited_minor, old.discounted_minor,
         old.difference_minor, old.written_off_minor)
        is distinct from
        (new.allocated_minor, new.disputed_minor, new.charged_minor, new.credited_minor, new.discounted_minor,
         new.difference_minor, new.written_off_minor)
    )
    execute function cash_adds_up();
create constraint trigger payment_adds_up after insert or update of applied_minor on payment
    deferrable initially deferred for each row execute function cash_adds_up();

-- migrate:down
drop trigger invoice_adds_up on invoice;
drop trigger adjustment_adds_up on adjustment;
drop table dispute;
drop table allocation;
drop table payment;
drop function cash_adds_up();
