-- migrate:up
-- A text message that comes in is from a number in international form, however that is written with the customer.
-- squawk-ignore require-concurrent-index-creation
create index contact_text_to_number on contact ((regexp_replace(recipient, '^00|[^0-9]', '', 'g')), id desc)
    where channel = 'sms';

-- migrate:down
drop index contact_text_to_number;
