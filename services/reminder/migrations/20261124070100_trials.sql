-- migrate:up
create table trial_episode (
    case_id uuid not null,
    episode bigint not null,
    challenger text not null,
    arm text not null,
    strategy text not null,
    strategy_version bigint not null,
    started_on date not null,
    owed jsonb not null,
    level bigint not null,
    escalated_on date,
    ended_on date,
    ended_because text,
    primary key (case_id, episode),
    constraint trial_episode_arm_known check (arm in ('champion', 'challenger')),
    constraint trial_episode_ends_for_a_reason check ((ended_on is null) = (ended_because is null))
);
comment on table trial_episode is 'Episodes that began while their strategy was challenged, kept for the comparison of both sides.';
comment on column trial_episode.owed is 'What was overdue and collectable when the episode began, one amount a currency.';
comment on column trial_episode.escalated_on is 'When a step first asked for a credit hold, a formal notice or an agency.';
create index trial_episode_of_challenger on trial_episode (challenger, case_id, episode);

-- migrate:down
drop table trial_episode;
