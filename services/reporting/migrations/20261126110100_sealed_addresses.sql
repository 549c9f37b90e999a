-- migrate:up
alter table notice add column sealed text;
comment on column notice.target is 'A mail address, the id of a webhook, or the host of a chat''s hook.';
comment on column notice.sealed is 'The whole address of a chat''s hook, sealed for this row.';
comment on column webhook.key is 'Sealed for this row, as is former_key; 32 bytes where an older release left it bare.';
comment on column alert_rule.targets is 'The address of a chat''s hook stands sealed for this row, beside its host.';

-- migrate:down
alter table notice drop column sealed;
