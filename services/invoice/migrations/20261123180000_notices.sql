-- migrate:up
alter table delivery
    add column dispute_id uuid,
    add column plan_id uuid,
    add column collection_id uuid,
    -- squawk-ignore ban-drop-constraint
    drop constraint delivery_kind,
    -- squawk-ignore ban-drop-constraint
    drop constraint delivery_of_one_thing,
    add constraint delivery_kind check (
        kind in (
            'invoice', 'credit_note', 'statement', 'receipt',
            'dispute_acknowledged', 'plan_agreed', 'plan_broken', 'plan_kept', 'collection_failed'
        )
    ) not valid,
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
    ) not valid,
    add constraint delivery_of_dispute foreign key (dispute_id) references dispute not valid,
    add constraint delivery_of_plan foreign key (plan_id) references plan not valid,
    add constraint delivery_of_collection foreign key (collection_id) references collection not valid;
comment on table delivery is 'A document or a notice on its way to a customer: the intent, written before anything leaves, and what became of it.';

-- migrate:down
delete from delivery where num_nonnulls(dispute_id, plan_id, collection_id) > 0;
alter table delivery
    drop constraint delivery_kind,
    drop constraint delivery_of_one_thing,
    drop column dispute_id, drop column plan_id, drop column collection_id,
    add constraint delivery_kind check (kind in ('invoice', 'credit_note', 'statement', 'receipt')),
    add constraint delivery_of_one_thing check (
        case kind
            when 'invoice' then invoice_id is not null and num_nonnulls(credit_note_id, payment_id, period_first) = 0
            when 'credit_note' then credit_note_id is not null and num_nonnulls(payment_id, period_first) = 0
            when 'receipt' then payment_id is not null and num_nonnulls(invoice_id, credit_note_id, period_first) = 0
            else period_first <= period_last and num_nonnulls(invoice_id, credit_note_id, payment_id) = 0
        end
    );
