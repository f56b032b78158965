//! A ward of invented people for the tests, and screens as text.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier};
use uuid::Uuid;

use super::widgets::text::width;
use super::*;
use crate::domain::snapshot::*;
use crate::domain::*;

/// Night shift: 03:12 in Berlin.
pub const NOW: &str = "2026-11-23T02:12:00Z";
pub const WARD: WardId = WardId(7);

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn context(width: u16, height: u16) -> Context {
    Context {
        now: at(NOW),
        size: Size { width, height },
        fresh_op: OpId(Uuid::from_u128(0xabc)),
        due_window: SignedDuration::from_mins(60),
        stale_after: SignedDuration::from_secs(15),
        lock_after: None,
        ends_after: None,
        plain: false,
        place: Arc::default(),
        demo: false,
        policy: Arc::new(Policy::easy()),
        files: None,
    }
}

pub fn theme() -> Theme {
    Theme::new(Colours::Sixteen, Charset::Unicode)
}

pub fn ward() -> Ward {
    Ward {
        id: WARD,
        code: "MED3".into(),
        name: "General Medicine 3".into(),
        kind: WardKind::Ward,
        time_zone: "Europe/Berlin".into(),
    }
}

pub fn wards() -> Vec<Ward> {
    let other = |id, code: &str, name: &str, kind| Ward {
        id: WardId(id),
        code: code.into(),
        name: name.into(),
        kind,
        time_zone: "Europe/Berlin".into(),
    };
    vec![
        other(1, "PHARM", "Central pharmacy", WardKind::Pharmacy),
        ward(),
        other(8, "SURG1", "Surgery 1", WardKind::Ward),
        other(9, "KIDS", "Children", WardKind::Ward),
    ]
}

pub fn nurse() -> Actor {
    Actor {
        id: UserId(11),
        username: "g.lind".into(),
        name: "Greta Lindqvist".into(),
        role: Role::Nurse,
        wards: Wards::Only([WARD].into()),
        disabled: false,
        read_only: false,
        secret: true,
        emergencies: Default::default(),
    }
}

pub fn doctor() -> Actor {
    Actor {
        id: UserId(12),
        username: "o.brandt".into(),
        name: "Oskar Brandt".into(),
        role: Role::Doctor,
        wards: Wards::Every,
        disabled: false,
        read_only: false,
        secret: true,
        emergencies: Default::default(),
    }
}

pub fn pharmacist() -> Actor {
    Actor {
        id: UserId(13),
        username: "p.sato".into(),
        name: "Paula Sato".into(),
        role: Role::Pharmacist,
        wards: Wards::Every,
        disabled: false,
        read_only: false,
        secret: true,
        emergencies: Default::default(),
    }
}

pub fn patient(n: u128, bed: &str, name: &str, born: &str, allergies: &str) -> Arc<Patient> {
    Arc::new(Patient {
        id: PatientId(Uuid::from_u128(0x1000 + n)),
        mrn: format!("N{:07}", 4_204_000 + n),
        name: name.into(),
        birth_date: born.parse().unwrap(),
        bed: bed.into(),
        allergies: allergies.into(),
    })
}

pub fn drug(id: i64, name: &str, strength: &str, unit: &str) -> Drug {
    Drug {
        id: DrugId(id),
        code: format!("D{id:03}"),
        name: name.into(),
        form: unit.into(),
        strength: strength.into(),
        unit: unit.into(),
        controlled: false,
        high_alert: false,
    }
}

