-- migrate:up
-- squawk-ignore ban-drop-not-null
alter table recurring_invoice alter column delivery_channel drop not null;
comment on column recurring_invoice.delivery_channel is 'How its invoices are delivered; null: as the customer wants its documents.';

-- migrate:down
update recurring_invoice set delivery_channel = 'email' where delivery_channel is null;
alter table recurring_invoice alter column delivery_channel set not null;
