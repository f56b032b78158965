use jiff::civil::{DateTime, Time, date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;

const START: DateTime = date(2026, 11, 23).at(9, 30, 0, 0);

fn clock(text: &str) -> Vec<Time> {
    standard::clock_times(text).unwrap()
}

/// What a frequency and its clock times became, as the database keeps it, with the remark behind a dash.
fn read(frequency: &str, times: &str) -> String {
    let times: Vec<Time> = clock(times);
    let written = Written {
        frequency,
        times: &times,
        prn: false,
        start: START,
    };
    let reading = understand(&written, &StandardTimes::default());
    match reading.remark {
        None => reading.schedule.to_string(),
        Some(remark) => format!("{} - {remark:?}", reading.schedule),
    }
}

#[test]
fn frequencies_become_schedules() {
    for (frequency, times, expected) in [
        ("BID", "", "times 08:00 20:00"),
        ("BID", "10:00 20:00", "times 10:00 20:00"),
        ("b.i.d.", "", "times 08:00 20:00"),
        ("twice daily", "", "times 08:00 20:00"),
        ("TID", "", "times 08:00 14:00 20:00"),
        ("QID", "", "times 08:00 12:00 16:00 20:00"),
        ("Q 12H", "", "times 08:00 20:00"),
        ("Q12HRS", "", "times 08:00 20:00"),
        ("every 12 hours", "09:00 21:00", "times 09:00 21:00"),
        ("Q8H", "18:00 02:00 10:00", "times 02:00 10:00 18:00"),
        ("Q1H", "", "every 60m"),
        ("Q5H", "", "every 300m"),
        ("Q24H", "", "times 08:00"),
        ("DAILY", "", "times 08:00"),
        ("QD", "10:00", "times 10:00"),
        ("DAILY16", "", "times 16:00"),
        ("DAILY16", "16:00", "times 16:00"),
        ("QHS", "", "times 22:00"),
        ("HS", "20:00", "times 20:00"),
        ("BREAKFAST", "", "times 08:00"),
        ("Lunch", "", "times 12:00"),
        ("NOON", "", "times 12:00"),
        (
            "QIDACHS",
            "08:00 11:00 16:00 22:00",
            "times 08:00 11:00 16:00 22:00",
        ),
        ("TID W/MEALS", "", "times 08:00 12:00 17:00"),
        (
            "5X/DAY",
            "08:00 12:00 14:00 18:00 21:00",
            "times 08:00 12:00 14:00 18:00 21:00",
        ),
        ("EVERY OTHER DAY", "", "times 09:30 every 2d"),
        ("QOD", "08:00", "times 08:00 every 2d"),
        ("Q48H", "", "times 09:30 every 2d"),
        ("Q72H", "17:00", "times 17:00 every 3d"),
        ("WEEKLY", "", "times 09:30 every 7d"),
        ("QTHUR", "16:00", "times 16:00 days thu"),
        ("Q MON,WED", "", "times 08:00 days mon wed"),
        ("MWF", "14:00", "times 14:00 days mon wed fri"),
        ("ONCE", "", "once"),
        ("ONCE", "17:00", "once 17:00"),
        ("NOW X1", "", "once"),
        ("1X", "", "once"),
        ("STAT", "", "once"),
        ("ONCE MR1", "17:00", "once 17:00 - RepeatNotOffered"),
    ] {
        assert_eq!(read(frequency, times), expected, "{frequency} {times}");
    }
}

#[test]
fn as_needed_becomes_limits() {
    for (frequency, expected, words) in [
        ("PRN", "prn", ""),
        ("Q6H:PRN", "prn min 360m", "at least 6 h apart"),
        ("PRN Q15 MIN", "prn min 15m", "at least 15 min apart"),
        ("BID:PRN", "prn max/24h 2", "at most 2 in 24 h"),
        ("DAILY:PRN", "prn max/24h 1", "at most 1 in 24 h"),
        ("QHS:PRN", "prn max/24h 1", "at most 1 in 24 h"),
        ("TID as needed", "prn max/24h 3", "at most 3 in 24 h"),
        ("X1 PRN", "prn total 1", "one dose only"),
        ("ONCE:PRN", "prn total 1", "one dose only"),
        ("MRX1:PRN", "prn total 2", "2 doses only"),
        ("Q72H:PRN", "prn min 4320m", "at least 3 days apart"),
        ("3X/WEEK PRN", "prn max/24h 1", "at most 1 in 24 h"),
    ] {
        assert_eq!(read(frequency, "08:00"), expected, "{frequency}");
        assert_eq!(expected.parse::<Schedule>().unwrap().limits(), words);
    }
    // A range of intervals is not a limit that can be checked, and no limit is not what was written.
    assert_eq!(read("Q4-6H:PRN", ""), "unscheduled - Unknown");
}

#[test]
fn the_mark_of_the_prescription_counts_like_the_word() {
    let written = Written {
        frequency: "BID",
        times: &clock("08:00 20:00"),
        prn: true,
        start: START,
    };
    let reading = understand(&written, &StandardTimes::default());
    assert_eq!(reading.schedule.to_string(), "prn max/24h 2");
    assert_eq!(reading.schedule.kind(), OrderKind::Prn);
}

#[test]
fn what_could_be_an_overdose_is_left_to_people() {
    for (frequency, times, remark) in [
        ("3X/WEEK", "10:00", "DaysUnknown"),
        ("6X/WEEK", "10:00", "DaysUnknown"),
        ("TIW", "10:00", "DaysUnknown"),
        ("ASDIR", "", "Unknown"),
        ("ASDIR", "19:00", "Unknown"),
        ("ON CALL", "13:00", "Unknown"),
        ("TITRATE TO RASS", "", "Unknown"),
        ("TITRATE TO Q2H GOAL", "", "Unknown"),
        ("Q2H PER MOVIPREP PROTOCOL", "12:00 14:00", "Unknown"),
        ("INFUSION", "", "Unknown"),
        ("DAYS", "", "Unknown"),
        ("", "08:00", "Unknown"),
        ("2X", "", "Unknown"),
        ("MR X1", "15:00", "Unknown"),
        ("OD", "08:00", "Unknown"),
        ("MON-FRI", "08:00", "Unknown"),
        ("Q4-6H", "", "Unknown"),
        ("Q1.5H", "", "Unknown"),
        ("Q 1 2H", "", "Unknown"),
        ("Q0H", "", "Unknown"),
        ("Q999999999999H", "", "Unknown"),
        ("DAILY", "08:00 20:00", "TimesDisagree"),
        ("BID", "08:00 08:00", "TimesDisagree"),
        ("TID", "08:00 12:00 16:00 20:00", "TimesDisagree"),
        ("Q8H", "08:00 09:00 10:00", "TimesDisagree"),
        ("Q8H", "08:00", "TimesDisagree"),
        ("DAILY16", "08:00", "TimesDisagree"),
        ("ONCE", "08:00 20:00", "TimesDisagree"),
        ("QTHUR", "08:00 20:00", "TimesDisagree"),
        ("Q48H", "08:00 20:00", "TimesDisagree"),
        ("5X/DAY", "", "NoStandardTimes"),
        ("Q15MIN", "", "TooOften"),
    ] {
        assert_eq!(
            read(frequency, times),
            format!("unscheduled - {remark}"),
            "{frequency} {times}"
        );
    }
}

#[test]
fn the_ward_has_its_own_times() {
    let table = StandardTimes::default()
        .with([
            ("bid", "06:00 18:00"),
            ("Q 8HR", "00:00 08:00 16:00"),
            ("dialysis", "13:00"),
        ])
        .unwrap();
    let read = |frequency| {
        let written = Written {
            frequency,
            times: &[],
            prn: false,
            start: START,
        };
        understand(&written, &table).schedule.to_string()
    };
    assert_eq!(read("BID"), "times 06:00 18:00");
    assert_eq!(read("Q8H"), "times 00:00 08:00 16:00");
    assert_eq!(read("Dialysis"), "times 13:00");
    assert_eq!(read("Dialysis:PRN"), "prn max/24h 1");
    for (name, times, error) in [
        (
            "3X/WEEK",
            "10:00",
            "standard time '3X/WEEK' is not a frequency by the day",
        ),
        (
            "3 PER WEEK",
            "10:00",
            "standard time '3 PER WEEK' is not a frequency by the day",
        ),
        (
            "ONCE",
            "10:00",
            "standard time 'ONCE' is not a frequency by the day",
        ),
        (
            "BID:PRN",
            "10:00",
            "standard time 'BID:PRN' is not a frequency by the day",
        ),
        (
            "BID",
            "10:00",
            "standard time 'BID' means 2 a day, and 1 different times are given",
        ),
        (
            "BID",
            "10:00 25:00",
            "standard time 'BID': '25:00' is not a time of day (HH:MM)",
        ),
    ] {
        let bad = StandardTimes::default().with([(name, times)]).unwrap_err();
        assert_eq!(bad.to_string(), error);
    }
}

#[test]
fn schedules_read_back_and_name_what_they_cannot() {
    for (text, word) in [
        ("times", ""),
        ("times 8:00", "8:00"),
        ("times 08:00 07:00", "07:00"),
        ("times 08:00 days", ""),
        ("times 08:00 days thursday", "thursday"),
        ("times 08:00 every 0d", "0d"),
        ("times 08:00 every 2d mon", "mon"),
        ("every 6h", "6h"),
        ("once tomorrow", "tomorrow"),
        ("prn min", ""),
        ("prn max 3", "max"),
        ("unscheduled 1", "1"),
    ] {
        let bad = text.parse::<Schedule>().unwrap_err();
        let word = word.to_owned();
        assert_eq!(
            bad,
            BadSchedule::Word {
                text: text.to_owned(),
                word
            }
        );
    }
    assert!(matches!("".parse::<Schedule>(), Err(BadSchedule::Kind(_))));
}

/// Due times in a zone, shown as local time with offset, without the year.
fn due(schedule: &str, start: &str, stop: Option<&str>, from: &str, to: &str) -> Vec<String> {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let at = |text: &str| {
        let local: DateTime = text.parse().unwrap();
        zone.to_ambiguous_timestamp(local).compatible().unwrap()
    };
    let schedule: Schedule = schedule.parse().unwrap();
    due_times(&schedule, at(start), stop.map(at), at(from), at(to), &zone)
        .into_iter()
        .map(|due| {
            due.to_zoned(zone.clone())
                .strftime("%m-%d %H:%M%:z")
                .to_string()
        })
        .collect()
}

#[test]
fn start_counts_and_stop_does_not() {
    let day = ("2026-11-01T00:00", "2026-12-01T00:00");
    let (start, stop) = ("2026-11-23T08:00", "2026-11-24T20:00");
    assert_eq!(
        due("times 08:00 20:00", start, Some(stop), day.0, day.1),
        [
            "11-23 08:00+01:00",
            "11-23 20:00+01:00",
            "11-24 08:00+01:00"
        ]
    );
    assert_eq!(
        due("every 720m", start, Some(stop), day.0, day.1),
        [
            "11-23 08:00+01:00",
            "11-23 20:00+01:00",
            "11-24 08:00+01:00"
        ]
    );
    assert_eq!(
        due("times 08:00", start, Some(start), day.0, day.1),
        [""; 0]
    );
    // Windows are half-open too.
    assert_eq!(
        due("every 720m", start, None, start, "2026-11-23T20:00").len(),
        1
    );
}

#[test]
fn one_dose_is_one_dose() {
    let day = ("2026-11-01T00:00", "2026-12-01T00:00");
    let start = "2026-11-23T21:00";
    let one = |schedule, stop| due(schedule, start, stop, day.0, day.1);
    assert_eq!(one("once", None), ["11-23 21:00+01:00"]);
    assert_eq!(one("once 22:00", None), ["11-23 22:00+01:00"]);
    assert_eq!(one("once 06:00", None), ["11-24 06:00+01:00"]);
    assert_eq!(one("once 22:00", Some("2026-11-23T22:00")), [""; 0]);
    // Start and stop at one moment: the dose belongs to that moment.
    assert_eq!(one("once", Some(start)), ["11-23 21:00+01:00"]);
    assert_eq!(one("once 22:00", Some(start)), ["11-23 21:00+01:00"]);
    assert_eq!(one("prn total 1", None), [""; 0]);
    assert_eq!(one("unscheduled", None), [""; 0]);
}

#[test]
fn days_are_counted_from_the_first_dose() {
    let weeks = ("2026-11-01T00:00", "2026-12-08T00:00");
    assert_eq!(
        due(
            "times 10:00 every 2d",
            "2026-11-23T14:00",
            Some("2026-11-29T00:00"),
            weeks.0,
            weeks.1
        ),
        [
            "11-24 10:00+01:00",
            "11-26 10:00+01:00",
            "11-28 10:00+01:00"
        ]
    );
    assert_eq!(
        due(
            "times 16:00 days thu",
            "2026-11-23T14:00",
            None,
            weeks.0,
            weeks.1
        ),
        ["11-26 16:00+01:00", "12-03 16:00+01:00"]
    );
}

#[test]
fn clock_changes_neither_add_nor_lose_a_dose() {
    // 29 March 2026: 02:00 becomes 03:00. The skipped 02:30 is given at 03:30.
    let spring = ("2026-03-28T12:00", "2026-03-30T12:00");
    assert_eq!(
        due("times 02:30 08:00", spring.0, None, spring.0, spring.1),
        [
            "03-29 03:30+02:00",
            "03-29 08:00+02:00",
            "03-30 02:30+02:00",
            "03-30 08:00+02:00"
        ]
    );
    // Two times that fall together are one dose.
    assert_eq!(
        due(
            "times 02:30 03:30",
            spring.0,
            None,
            spring.0,
            "2026-03-29T12:00"
        )
        .len(),
        1
    );
    // 25 October 2026: 03:00 becomes 02:00. 02:30 comes twice and is given once.
    let autumn = ("2026-10-24T12:00", "2026-10-26T12:00");
    assert_eq!(
        due("times 02:30", autumn.0, None, autumn.0, autumn.1),
        ["10-25 02:30+02:00", "10-26 02:30+01:00"]
    );
    // An interval is elapsed time.
    assert_eq!(
        due("every 720m", "2026-10-24T20:00", None, autumn.0, autumn.1),
        [
            "10-24 20:00+02:00",
            "10-25 07:00+01:00",
            "10-25 19:00+01:00",
            "10-26 07:00+01:00"
        ]
    );
}

fn any_time() -> impl Strategy<Value = Time> {
    (0..24_i8, 0..60_i8).prop_map(|(hour, minute)| time(hour, minute, 0, 0))
}

fn any_days() -> impl Strategy<Value = Days> {
    prop_oneof![
        Just(Days::Every(1)),
        (1..9_u16).prop_map(Days::Every),
        proptest::collection::vec(1..=7_i8, 1..4).prop_map(|days| Days::On(
            days.into_iter()
                .map(|day| Weekday::from_monday_one_offset(day).unwrap())
                .fold(Weekdays::NONE, Weekdays::with)
        )),
    ]
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let limit = || proptest::option::of(1..5000_u32);
    prop_oneof![
        4 => (proptest::collection::btree_set(any_time(), 1..7), any_days())
            .prop_map(|(times, days)| Schedule::Times { times: times.into_iter().collect(), days }),
        2 => (60..5000_u32).prop_map(|minutes| Schedule::Interval { minutes }),
        2 => proptest::option::of(any_time()).prop_map(|at| Schedule::Once { at }),
        1 => (limit(), limit(), limit()).prop_map(|(min_interval, max_per_day, max_total)| {
            Schedule::Prn { min_interval, max_per_day, max_total }
        }),
        1 => Just(Schedule::Unscheduled),
    ]
}

/// Zones with an ordinary clock change, one of half an hour, one at midnight, one that skipped a day, and none.
fn any_zone() -> impl Strategy<Value = TimeZone> {
    prop_oneof![
        Just("Europe/Berlin"),
        Just("America/New_York"),
        Just("Australia/Lord_Howe"),
        Just("America/Santiago"),
        Just("Pacific/Apia"),
        Just("UTC"),
    ]
    .prop_map(|name| TimeZone::get(name).unwrap())
}

/// Minutes around the clock changes of 2026, and around the day that Samoa left out.
fn any_moment() -> impl Strategy<Value = Timestamp> {
    let around = |text: &str| {
        let moment: Timestamp = text.parse().unwrap();
        (-14_400..14_400_i64).prop_map(move |m| moment + SignedDuration::from_mins(m))
    };
    prop_oneof![
        around("2026-03-29T01:00:00Z"),
        around("2026-10-25T01:00:00Z"),
        around("2011-12-30T10:00:00Z"),
    ]
}

proptest! {
    #[test]
    fn windows_that_meet_give_what_one_gives(
        schedule in any_schedule(),
        zone in any_zone(),
        start in any_moment(),
        lasts in proptest::option::of(0..20_000_i64),
        offset in -3000..20_000_i64,
        first in 0..5000_i64,
        second in 0..5000_i64,
    ) {
        let minutes = SignedDuration::from_mins;
        let stop = lasts.map(|m| start + minutes(m));
        let a = start + minutes(offset);
        let (b, c) = (a + minutes(first), a + minutes(first + second));
        let due = |from, to| due_times(&schedule, start, stop, from, to, &zone);
        let whole = due(a, c);
        let mut parts = due(a, b);
        parts.extend(due(b, c));
        prop_assert_eq!(&whole, &parts);
        prop_assert!(whole.windows(2).all(|pair| pair[0] < pair[1]), "ascending, each once");
        for &at in &whole {
            prop_assert!(at >= a && at < c && at >= start);
            let once = matches!(schedule, Schedule::Once { .. }) && stop == Some(start);
            prop_assert!(once || stop.is_none_or(|stop| at < stop));
        }
    }

    #[test]
    fn never_more_doses_than_times(
        times in proptest::collection::btree_set(any_time(), 1..7),
        zone in any_zone(),
        start in any_moment(),
    ) {
        let most = times.len();
        let times: Vec<Time> = times.into_iter().collect();
        let schedule = Schedule::Times { times, days: Days::Every(1) };
        let end = start + SignedDuration::from_hours(20 * 24);
        let due = due_times(&schedule, start, None, start, end, &zone);
        // Twenty days, and two more for what the window cuts and a clock change shifts.
        prop_assert!(due.len() <= 22 * most);
    }

    #[test]
    fn schedules_read_back(schedule in any_schedule()) {
        prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
    }

    #[test]
    fn no_text_panics(text in "\\PC*", times in proptest::collection::vec(any_time(), 0..4)) {
        let written = Written { frequency: &text, times: &times, prn: false, start: START };
        let reading = understand(&written, &StandardTimes::default());
        prop_assert_eq!(reading.schedule.to_string().parse(), Ok(reading.schedule));
        let _ = text.parse::<Schedule>();
    }

    /// Put together from the pieces of real frequencies, in any order.
    #[test]
    fn never_more_a_day_than_the_clock_times_given(
        pieces in proptest::collection::vec(
            prop_oneof![Just("Q"), Just("6"), Just("H"), Just("X"), Just("/WEEK"), Just("/DAY"), Just("ONCE"),
                Just("MR"), Just("DAILY"), Just("16"), Just("BID"), Just("MIN"), Just(" "), Just("MON"), Just("TITRATE")],
            1..5),
        times in proptest::collection::btree_set(any_time(), 1..5),
    ) {
        let times: Vec<Time> = times.into_iter().collect();
        let written = Written { frequency: &pieces.concat(), times: &times, prn: false, start: START };
        match understand(&written, &StandardTimes::default()).schedule {
            Schedule::Times { times: understood, .. } => prop_assert!(understood.len() <= times.len()),
            Schedule::Interval { .. } => prop_assert!(false, "clock times were ignored"),
            _ => {}
        }
    }
}
