-- migrate:up
-- squawk-ignore ban-drop-constraint
alter table credit_account drop constraint credit_account_source_known;
alter table credit_account add constraint credit_account_source_known
    check (source in ('policy', 'manual', 'recommended')) not valid;

create table credit_group_ended (
    customer_id uuid primary key,
    version bigint not null
);
comment on table credit_group_ended is 'The version at which a group''s limit was taken away: the next one counts on from it.';

-- migrate:down
drop table credit_group_ended;
alter table credit_account drop constraint credit_account_source_known;
alter table credit_account add constraint credit_account_source_known
    check (source in ('policy', 'manual')) not valid;
