-- migrate:up
-- Who answers without a word of what they answer is found by the last message that went to them.
-- squawk-ignore require-concurrent-index-creation
create index contact_to_recipient on contact (lower(recipient), id desc) where recipient is not null;

-- migrate:down
drop index contact_to_recipient;
