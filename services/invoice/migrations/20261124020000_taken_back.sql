-- migrate:up
alter table refund
    add column reversed_on date,
    add column reversal_reason text,
    add constraint refund_reversal_has_its_reason check ((reversed_on is null) = (reversal_reason is null)) not valid;
comment on column refund.reversed_on is 'When the money was found not to have left, or came back: it is unapplied cash again.';

alter table credit_note
    add column voided_on date,
    add column void_reason text,
    add constraint credit_note_void_has_its_reason check ((voided_on is null) = (void_reason is null)) not valid;
comment on column credit_note.voided_on is 'When it was taken back: what it credited is owed again. Its number stays used.';

-- migrate:down
alter table credit_note drop column void_reason, drop column voided_on;
alter table refund drop column reversal_reason, drop column reversed_on;
