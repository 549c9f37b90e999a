-- migrate:up
alter table contact add column leaving boolean not null default false;
comment on column contact.leaving is 'While it is being sent: it is on the wire from now on, so that nobody knows its fate if the sender goes. What was not yet leaving is sent by another.';

-- migrate:down
alter table contact drop column leaving;