/// An order due so many minutes from now; `None`: as needed.
pub fn order(
    n: u128,
    patient: &Arc<Patient>,
    drug: &Arc<Drug>,
    dose: (&str, Option<&str>),
    route: &str,
    minutes: Option<i64>,
) -> QueuedOrder {
    QueuedOrder {
        id: OrderId(Uuid::from_u128(n)),
        version: 1,
        patient: Arc::clone(patient),
        drug: Arc::clone(drug),
        dose: Dose {
            least: dose.0.parse().unwrap(),
            most: dose.1.map(|most| most.parse().unwrap()),
            written: String::new(),
        },
        route: route.into(),
        frequency: "BID".into(),
        due_at: minutes.map(|m| at(NOW) + SignedDuration::from_mins(m)),
        held_until: None,
        kind: if minutes.is_some() {
            OrderKind::Timed
        } else {
            OrderKind::Prn
        },
        priority: Priority::Routine,
        prescriber: "Dr Brandt".into(),
        prescription: PrescriptionId(Uuid::from_u128(0x9000 + n)),
        prescription_version: 1,
    }
}

pub struct Fixture {
    pub snapshot: WardSnapshot,
}

/// A ward at night with something of everything.
pub fn fixture() -> Fixture {
    let anna = patient(1, "9", "Nyström, Annika", "1948-10-19", "Penicillin (rash)");
    let omar = patient(2, "12", "El-Sayed, Omar", "1961-02-03", "");
    let mei = patient(3, "12B", "林 美玲 (Lin, Mei-Ling)", "1990-07-30", "");
    let jo = patient(
        4,
        "3",
        "O'Connor, Josephine Margaret Anne",
        "2024-12-01",
        "",
    );
    let metoprolol = Arc::new(drug(1, "Metoprolol Tartrate", "25mg Tablet", "tab"));
    let insulin = Arc::new(Drug {
        high_alert: true,
        ..drug(2, "Insulin Aspart", "100 unit/mL Vial", "mL")
    });
    let morphine = Arc::new(Drug {
        controlled: true,
        high_alert: true,
        ..drug(3, "Morphine Sulfate", "2mg/mL Syringe", "syringe")
    });
    let paracetamol = Arc::new(drug(4, "Paracetamol", "500mg Tablet", "tab"));
    let aceta = Arc::new(drug(5, "AcetaZOLamide", "250mg Tablet", "tab"));
    let vanco = Arc::new(drug(6, "Vancomycin", "1000 mg / 200 mL Bag", "bag"));
    let norepi = Arc::new(drug(7, "NORepinephrine", "4mg/4mL Vial", "vial"));
    let furosemide = Arc::new(drug(8, "Furosemide", "40mg Tablet", "tab"));
    let mut stat = order(1, &omar, &furosemide, ("0.5", None), "PO", Some(-5));
    stat.priority = Priority::Stat;
    stat.frequency = "NOW X1".into();
    let mut titrate = order(9, &omar, &norepi, ("1", None), "IV DRIP", None);
    titrate.kind = OrderKind::Unscheduled;
    titrate.frequency = "TITRATE TO MAP".into();
    let mut written = order(10, &mei, &insulin, ("0.008", None), "SC", Some(300));
    written.dose.written = "0.0083".into();
    let mut prn = order(7, &anna, &morphine, ("1", None), "IV", None);
    prn.frequency = "Q4H:PRN".into();
    let orders = vec![
        order(2, &anna, &metoprolol, ("1", None), "PO", Some(-25)),
        order(3, &jo, &vanco, ("1", None), "IV", Some(-65)),
        stat,
        order(4, &omar, &aceta, ("1", Some("2")), "PO", Some(28)),
        order(5, &mei, &paracetamol, ("2", None), "PO", Some(48)),
        order(6, &anna, &metoprolol, ("1", None), "PO", Some(288)),
        written,
        prn,
        order(8, &mei, &paracetamol, ("1", Some("2")), "PO", None),
        titrate,
    ];
    let level = |drug: &Arc<Drug>, current: &str, threshold: &str, needed: &str| StockLevel {
        drug: Arc::clone(drug),
        current: current.parse().unwrap(),
        threshold: threshold.parse().unwrap(),
        needed: needed.parse().unwrap(),
        expires_on: None,
    };
    let stock = vec![
        level(&aceta, "12", "10", "2"),
        level(&furosemide, "0.5", "5", "0.5"),
        level(&insulin, "30", "10", "0.008"),
        level(&metoprolol, "42", "20", "2"),
        level(&morphine, "8", "5", "0"),
        level(&norepi, "3", "5", "0"),
        level(&paracetamol, "0", "20", "2"),
    ];
    let entry = |n: u128, ago: i64, p: &Arc<Patient>, d: &Arc<Drug>, q: &str, by: &str| LogEntry {
        id: AdministrationId(Uuid::from_u128(0x9000 + n)),
        at: at(NOW) - SignedDuration::from_mins(ago),
        recorded_at: at(NOW) - SignedDuration::from_mins(ago),
        patient: p.name.clone(),
        mrn: p.mrn.clone(),
        drug: Arc::clone(d),
        quantity: q.parse().unwrap(),
        outcome: GivingOutcome::Given,
        by: by.into(),
        witness: None,
        reason: String::new(),
        is_reversal: false,
        reversed: false,
    };
    let mut held = entry(4, 1500, &jo, &vanco, "0", "Björn Haddad");
    held.outcome = GivingOutcome::Held;
    let log = vec![
        entry(1, 7, &anna, &metoprolol, "1", "Greta Lindqvist"),
        entry(2, 62, &mei, &paracetamol, "2", "Greta Lindqvist"),
        entry(3, 365, &omar, &aceta, "1.5", "Björn Haddad"),
        held,
    ];
    Fixture {
        snapshot: WardSnapshot {
            ward: ward(),
            taken_at: at(NOW),
            orders,
            orders_cut: false,
            stock,
            log,
        },
    }
}

