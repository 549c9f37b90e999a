-- migrate:up
-- squawk-ignore ban-drop-constraint
alter table credit_hold drop constraint credit_hold_cause_known;
alter table credit_hold add constraint credit_hold_cause_known check (cause in (
    'by_hand', 'overdue_days', 'overdue_amount', 'promise_broken', 'over_limit', 'insolvency', 'dunning',
    'insolvency_on_record', 'court_flags'
)) not valid;

-- migrate:down
alter table credit_hold drop constraint credit_hold_cause_known;
alter table credit_hold add constraint credit_hold_cause_known check (cause in (
    'by_hand', 'overdue_days', 'overdue_amount', 'promise_broken', 'over_limit', 'insolvency', 'dunning'
)) not valid;
