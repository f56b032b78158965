//! From a schedule to instants.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::{Days, Schedule};

/// At most this many instants come from one call: hourly for more than a year. A window is hours or days long.
pub const MOST: usize = 10_000;

const MINUTE: i128 = 60_000_000_000;

/// The instants (UTC) in `[from, to)` at which doses are due, ascending, each once; at most [`MOST`].
///
/// `start` is inclusive and `stop` exclusive, so a prescription that stops when it starts has no dose, unless
/// it is for one dose only: then that moment is when it is due. Clock times are those of `zone`: one that a
/// clock change skips is given once, as much later as the clock jumped; one that comes twice is given the first
/// time only. Which doses there are does not depend on the window: two windows that meet give what one gives.
pub fn due_times(
    schedule: &Schedule,
    start: Timestamp,
    stop: Option<Timestamp>,
    from: Timestamp,
    to: Timestamp,
    zone: &TimeZone,
) -> Vec<Timestamp> {
    let within =
        |at: Timestamp| at >= from && at < to && at >= start && stop.is_none_or(|stop| at < stop);
    match schedule {
        Schedule::Prn { .. } | Schedule::Unscheduled => Vec::new(),
        Schedule::Once { .. } if stop == Some(start) => {
            let now = start >= from && start < to;
            now.then_some(start).into_iter().collect()
        }
        Schedule::Once { at: None } => Some(start).filter(|&at| within(at)).into_iter().collect(),
        Schedule::Once { at: Some(time) } => first_at(start, &[*time], zone)
            .and_then(|date| instant(date, *time, zone))
            .filter(|&at| within(at))
            .into_iter()
            .collect(),
        Schedule::Interval { minutes } => {
            let last = stop.map_or(to, |stop| stop.min(to));
            at_intervals(*minutes, start, from, last)
        }
        Schedule::Times { times, days } => {
            let last = stop.map_or(to, |stop| stop.min(to));
            let Some(anchor) = first_at(start, times, zone) else {
                return Vec::new();
            };
            at_times(times, *days, anchor, (from.max(start), last), zone)
                .filter(|&at| within(at))
                .take(MOST)
                .collect()
        }
    }
}

/// When a local clock time comes on a date: shifted where it is skipped, the first where it comes twice.
fn instant(date: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(date.to_datetime(time))
        .compatible()
        .ok()
}

/// The first date on which one of `times` falls at or after `start`.
fn first_at(start: Timestamp, times: &[Time], zone: &TimeZone) -> Option<Date> {
    let day = zone.to_datetime(start).date();
    let today = times
        .iter()
        .any(|&time| instant(day, time, zone).is_some_and(|at| at >= start));
    if today {
        Some(day)
    } else {
        day.tomorrow().ok()
    }
}

/// The clock times of every day that counts, over at least the window (ascending, without duplicates).
fn at_times<'a>(
    times: &'a [Time],
    days: Days,
    anchor: Date,
    (from, to): (Timestamp, Timestamp),
    zone: &'a TimeZone,
) -> impl Iterator<Item = Timestamp> + 'a {
    // A day more at either end: a skipped time may be shifted over midnight.
    let first = zone.to_datetime(from).date();
    let first = first.yesterday().unwrap_or(first).max(anchor);
    let last = zone.to_datetime(to).date();
    let mut latest = None;
    first
        .series(jiff::Span::new().days(1))
        .take_while(move |&date| from < to && date <= last)
        .filter(move |&date| counts(days, anchor, date))
        .flat_map(move |date| {
            times
                .iter()
                .filter_map(move |&time| instant(date, time, zone))
        })
        // Two clock times may fall together where the clock jumps (02:30 and 03:30): that is one dose.
        .filter(move |&at| {
            let later = latest.is_none_or(|latest| at > latest);
            if later {
                latest = Some(at);
            }
            later
        })
}

fn counts(days: Days, anchor: Date, date: Date) -> bool {
    match days {
        Days::On(weekdays) => weekdays.contains(date.weekday()),
        Days::Every(0 | 1) => true,
        Days::Every(n) => (date - anchor).get_days() % i32::from(n) == 0,
    }
}

/// `start`, and every so many minutes after it, in `[from, last)`.
fn at_intervals(
    minutes: u32,
    start: Timestamp,
    from: Timestamp,
    last: Timestamp,
) -> Vec<Timestamp> {
    let step = i128::from(minutes.max(1)) * MINUTE;
    let start = start.as_nanosecond();
    let behind = (from.as_nanosecond() - start).max(0);
    let first = start + (behind + step - 1) / step * step;
    std::iter::successors(Some(first), |at| at.checked_add(step))
        .take_while(|&at| at < last.as_nanosecond())
        .take(MOST)
        .map_while(|at| Timestamp::from_nanosecond(at).ok())
        .collect()
}
