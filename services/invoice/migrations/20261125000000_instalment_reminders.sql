-- migrate:up
alter table plan
    add column remind_days_before int,
    add column remind_missed boolean not null default false,
    add column reminded_on date,
    add column remind_at timestamptz,
    add constraint plan_remind_days check (remind_days_before >= 0) not valid,
    add constraint plan_reminds_while_it_runs check (ended_on is null or remind_at is null) not valid;
comment on column plan.reminded_on is 'The business day up to which it is decided what is told of its instalments.';
comment on column plan.remind_at is 'When something is next to be told of an instalment that is not paid.';
-- squawk-ignore require-concurrent-index-creation
create index plan_remind_at on plan (remind_at) where remind_at is not null;
-- Plans that run already are looked at once, which finds the moment.
update plan set remind_days_before = 3, remind_missed = true, look_at = timestamptz 'epoch' where ended_on is null;

alter table delivery
    add column instalment_on date,
    -- squawk-ignore ban-drop-constraint
    drop constraint delivery_kind,
    -- squawk-ignore ban-drop-constraint
    drop constraint delivery_of_one_thing,
    add constraint delivery_kind check (
        kind in (
            'invoice', 'credit_note', 'statement', 'receipt', 'dispute_acknowledged', 'plan_agreed', 'plan_broken',
            'plan_kept', 'collection_failed', 'debit_announced', 'payment_returned', 'instalment_due',
            'instalment_missed'
        )
    ) not valid,
    add constraint delivery_of_one_thing check (
        num_nonnulls(dispute_id, plan_id, collection_id) = case
            when kind in (
                'dispute_acknowledged', 'plan_agreed', 'plan_broken', 'plan_kept', 'collection_failed',
                'debit_announced', 'instalment_due', 'instalment_missed'
            ) then 1
            else 0
        end
        and (instalment_on is not null) = (kind in ('instalment_due', 'instalment_missed'))
        and case kind
            when 'invoice' then invoice_id is not null and num_nonnulls(credit_note_id, payment_id, period_first) = 0
            when 'credit_note' then credit_note_id is not null and num_nonnulls(payment_id, period_first) = 0
            when 'receipt' then payment_id is not null and num_nonnulls(invoice_id, credit_note_id, period_first) = 0
            when 'payment_returned' then payment_id is not null and num_nonnulls(credit_note_id, period_first) = 0
            when 'statement' then period_first <= period_last and num_nonnulls(invoice_id, credit_note_id, payment_id) = 0
            when 'dispute_acknowledged' then num_nulls(dispute_id, invoice_id) = 0
            when 'collection_failed' then collection_id is not null
            when 'debit_announced' then collection_id is not null
            else plan_id is not null and invoice_id is null
        end
    ) not valid;
comment on column delivery.instalment_on is 'The day of the instalment that a reminder is about.';
-- squawk-ignore require-concurrent-index-creation
create unique index delivery_once_an_instalment on delivery (plan_id, instalment_on, kind) where instalment_on is not null;

-- migrate:down
delete from delivery where instalment_on is not null;
drop index delivery_once_an_instalment;
alter table delivery
    drop constraint delivery_kind,
    drop constraint delivery_of_one_thing,
    drop column instalment_on,
    add constraint delivery_kind check (
        kind in (
            'invoice', 'credit_note', 'statement', 'receipt', 'dispute_acknowledged', 'plan_agreed', 'plan_broken',
            'plan_kept', 'collection_failed', 'debit_announced', 'payment_returned'
        )
    ),
    add constraint delivery_of_one_thing check (
        num_nonnulls(dispute_id, plan_id, collection_id) = case
            when kind in (
                'dispute_acknowledged', 'plan_agreed', 'plan_broken', 'plan_kept', 'collection_failed', 'debit_announced'
            ) then 1
            else 0
        end
        and case kind
            when 'invoice' then invoice_id is not null and num_nonnulls(credit_note_id, payment_id, period_first) = 0
            when 'credit_note' then credit_note_id is not null and num_nonnulls(payment_id, period_first) = 0
            when 'receipt' then payment_id is not null and num_nonnulls(invoice_id, credit_note_id, period_first) = 0
            when 'payment_returned' then payment_id is not null and num_nonnulls(credit_note_id, period_first) = 0
            when 'statement' then period_first <= period_last and num_nonnulls(invoice_id, credit_note_id, payment_id) = 0
            when 'dispute_acknowledged' then num_nulls(dispute_id, invoice_id) = 0
            when 'collection_failed' then collection_id is not null
            when 'debit_announced' then collection_id is not null
            else plan_id is not null and invoice_id is null
        end
    );
alter table plan
    drop column remind_days_before, drop column remind_missed, drop column reminded_on, drop column remind_at;
