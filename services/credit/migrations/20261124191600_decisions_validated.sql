-- migrate:up
alter table credit_decision validate constraint credit_decision_outcome_known;

-- migrate:down
