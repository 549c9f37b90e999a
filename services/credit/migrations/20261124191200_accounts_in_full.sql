-- migrate:up
alter table credit_policy add column rules jsonb not null default '{}';
comment on column credit_policy.rules is 'What the policy says besides limits; what is not named has its default.';

alter table credit_account add column base_minor bigint;
alter table credit_account add column additions jsonb not null default '[]';
alter table credit_account add column valid_until date;
alter table credit_account add column changes_on date;
alter table credit_account add column held text[] not null default '{}';
comment on column credit_account.limit_minor is 'The limit in force: the base and the additions that count today.';
comment on column credit_account.base_minor is 'The limit without additions; null where there never was one.';
comment on column credit_account.additions is 'Raises and security approved for this account, past ones included.';
comment on column credit_account.valid_until is 'The last day of a limit set by hand; then the policy''s holds again.';
comment on column credit_account.changes_on is 'The day on which time alone changes the limit next.';
comment on column credit_account.held is 'What the holds in force hold, so that a decision finds it with the limit.';
-- squawk-ignore require-concurrent-index-creation
create index credit_account_changes on credit_account (changes_on) where changes_on is not null;

-- migrate:down
drop index credit_account_changes;
alter table credit_account drop column held;
alter table credit_account drop column changes_on;
alter table credit_account drop column valid_until;
alter table credit_account drop column additions;
alter table credit_account drop column base_minor;
alter table credit_policy drop column rules;
