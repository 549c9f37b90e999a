-- migrate:up
-- s. 247(1) BGB: it is set on 1 January and 1 July and stays for the half-year. 1.27 since 1 July 2025, and unchanged on
-- 1 January 2026: the last main refinancing operation of 2025, allotted on 22 December, bore 2.15 as that of June 2025
-- did (https://apl.bsi.si/orodja/avkcije-en.asp; announced in the Bundesanzeiger on 24 December 2025, quoted at
-- https://finanzmarktnachrichten.de/basiszinssatz-bleibt-ab-1-januar-2026-bei-127).
insert into reference_rate (series, valid_from, percent)
select series, '2026-01-01', 1.27 from reference_series where series = 'de_basiszinssatz' and version = 1
on conflict (series, valid_from) do nothing;
update reference_series set known_until = '2026-06-30' where series = 'de_basiszinssatz' and version = 1;

-- migrate:down
update reference_series set known_until = '2026-01-01' where series = 'de_basiszinssatz' and version = 1;
delete from reference_rate where series = 'de_basiszinssatz' and valid_from = '2026-01-01';
