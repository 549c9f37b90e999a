-- migrate:up
-- Money received before an episode began ends it with effect of the day it was received: it was none.
-- squawk-ignore ban-drop-constraint
alter table overdue_episode drop constraint overdue_episode_cleared_after_start;
comment on column overdue_episode.cleared_on is 'When it ended; before started_on where money received earlier was booked late, and there was nothing to announce.';

alter table payment add column reversal_kind text;
-- No release has the tables yet, so there is nothing to block.
-- squawk-ignore constraint-missing-not-valid
alter table payment add constraint payment_reversal_kind check (
    reversal_kind is null or (reversed_on is not null and reversal_kind in ('bounced', 'charged_back', 'booked_by_mistake'))
);
-- squawk-ignore constraint-missing-not-valid
alter table payment add constraint payment_reversed_was_not_refunded check (reversed_on is null or refunded_minor = 0);
-- squawk-ignore constraint-missing-not-valid
alter table invoice add constraint invoice_credited_within_total check (credited_minor <= total_minor);

-- migrate:down
alter table invoice drop constraint invoice_credited_within_total;
alter table payment drop constraint payment_reversed_was_not_refunded;
alter table payment drop column reversal_kind;
update overdue_episode set cleared_on = started_on where cleared_on < started_on;
alter table overdue_episode add constraint overdue_episode_cleared_after_start check (cleared_on >= started_on);
