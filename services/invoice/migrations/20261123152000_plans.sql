-- migrate:up
create table plan (
    id uuid primary key,
    version int not null,
    entity_id text not null,
    customer_id uuid not null references customer,
    status text not null constraint plan_status check (status in ('agreed', 'active', 'kept', 'broken', 'cancelled')),
    currency text not null,
    amount_minor bigint not null constraint plan_amount_positive check (amount_minor > 0),
    grace_days int not null constraint plan_grace check (grace_days >= 0),
    missed_max int not null constraint plan_missed_max check (missed_max >= 1),
    agreed_on date not null,
    agreed_by text not null constraint plan_agreed_by check (agreed_by in ('staff', 'customer')),
    ended_on date,
    ended_why text,
    missed_on date,
    left_minor bigint,
    look_at timestamptz,
    constraint plan_ended_when_over check ((status in ('agreed', 'active')) = (ended_on is null)),
    constraint plan_says_what_was_left check ((ended_on is null) = (left_minor is null) and left_minor between 0 and amount_minor),
    constraint plan_looked_at_while_it_runs check ((status in ('agreed', 'active')) = (look_at is not null))
);
comment on table plan is 'Instalment plans: what a customer owes on one or several invoices may be paid by dates of its own.';
comment on column plan.left_minor is 'What was not paid of it when it ended; while it runs its invoices tell.';
comment on column plan.look_at is 'When it is next decided whether the plan is kept or broken; the epoch where an invoice of it changed.';
create index plan_of_customer on plan (customer_id, id);
create index plan_look_at on plan (look_at) where look_at is not null;

create table plan_invoice (
    plan_id uuid not null references plan,
    invoice_id uuid not null references invoice,
    position int not null,
    amount_minor bigint not null constraint plan_invoice_amount_positive check (amount_minor > 0),
    running boolean not null,
    primary key (plan_id, invoice_id)
);
create unique index plan_invoice_one_running on plan_invoice (invoice_id) where running;
create index plan_invoice_of_invoice on plan_invoice (invoice_id);

create table instalment (
    plan_id uuid not null references plan,
    position int not null,
    due_date date not null,
    amount_minor bigint not null constraint instalment_amount_positive check (amount_minor > 0),
    primary key (plan_id, position)
);
comment on table instalment is 'What of an instalment is paid follows from what its invoices still have on the plan: the earliest is filled first.';

-- Only says that there is something to look at; what it means is decided in plans/rules.py.
create function plan_moved() returns trigger language plpgsql as $$
begin
    update plan p set look_at = timestamptz 'epoch'
    from plan_invoice i
    where i.invoice_id = new.id and i.running and p.id = i.plan_id and p.look_at is not null;
    return null;
end $$;
create trigger plan_moved after update of planned_minor on invoice
    for each row when (old.planned_minor is distinct from new.planned_minor) execute function plan_moved();

-- migrate:down
drop trigger plan_moved on invoice;
drop function plan_moved();
drop table instalment;
drop table plan_invoice;
drop table plan;
