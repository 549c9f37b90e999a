-- migrate:up
-- squawk-ignore ban-drop-constraint
alter table saved_report drop constraint saved_report_format_known;
-- squawk-ignore constraint-missing-not-valid
alter table saved_report add constraint saved_report_format_known
    check (format in ('csv', 'xlsx', 'parquet', 'pdf'));

-- migrate:down
delete from saved_report where format = 'parquet';
alter table saved_report drop constraint saved_report_format_known;
alter table saved_report add constraint saved_report_format_known check (format in ('csv', 'xlsx', 'pdf'));
