-- migrate:up
-- squawk-ignore require-concurrent-index-creation
create index event_log_told_followers on event_log (key, time)
where type in (
    'dueward.reminder.suppressed.v1', 'dueward.reminder.failed.v1', 'dueward.reminder.bounced.v1',
    'dueward.promise.made.v1', 'dueward.promise.kept.v1', 'dueward.promise.broken.v1', 'dueward.promise.ended.v1',
    'dueward.pause.made.v1', 'dueward.pause.ended.v1',
    'dueward.offer.made.v1', 'dueward.offer.accepted.v1', 'dueward.offer.lapsed.v1',
    'dueward.placement.made.v1', 'dueward.placement.recalled.v1', 'dueward.placement.closed.v1',
    'dueward.proceeding.begun.v1', 'dueward.proceeding.ended.v1'
);

-- migrate:down
drop index event_log_told_followers;