pub fn feed(snapshot: &WardSnapshot) -> Msg {
    Msg::Feed(FeedView {
        ward: snapshot.ward.id,
        snapshot: Some(Arc::new(snapshot.clone())),
        confirmed_at: Some(at(NOW)),
        trouble: None,
        warning: None,
    })
}

pub fn detail(order: &QueuedOrder) -> OrderDetail {
    OrderDetail {
        order: order.clone(),
        ward: WARD,
        stock: Some(Quantity::units(42)),
        givings: vec![LastGiven {
            at: at(NOW) - SignedDuration::from_mins(745),
            quantity: Quantity::units(1),
            by: "Björn Haddad".into(),
        }],
        recent: Vec::new(),
        later_given: None,
        prescription: PrescriptionId(Uuid::from_u128(1)),
        has_interval: false,
        start_at: at(NOW) - SignedDuration::from_hours(72),
        not_before: None,
        limits: String::new(),
        stop_at: None,
    }
}

pub fn reply_detail(order: &QueuedOrder) -> Msg {
    Msg::Reply(Reply::Detail {
        order: order.id,
        now: Ok(OrderNow::Open(Box::new(detail(order)))),
    })
}

/// A session under test: a model and what it asked for.
pub struct Session {
    pub model: Model,
    pub context: Context,
    pub effects: Vec<Effect>,
}

impl Session {
    pub fn start(start: Start, width: u16, height: u16) -> Session {
        let (model, effects) = Model::new(start);
        Session {
            model,
            context: context(width, height),
            effects,
        }
    }

    /// On the fixture's ward, as its nurse.
    pub fn desk(width: u16, height: u16) -> Session {
        Session::desk_of(&fixture().snapshot, width, height)
    }

    pub fn desk_of(snapshot: &WardSnapshot, width: u16, height: u16) -> Session {
        Session::desk_as(nurse(), snapshot, width, height)
    }

    pub fn desk_as(actor: Actor, snapshot: &WardSnapshot, width: u16, height: u16) -> Session {
        let signed_in = SignedIn {
            actor,
            wards: wards(),
        };
        let start = Start::Known {
            signed_in,
            ward: Some(WARD),
            then: None,
        };
        let mut session = Session::start(start, width, height);
        session.send(feed(snapshot));
        session.effects.clear();
        session
    }

    pub fn send(&mut self, msg: Msg) -> &mut Session {
        self.effects = update(&mut self.model, msg, &self.context);
        self
    }

