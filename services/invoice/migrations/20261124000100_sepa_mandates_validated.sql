-- migrate:up
alter table saved_method validate constraint saved_method_kind;
alter table saved_method validate constraint saved_method_debits_by_a_mandate;
alter table collection validate constraint collection_status;
alter table collection validate constraint collection_of_invoice_or_instalment;
alter table collection validate constraint collection_announced_for_a_day;
alter table collection validate constraint collection_of_plan;
alter table checkout validate constraint checkout_of_plan;
alter table plan validate constraint plan_awaited;
alter table delivery validate constraint delivery_kind;
alter table delivery validate constraint delivery_of_one_thing;

-- migrate:down
select 1;
