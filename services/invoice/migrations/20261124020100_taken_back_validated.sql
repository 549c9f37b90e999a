-- migrate:up
alter table refund validate constraint refund_reversal_has_its_reason;
alter table credit_note validate constraint credit_note_void_has_its_reason;

-- migrate:down
select 1;
