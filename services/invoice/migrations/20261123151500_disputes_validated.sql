-- migrate:up
alter table dispute validate constraint dispute_opened_by;
alter table dispute validate constraint dispute_acknowledgement;
alter table dispute validate constraint dispute_escalates_while_open;
alter table dispute validate constraint dispute_accepted_with_its_credit;

-- migrate:down
