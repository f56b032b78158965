//! Every setting there is: key, default, limits, reason.

/// One setting: its key, default, and why the default is what it is.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// `section.name`, as in the file; `VALMED_SECTION_NAME` in the environment.
    pub key: &'static str,
    /// What holds if nobody says otherwise.
    pub default: &'static str,
    /// Unit and reason.
    pub why: &'static str,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Zone,
    /// A whole number between these, inclusive.
    Number(u64, u64),
    /// An address and a port.
    Address,
    /// An address of this machine alone and a port, or nothing.
    Loopback,
    /// Yes or no: `true` or `false`.
    Truth,
}

const fn truth(key: &'static str, default: &'static str, why: &'static str) -> Setting {
    Setting {
        key,
        default,
        why,
        kind: Kind::Truth,
    }
}

const fn number(
    key: &'static str,
    default: &'static str,
    range: (u64, u64),
    why: &'static str,
) -> Setting {
    Setting {
        key,
        default,
        why,
        kind: Kind::Number(range.0, range.1),
    }
}

const fn of_kind(
    key: &'static str,
    default: &'static str,
    kind: Kind,
    why: &'static str,
) -> Setting {
    Setting {
        key,
        default,
        why,
        kind,
    }
}

/// Every setting there is, but the tables of standard times (`[standard_times]`) and of coded reasons
/// (`[reasons.KIND]`).
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "database",
        default: "",
        kind: Kind::Text,
        why: "sqlite://PATH or postgresql://USER@HOST/NAME; empty: a file in the user's data folder",
    },
    Setting {
        key: "time_zone",
        default: "",
        kind: Kind::Zone,
        why: "zone of the wards' clocks, given to wards when they are imported; empty: this machine's",
    },
    number(
        "queue.due_minutes",
        "60",
        (1, 720),
        "a dose is due this long before its time: wards give within the hour",
    ),
    number(
        "schedule.horizon_hours",
        "24",
        (2, 168),
        "doses become orders this long ahead: a day's round can be planned",
    ),
    number(
        "schedule.late_minutes",
        "120",
        (0, 1440),
        "doses due longer ago than this when they are imported belong to the system before",
    ),
    number(
        "schedule.every_minutes",
        "5",
        (1, 60),
        "how often doses are made into orders while a desk is open",
    ),
    truth(
        "witness.controlled",
        "true",
        "a controlled drug is given before a witness, who signs too: two people answer for it",
    ),
    truth(
        "witness.high_alert",
        "false",
        "so is a high-alert drug, where the hospital wants a second look at pumps and insulin",
    ),
    truth(
        "cupboard.nurses_send",
        "false",
        "nurses may send stock to another ward too, where no pharmacist is there at night",
    ),
    truth(
        "cupboard.every_difference_stays_open",
        "false",
        "every explained difference of a count waits for a supervisor; otherwise those of controlled drugs",
    ),
    number(
        "cupboard.expiring_days",
        "30",
        (0, 365),
        "a lot that expires within so many days is shown: there is time to use it or send it on",
    ),
    number(
        "warn.early_minutes",
        "60",
        (0, 1440),
        "a dose given earlier than this before its time needs a reason: the next one comes too near; 0: never",
    ),
    number(
        "warn.late_minutes",
        "60",
        (0, 1440),
        "a dose given later than this after its time needs a reason: the round's window is an hour; 0: never",
    ),
    number(
        "warn.same_drug_minutes",
        "120",
        (0, 1440),
        "the same drug for the same patient within this needs a reason: most doubled doses are that near; 0: never",
    ),
    truth(
        "warn.later_given",
        "true",
        "a dose after a later one of its prescription needs a reason: it was mostly replaced by that one",
    ),
    number(
        "warn.high_dose_percent",
        "200",
        (100, 1000),
        "more than is prescribed needs a reason, and more than this part of it is refused: a slip of a digit is ten times",
    ),
    number(
        "back_entry.free_minutes",
        "5",
        (0, 60),
        "a dose entered later than this after it was given needs a reason: the way back from the bed needs none",
    ),
    number(
        "queue.missed_minutes",
        "240",
        (30, 2880),
        "a dose that nobody accounted for is shown as missed so long after its time: half an eight-hourly interval",
    ),
    truth(
        "prn.indication",
        "true",
        "what an as-needed dose is for is said when it is given: nobody can judge the effect without it",
    ),
    number(
        "prn.effect_minutes",
        "60",
        (10, 960),
        "whether an as-needed dose helped is asked this long after it: most drugs by mouth work within the hour",
    ),
    number(
        "pool.kept",
        "2",
        (1, 200),
        "connections kept: one person's desk reads and writes one thing at a time",
    ),
    number(
        "pool.burst",
        "4",
        (0, 200),
        "connections beyond those, while they are needed",
    ),
    number(
        "pool.recycle_seconds",
        "1800",
        (10, 86_400),
        "a connection is replaced at this age: servers and firewalls forget",
    ),
    number(
        "pool.acquire_seconds",
        "30",
        (1, 300),
        "wait for a connection this long, then say that the system is busy",
    ),
    number(
        "limits.statement_seconds",
        "15",
        (1, 600),
        "PostgreSQL gives up a statement: no screen waits longer",
    ),
    number(
        "limits.lock_seconds",
        "5",
        (1, 60),
        "give up waiting for a lock: something is wrong, and the lane serves others",
    ),
    number(
        "limits.idle_in_transaction_seconds",
        "10",
        (1, 600),
        "PostgreSQL ends a transaction that a dead program left open",
    ),
    number(
        "desk.lanes",
        "0",
        (0, 64),
        "transactions at once; 0: one on SQLite, two on PostgreSQL (fewer make fuller batches)",
    ),
    number(
        "desk.batch",
        "128",
        (1, 1024),
        "operations in one transaction at most: beyond that the last waits for the first (300 nurses at once: 64 give \
         8,000 doses a second, 128 give 9,300, 256 no more)",
    ),
    number(
        "desk.queue",
        "4096",
        (1, 1_000_000),
        "operations that may wait; beyond that the desk says that it is busy",
    ),
    number(
        "desk.wait_seconds",
        "10",
        (1, 300),
        "an operation that waited this long is not started any more: nobody is standing there",
    ),
    number(
        "desk.tries",
        "12",
        (1, 100),
        "how often a batch that another process was in the way of is tried",
    ),
    number(
        "desk.doubt_seconds",
        "60",
        (1, 3600),
        "how long to find out what became of a COMMIT whose answer was lost",
    ),
    number(
        "feed.poll_ms",
        "40",
        (20, 10_000),
        "SQLite: look for other programs' commits; a look costs microseconds, a screen must follow",
    ),
    number(
        "feed.gather_ms",
        "20",
        (1, 1000),
        "changes of a ward that follow within this are read together",
    ),
    number(
        "feed.full_check_seconds",
        "30",
        (1, 3600),
        "a watched ward is read this often in any case: heals a lost notification",
    ),
    number(
        "feed.heartbeat_seconds",
        "5",
        (1, 600),
        "PostgreSQL: a listener that hears nothing makes sure it still could",
    ),
    number(
        "feed.orders",
        "2000",
        (10, 100_000),
        "orders on a screen: ten times a busy ward",
    ),
    number(
        "feed.stock",
        "4000",
        (10, 100_000),
        "drugs on a screen: a whole formulary",
    ),
    number(
        "feed.log",
        "200",
        (10, 10_000),
        "lines of the log on a screen: a day of a ward",
    ),
    number(
        "lock.idle_minutes",
        "5",
        (0, 720),
        "without a key for so long the screen is locked: whoever comes next is somebody else; 0: never",
    ),
    number(
        "lock.sign_out_minutes",
        "60",
        (0, 1440),
        "without a key for so long a session ends, and what was not signed with it; 0: never",
    ),
    number(
        "scanner.gap_ms",
        "30",
        (0, 200),
        "characters that follow each other faster are a scan, never commands: nobody types like that; 0: speed says nothing",
    ),
    Setting {
        key: "scanner.prefix",
        default: "",
        kind: Kind::Text,
        why: "what every code of the scanners here begins with, where they are set so; it is taken off",
    },
    number(
        "emergency.minutes",
        "60",
        (5, 720),
        "emergency access to a ward that is not one's own lasts this long: until somebody of that ward has come",
    ),
    number(
        "sign_in.delay_seconds",
        "1",
        (0, 60),
        "after a failed sign-in; doubles with each, so that a PIN cannot be tried out",
    ),
    number(
        "sign_in.longest_delay_seconds",
        "60",
        (0, 3600),
        "… up to this: a nurse who mistyped is not locked out",
    ),
    of_kind(
        "server.listen",
        "127.0.0.1:2222",
        Kind::Address,
        "where 'valmed serve' takes SSH connections: from this machine alone until somebody decides otherwise",
    ),
    of_kind(
        "server.host_key",
        "",
        Kind::Text,
        "file of the server's own key, made at the first start; empty: host_key in the user's data folder",
    ),
    number(
        "server.pool_kept",
        "20",
        (1, 500),
        "connections to the database that a server keeps",
    ),
    number(
        "server.pool_burst",
        "10",
        (0, 500),
        "connections beyond those, while they are needed",
    ),
    number(
        "server.connections",
        "2000",
        (1, 100_000),
        "SSH connections in all: an idle one takes about 100 KB",
    ),
    number(
        "server.per_address",
        "1000",
        (1, 100_000),
        "of those from one address: a whole building may share one",
    ),
    number(
        "server.handshakes",
        "200",
        (1, 100_000),
        "connections on which nobody is signed in yet: a flood of them takes no other place",
    ),
    number(
        "server.handshakes_per_address",
        "50",
        (1, 100_000),
        "of those from one address: a change of shifts behind one address",
    ),
    number(
        "server.banner_seconds",
        "10",
        (1, 120),
        "a client that has not greeted by then is cut",
    ),
    number(
        "server.sign_in_seconds",
        "60",
        (5, 600),
        "somebody who has not signed in by then is cut",
    ),
    number(
        "server.stop_seconds",
        "10",
        (1, 300),
        "when the server stops, what is signed and on its way is waited for so long",
    ),
    of_kind(
        "server.authorities",
        "",
        Kind::Text,
        "file with public keys, one a line: certificates that they signed let people in; empty: none do",
    ),
    of_kind(
        "server.revoked",
        "",
        Kind::Text,
        "file with what is not trusted any more: SHA256:FINGERPRINT, serial:NUMBER or id:NAME a line; empty: nothing",
    ),
    of_kind(
        "server.control",
        "",
        Kind::Text,
        "Unix socket over which 'valmed sessions' asks the server; empty: control.sock in the user's data folder",
    ),
    of_kind(
        "server.status",
        "",
        Kind::Loopback,
        "address and port on this machine for /metrics (Prometheus) and /health; empty: none",
    ),
    of_kind(
        "server.attach",
        "",
        Kind::Text,
        "Unix socket over which people of this machine join ('valmed attach'), such as /run/valmed/attach.sock; empty: \
         nobody does",
    ),
    of_kind(
        "server.attach_people",
        "",
        Kind::Text,
        "file with whose account a system user's is: the user's number and the account, a line each; others type their PIN",
    ),
    truth(
        "server.commands",
        "false",
        "whether people may run commands over SSH, such as 'valmed orders', in their own name",
    ),
];
