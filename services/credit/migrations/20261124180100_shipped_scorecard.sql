-- migrate:up
insert into scorecard (name, version, document) values ('standard', 1, $document$# The scorecard that comes with the service: an expert's card, not yet fitted to anybody's own defaults. Points say how
# much a thing weighs beside the others; the calibration is to be held against outcomes at each review.
name: standard
title: Companies, all sectors
description: >-
  Our own experience with a customer weighs most, then what its figures and the bureau say, then what others tell.
  Nothing known costs little: a customer is not bad for being new.
owner: Head of credit
review_on: 2027-06-30
valid_days: 365
base_points: 500

characteristics:
  # How it pays us.
  - name: average_days_late
    bins:
      - {below: 1, points: 60, reason: pays_on_time, says: Pays us on time on average}
      - {from: 1, below: 8, points: 25, reason: pays_nearly_on_time, says: Pays us within a week after due on average}
      - {from: 8, below: 31, points: -30, reason: pays_late, says: Pays us one to four weeks late on average}
      - {from: 31, below: 61, points: -80, reason: pays_very_late, says: Pays us one to two months late on average}
      - {from: 61, points: -140, reason: pays_hardly, says: Pays us more than two months late on average}
      - {missing: true, points: 0, reason: no_payments_yet, says: Has not paid us anything in twelve months}
  - name: late_share
    bins:
      - {below: 0.1, points: 25, reason: seldom_late, says: Fewer than one payment in ten is late}
      - {from: 0.1, below: 0.5, points: 0, reason: sometimes_late, says: Some payments are late}
      - {from: 0.5, points: -30, reason: mostly_late, says: At least half of the payments are late}
      - {missing: true, points: 0, reason: no_payments_yet, says: Has not paid us anything in twelve months}
  - name: oldest_overdue_days
    bins:
      - {below: 1, points: 10, reason: nothing_overdue, says: Nothing is overdue}
      - {from: 1, below: 31, points: -10, reason: overdue, says: Something is overdue}
      - {from: 31, below: 91, points: -70, reason: long_overdue, says: Something is overdue for more than a month}
      - {from: 91, points: -150, reason: overdue_quarter, says: Something is overdue for more than three months}
      - {missing: true, points: 0, reason: overdue_not_known, says: It is not known whether anything is overdue}
  - name: broken_promises
    bins:
      - {below: 1, points: 0, reason: no_promise_broken, says: Broke no promise to pay}
      - {from: 1, below: 3, points: -40, reason: promise_broken, says: Broke a promise to pay}
      - {from: 3, points: -100, reason: promises_broken, says: Broke three promises to pay or more}
      - {missing: true, points: 0, reason: promises_not_known, says: Nothing is known of promises}
  - name: disputes
    bins:
      - {below: 3, points: 0, reason: few_disputes, says: Disputes little or nothing}
      - {from: 3, points: -20, reason: many_disputes, says: Disputed three invoices or more in a year}
      - {missing: true, points: 0, reason: disputes_not_known, says: Nothing is known of disputes}
  - name: write_offs
    bins:
      - {below: 1, points: 0, reason: nothing_written_off, says: Nothing was written off}
      - {from: 1, points: -150, reason: written_off, says: We lost money with it within three years}
      - {missing: true, points: 0, reason: write_offs_not_known, says: Nothing is known of write-offs}
  # Its figures.
  - name: z_score
    bins:
      - {below: 1.10, points: -90, reason: z_distress, says: "Z'' is in the distress zone"}
      - {from: 1.10, below: 2.60, points: -10, reason: z_grey, says: "Z'' is in the grey zone"}
      - {from: 2.60, below: 5.00, points: 45, reason: z_safe, says: "Z'' is in the safe zone"}
      - {from: 5.00, points: 70, reason: z_very_safe, says: "Z'' is far in the safe zone"}
      - {missing: true, points: -10, reason: no_statement, says: "No financial statement, or one without Z''"}
  - name: equity_ratio
    bins:
      - {below: 0, points: -60, reason: equity_negative, says: Owes more than it has}
      - {from: 0, below: 0.2, points: -15, reason: equity_thin, says: Less than a fifth is its own money}
      - {from: 0.2, points: 20, reason: equity_sound, says: At least a fifth is its own money}
      - {missing: true, points: 0, reason: no_statement, says: No financial statement}
  - name: interest_cover
    bins:
      - {below: 1, points: -30, reason: interest_not_earned, says: Does not earn its interest}
      - {from: 1, below: 3, points: 0, reason: interest_earned, says: Earns its interest}
      - {from: 3, points: 15, reason: interest_well_earned, says: Earns its interest three times}
      - {missing: true, points: 0, reason: interest_not_known, says: Interest is not known or there is none}
  # What others say.
  - name: bureau_score
    bins:
      - {below: 20, points: -110, reason: bureau_very_weak, says: The bureau rates it very weak}
      - {from: 20, below: 40, points: -50, reason: bureau_weak, says: The bureau rates it weak}
      - {from: 40, below: 60, points: 0, reason: bureau_average, says: The bureau rates it average}
      - {from: 60, below: 80, points: 40, reason: bureau_good, says: The bureau rates it good}
      - {from: 80, points: 70, reason: bureau_very_good, says: The bureau rates it very good}
      - {missing: true, points: -10, reason: no_report, says: There is no credit report}
  - name: insolvency
    bins:
      - {any_of: [none], points: 5, reason: no_insolvency, says: No insolvency on record}
      - {any_of: [past], points: -80, reason: past_insolvency, says: An insolvency on record is over}
      - {any_of: [open], points: -600, reason: insolvent, says: Insolvency proceedings are open}
      - {missing: true, points: 0, reason: registers_not_asked, says: Nobody looked into the registers}
  - name: court_flags
    bins:
      - {below: 1, points: 5, reason: no_judgments, says: No judgment or lien is open}
      - {from: 1, below: 3, points: -50, reason: judgments, says: Judgments or liens are open}
      - {from: 3, points: -120, reason: many_judgments, says: Three judgments or liens or more are open}
      - {missing: true, points: 0, reason: registers_not_asked, says: Nobody looked into the registers}
  - name: reference_days_late
    bins:
      - {below: 8, points: 15, reason: references_good, says: Pays other suppliers well}
      - {from: 8, below: 31, points: -10, reason: references_late, says: Pays other suppliers late}
      - {from: 31, points: -40, reason: references_bad, says: Pays other suppliers more than a month late}
      - {missing: true, points: 0, reason: no_references, says: No supplier gave a reference}
  - name: imported_days_late
    bins:
      - {below: 8, points: 15, reason: earlier_payments_good, says: Paid well before we knew it}
      - {from: 8, below: 31, points: -10, reason: earlier_payments_late, says: Paid late before we knew it}
      - {from: 31, points: -40, reason: earlier_payments_bad, says: Paid more than a month late before we knew it}
      - {missing: true, points: 0, reason: no_earlier_payments, says: Nothing is known of earlier payments}
  - name: years_trading
    bins:
      - {below: 2, points: -35, reason: very_young, says: In business for less than two years}
      - {from: 2, below: 5, points: -10, reason: young, says: In business for less than five years}
      - {from: 5, below: 15, points: 10, reason: settled, says: In business for five years or more}
      - {from: 15, points: 25, reason: established, says: In business for fifteen years or more}
      - {missing: true, points: 0, reason: age_not_known, says: Nobody knows how long it has been in business}

# Of a hundred customers of a band, how many stop paying within a year.
calibration:
  - {risk_class: E, probability_of_default: 0.35}
  - {score_from: 300, risk_class: E, probability_of_default: 0.18}
  - {score_from: 370, risk_class: D, probability_of_default: 0.10}
  - {score_from: 430, risk_class: D, probability_of_default: 0.06}
  - {score_from: 480, risk_class: C, probability_of_default: 0.03}
  - {score_from: 540, risk_class: B, probability_of_default: 0.015}
  - {score_from: 600, risk_class: B, probability_of_default: 0.008}
  - {score_from: 660, risk_class: A, probability_of_default: 0.003}
$document$);

-- migrate:down
delete from scorecard;
