-- migrate:up
alter table saved_method
    add column kind text not null default 'card',
    add column last4 text,
    add column mandate_id text,
    add column mandate_reference text,
    add constraint saved_method_kind check (kind in ('card', 'sepa_debit')) not valid,
    add constraint saved_method_debits_by_a_mandate check (
        kind <> 'sepa_debit' or status <> 'active' or num_nulls(last4, mandate_id, mandate_reference) = 0
    ) not valid;
comment on column saved_method.intent_id is 'The payment it was left with, or the setup of a method left without one.';
comment on column saved_method.mandate_reference is 'What the bank statement of the customer calls the mandate.';

alter table collection
    -- squawk-ignore ban-drop-not-null
    alter column invoice_id drop not null,
    add column plan_id uuid,
    add column instalment_on date,
    add column debit_on date,
    -- squawk-ignore ban-drop-constraint
    drop constraint collection_status,
    add constraint collection_status check (
        status in ('announced', 'meant', 'paid', 'refused', 'given_up', 'needless')
    ) not valid,
    add constraint collection_of_invoice_or_instalment check (
        num_nonnulls(invoice_id, plan_id) = 1 and (plan_id is null) = (instalment_on is null)
    ) not valid,
    add constraint collection_announced_for_a_day check (status <> 'announced' or debit_on is not null) not valid,
    add constraint collection_of_plan foreign key (plan_id) references plan not valid;
comment on column collection.debit_on is 'The day the customer was told that its account is debited; none where nothing need be announced.';
-- squawk-ignore require-concurrent-index-creation
create unique index collection_once_an_instalment on collection (plan_id, instalment_on, attempt) where plan_id is not null;
-- squawk-ignore require-concurrent-index-creation
create index collection_of_intent on collection (intent_id) where intent_id is not null;

alter table plan
    add column awaited_minor bigint not null default 0,
    add constraint plan_awaited check (awaited_minor >= 0) not valid;
comment on column plan.awaited_minor is 'Debits of it under way, which the bank has yet to confirm: so much is not missed.';

alter table checkout
    add column plan_id uuid,
    add constraint checkout_of_plan foreign key (plan_id) references plan not valid;
comment on column checkout.plan_id is 'The plan of which the next instalment is paid, where it is not whole invoices.';

alter table delivery
    -- squawk-ignore ban-drop-constraint
    drop constraint delivery_kind,
    -- squawk-ignore ban-drop-constraint
    drop constraint delivery_of_one_thing,
    add constraint delivery_kind check (
        kind in (
            'invoice', 'credit_note', 'statement', 'receipt', 'dispute_acknowledged', 'plan_agreed', 'plan_broken',
            'plan_kept', 'collection_failed', 'debit_announced', 'payment_returned'
        )
    ) not valid,
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
    ) not valid;

-- migrate:down
delete from delivery where kind in ('debit_announced', 'payment_returned')
    or collection_id in (select id from collection where plan_id is not null);
delete from collection where plan_id is not null;
update collection set status = 'meant' where status = 'announced';
alter table delivery
    drop constraint delivery_kind,
    drop constraint delivery_of_one_thing,
    add constraint delivery_kind check (
        kind in (
            'invoice', 'credit_note', 'statement', 'receipt',
            'dispute_acknowledged', 'plan_agreed', 'plan_broken', 'plan_kept', 'collection_failed'
        )
    ),
    add constraint delivery_of_one_thing check (
        num_nonnulls(dispute_id, plan_id, collection_id) = case
            when kind in ('dispute_acknowledged', 'plan_agreed', 'plan_broken', 'plan_kept', 'collection_failed') then 1
            else 0
        end
        and case kind
            when 'invoice' then invoice_id is not null and num_nonnulls(credit_note_id, payment_id, period_first) = 0
            when 'credit_note' then credit_note_id is not null and num_nonnulls(payment_id, period_first) = 0
            when 'receipt' then payment_id is not null and num_nonnulls(invoice_id, credit_note_id, period_first) = 0
            when 'statement' then period_first <= period_last and num_nonnulls(invoice_id, credit_note_id, payment_id) = 0
            when 'dispute_acknowledged' then num_nulls(dispute_id, invoice_id) = 0
            when 'collection_failed' then num_nulls(collection_id, invoice_id) = 0
            else plan_id is not null and invoice_id is null
        end
    );
alter table checkout drop column plan_id;
alter table plan drop column awaited_minor;
alter table collection
    drop column plan_id, drop column instalment_on, drop column debit_on,
    drop constraint collection_status,
    add constraint collection_status check (status in ('meant', 'paid', 'refused', 'given_up', 'needless')),
    alter column invoice_id set not null;
drop index collection_of_intent;
alter table saved_method
    drop column kind, drop column last4, drop column mandate_id, drop column mandate_reference;
