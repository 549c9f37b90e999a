-- migrate:up
alter table credit_policy add column owner text;
alter table credit_policy add column review_on date;
alter table credit_policy add column reason text;
comment on column credit_policy.owner is 'Who answers for the policy; null where nobody was named.';
comment on column credit_policy.review_on is 'When its outcomes are to be looked at.';
comment on column credit_policy.reason is 'Why this version was made, as who made it said.';

-- migrate:down
alter table credit_policy drop column reason;
alter table credit_policy drop column review_on;
alter table credit_policy drop column owner;
