-- migrate:up
alter table account add column risk_version bigint;
comment on column account.risk_version is 'Which of credit''s assessments the risk class is from: an older one is dropped.';

-- Credit's classes are A to E; the strategy that came with the service, which nobody can run yet, named them otherwise.
update strategy set document = replace(document, '[high, very_high]', '[D, E]')
where name = 'new-or-risky' and version = 1;

-- migrate:down
update strategy set document = replace(document, '[D, E]', '[high, very_high]')
where name = 'new-or-risky' and version = 1;
alter table account drop column risk_version;