    pub fn key(&mut self, code: Code) -> &mut Session {
        self.send(Msg::Key(Key::of(code)))
    }

    pub fn ctrl(&mut self, c: char) -> &mut Session {
        self.send(Msg::Key(Key::ctrl(c)))
    }

    /// Types; `\r` is Enter, as a scanner sends it.
    pub fn typed(&mut self, text: &str) -> &mut Session {
        for c in text.chars() {
            self.send(Msg::Key(Key::char(c)));
        }
        self
    }

    pub fn select(&mut self, n: u128) -> &mut Session {
        let super::model::Screen::Desk(desk) = &mut self.model.screen else {
            panic!("no desk")
        };
        desk.queue.list.select(OrderId(Uuid::from_u128(n)));
        self
    }

    /// Opens the sheet of the n-th order with its detail there.
    pub fn open(&mut self, n: u128) -> &mut Session {
        self.select(n).key(Code::Enter);
        let order = fixture()
            .snapshot
            .orders
            .into_iter()
            .find(|o| o.id == OrderId(Uuid::from_u128(n)))
            .unwrap();
        self.send(reply_detail(&order))
    }

    pub fn submitted(&self) -> Option<Operation> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Submit { operation, .. } => Some((**operation).clone()),
            _ => None,
        })
    }

    pub fn outcome(&mut self, outcome: Outcome) -> &mut Session {
        let op = self.submitted().expect("nothing was submitted").id;
        self.send(Msg::Reply(Reply::Outcome { op, outcome }))
    }

    pub fn screen(&self) -> String {
        self.screen_with(&theme())
    }

    pub fn screen_with(&self, theme: &Theme) -> String {
        let size = self.context.size;
        let area = Rect::new(0, 0, size.width, size.height);
        let mut buffer = Buffer::empty(area);
        let cursor = draw(&self.model, theme, &self.context, area, &mut buffer);
        let mut out = text(&buffer);
        out.push_str(&styles(&buffer));
        if let Some(cursor) = cursor {
            let _ = writeln!(out, "cursor {},{}", cursor.x, cursor.y);
        }
        out
    }

    /// Whether the screen says so, wherever its lines are broken.
    pub fn says(&self, words: &str) -> bool {
        let flat: Vec<String> = self
            .text()
            .split(['|', '\n', ' '])
            .map(str::to_owned)
            .collect();
        let flat: Vec<&str> = flat
            .iter()
            .map(String::as_str)
            .filter(|w| !w.is_empty())
            .collect();
        flat.join(" ").contains(words)
    }

    pub fn text(&self) -> String {
        let size = self.context.size;
        let area = Rect::new(0, 0, size.width, size.height);
        let mut buffer = Buffer::empty(area);
        draw(&self.model, &theme(), &self.context, area, &mut buffer);
        text(&buffer)
    }
}

/// The characters of a screen between bars, so that trailing spaces are seen.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        out.push('|');
        let mut skip = 0;
        for x in 0..buffer.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            out.push_str(symbol);
            skip = width(symbol).saturating_sub(1);
        }
        out.push_str("|\n");
    }
    out
}

/// Where the style is not the plain one: `row: from-to colour attributes`.
fn styles(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            let mut words = Vec::new();
            if cell.fg != Color::Reset {
                words.push(cell.fg.to_string());
            }
            if cell.bg != Color::Reset {
                words.push(format!("on {}", cell.bg));
            }
            if cell.modifier != Modifier::empty() {
                words.push(format!("{:?}", cell.modifier));
            }
            let style = words.join(" ");
            match runs.last_mut() {
                Some((_, to, last)) if *last == style && *to + 1 == x => *to = x,
                _ => runs.push((x, x, style)),
            }
        }
        let runs: Vec<String> = runs
            .iter()
            .filter(|(_, _, style)| !style.is_empty())
            .map(|(from, to, style)| format!("{from}-{to} {style}"))
            .collect();
        if !runs.is_empty() {
            let _ = writeln!(out, "{y}: {}", runs.join("; "));
        }
    }
    out
}
