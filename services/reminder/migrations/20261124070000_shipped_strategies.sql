-- migrate:up
insert into strategy (name, version, document, published_at) values
('strategic', 1, $yaml$# Key accounts: a person speaks first, the account's sales person knows of every step, and nothing firm goes out before
# somebody has approved it. Switched off as it comes: publish it with `active: true` to use it.
name: strategic
title: Strategic accounts
description: >-
  A call before any reminder, the account's sales person in the loop, approval of everything firm. A case goes to an
  agency only by decision, a month later than others.
active: false
priority: 30
fits:
  segments: [key, strategic, enterprise]

catch_up:
  gap_days: 7

steps:
  - name: due-soon
    days_from_due: -7
    channel: email
    tone: friendly
    template: due-soon
    attachments: [statement]

  - name: courtesy-call
    days_from_due: 3
    channel: call
    fallback: email
    tone: friendly
    template: first-reminder
    actions: [notify_sales]

  - name: written-reminder
    days_after_previous: 7
    channel: email
    tone: friendly
    template: second-reminder
    attachments: [invoices, statement]

  - name: with-sales
    days_from_due: 21
    actions: [task, notify_sales]
    task:
      title: Agree with the account's sales person how to go on
      detail: What holds the payment up, who decides there, and what may be offered.
      within_days: 3

  - name: firm-reminder
    days_from_due: 35
    channel: email
    tone: firm
    template: firm-reminder
    attachments: [statement]
    approval: true

  - name: propose-a-plan
    days_from_due: 50
    channel: call
    fallback: email
    tone: firm
    template: urgent-reminder
    actions: [plan, notify_sales]
    plan:
      instalments_max: 6
    approval: true

  - name: formal-notice
    days_from_due: 80
    channels: [email, letter]
    tone: formal
    template: final-notice
    attachments: [invoices, statement]
    actions: [formal_notice, notify_sales]
    approval: true

  - name: agency-referral
    days_from_due: 121
    actions: [agency_referral]
$yaml$, now()),
('small', 1, $yaml$# Small accounts: mail and short messages, nobody's time before the end. Switched off as it comes: publish it with
# `active: true` to use it.
name: small
title: Small accounts
description: >-
  Mails and short messages only. The seller's fee comes with the fourth reminder, and only sums that are worth it
  become a person's task.
active: false
priority: 10
fits:
  segments: [small]

catch_up:
  mode: skip_to_current
  gap_days: 5

steps:
  - name: due-soon
    days_from_due: -3
    channel: email
    tone: friendly
    template: due-soon

  - name: first-reminder
    days_from_due: 1
    channel: email
    tone: friendly
    template: first-reminder

  - name: short-message
    days_from_due: 7
    channel: sms
    fallback: email
    tone: friendly
    template: second-reminder

  - name: firm-reminder
    days_from_due: 14
    channel: email
    tone: firm
    template: firm-reminder

  - name: urgent-reminder
    days_from_due: 25
    channel: sms
    fallback: email
    tone: firm
    template: urgent-reminder
    actions: [fee]

  - name: final-notice
    days_from_due: 45
    channel: email
    tone: formal
    template: final-notice
    attachments: [statement]
    actions: [interest]

  - name: write-off-or-not
    days_from_due: 75
    actions: [task]
    task:
      title: Decide whether this account is still worth the effort
      detail: All reminders have gone out. From the amount of the next step on, a referral follows.
      within_days: 5

  - name: agency-referral
    days_from_due: 91
    conditions:
      amount_at_least: {EUR: 100, USD: 100, GBP: 100, CHF: 100}
    actions: [agency_referral]
$yaml$, now()),
('new-or-risky', 1, $yaml$# Accounts that have not shown yet that they pay, or have shown that they do not: earlier and firmer, and nothing more
# is delivered on credit until they have paid. Switched off as it comes: publish it with `active: true` to use it.
name: new-or-risky
title: New or risky accounts
description: >-
  A reminder on the first day, a call on the fourth, a credit hold on the tenth. The final notice goes out after three
  weeks, and from day 60 a person decides on an agency.
active: false
priority: 20
fits:
  segments: [new, risky]
also_fits:
  - risk_classes: [high, very_high]
  - broken_promises_min: 2

catch_up:
  gap_days: 3

steps:
  - name: due-soon
    days_from_due: -5
    channel: email
    tone: friendly
    template: due-soon

  - name: first-reminder
    days_from_due: 1
    channel: email
    tone: firm
    template: first-reminder
    attachments: [invoices]

  - name: early-call
    days_from_due: 4
    channel: call
    fallback: sms
    tone: firm
    template: second-reminder

  - name: credit-hold
    days_from_due: 10
    channel: email
    tone: firm
    template: firm-reminder
    actions: [credit_hold]

  - name: urgent-reminder
    days_from_due: 15
    channel: email
    tone: firm
    template: urgent-reminder
    actions: [fee]

  - name: final-notice
    days_from_due: 22
    channels: [email, letter]
    tone: formal
    template: final-notice
    attachments: [invoices, statement]
    actions: [interest, formal_notice]

  - name: last-call
    days_from_due: 40
    channel: call
    fallback: email
    tone: formal
    template: final-notice

  - name: agency-referral
    days_from_due: 60
    actions: [agency_referral]
$yaml$, now()),
('public-sector', 1, $yaml$# Public bodies pay late because a paper is missing or waits for a signature, seldom because they cannot: formal, in
# larger distances, with the documents attached, and no charges by mail. Interest and the compensation for late payment
# are owed by them as by anybody (Directive 2011/7/EU, art. 4 and 6); whether to claim it is left to a person.
# Switched off as it comes: publish it with `active: true` to use it.
name: public-sector
title: Public sector
description: >-
  Formal reminders with the documents attached, a call for what is missing, a letter after two months. Nothing is
  charged by mail and nothing goes to an agency; a person decides about statutory interest and legal steps.
active: false
priority: 40
fits:
  segments: [public, public-sector, government]

catch_up:
  gap_days: 10

steps:
  - name: reminder
    days_from_due: 7
    channel: email
    tone: formal
    template: first-reminder
    attachments: [invoices]

  - name: second-reminder
    days_from_due: 21
    channel: email
    tone: formal
    template: second-reminder
    attachments: [invoices, statement]

  - name: ask-what-is-missing
    days_from_due: 35
    channel: call
    fallback: email
    tone: formal
    template: firm-reminder
    actions: [task]
    task:
      title: Find out where the invoice stands
      detail: >-
        Order number, reference of the buyer (Leitweg-ID and the like), proof of delivery: what is missing, who has to
        sign, and when the next payment run is.
      within_days: 5

  - name: letter
    days_from_due: 60
    channels: [letter]
    fallback: email
    tone: formal
    template: urgent-reminder
    attachments: [invoices, statement]

  - name: formal-notice
    days_from_due: 90
    channels: [letter]
    fallback: email
    tone: formal
    template: final-notice
    attachments: [invoices, statement]
    actions: [formal_notice]
    approval: true

  - name: legal-steps
    days_from_due: 120
    actions: [task]
    task:
      title: Decide on statutory interest and legal steps
      detail: The formal notice has gone out without success.
      within_days: 10
$yaml$, now());

-- migrate:down
delete from strategy where version = 1 and name in ('strategic', 'small', 'new-or-risky', 'public-sector');
