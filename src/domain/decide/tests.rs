//! Each rule told once, and random days on a small ward: whatever people ask for, what is always true stays true.

use std::collections::HashSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::domain::ledger::GENESIS;
use crate::domain::quantity::LARGEST;
use crate::domain::{Giving, Role, Wards};

const HERE: WardId = WardId(1);
const THERE: WardId = WardId(2);
const TABLETS: DrugId = DrugId(1);
const DROPS: DrugId = DrugId(2);
const NOT_STOCKED: DrugId = DrugId(3);

const NURSE: UserId = UserId(1);
const DOCTOR: UserId = UserId(2);
const PHARMACIST: UserId = UserId(3);
const SUPERVISOR: UserId = UserId(4);
const ADMIN: UserId = UserId(5);
const FOREIGN_NURSE: UserId = UserId(6);
const DISABLED: UserId = UserId(7);
const NOBODY: UserId = UserId(8);
const PEOPLE: [UserId; 8] = [
    NURSE,
    DOCTOR,
    PHARMACIST,
    SUPERVISOR,
    ADMIN,
    FOREIGN_NURSE,
    DISABLED,
    NOBODY,
];

fn start() -> Timestamp {
    Timestamp::from_second(1_780_000_000).unwrap()
}

fn actor(id: UserId, role: Role, wards: Wards, disabled: bool) -> (UserId, Actor) {
    let actor = Actor {
        id,
        username: format!("user{id}"),
        name: format!("{role} {id}"),
        role,
        wards,
        disabled,
        read_only: false,
        secret: true,
        emergencies: Default::default(),
    };
    (id, actor)
}

/// Two wards, two drugs in each, a person of every kind.
fn ward() -> Loaded {
    let here = || Wards::Only([HERE].into());
    let stock = |units| Stock {
        current: Quantity::units(units),
        seq: 0,
        hash: GENESIS,
        lots: Vec::new(),
    };
    let drug = |title: &str, unit: &str| DrugName {
        title: title.to_owned(),
        unit: unit.to_owned(),
        ..DrugName::default()
    };
    Loaded {
        actors: [
            actor(NURSE, Role::Nurse, here(), false),
            actor(DOCTOR, Role::Doctor, here(), false),
            actor(PHARMACIST, Role::Pharmacist, Wards::Every, false),
            actor(SUPERVISOR, Role::Supervisor, Wards::Every, false),
            actor(ADMIN, Role::Admin, Wards::Every, false),
            actor(
                FOREIGN_NURSE,
                Role::Nurse,
                Wards::Only([THERE].into()),
                false,
            ),
            actor(DISABLED, Role::Nurse, Wards::Every, true),
        ]
        .into(),
        orders: HashMap::new(),
        stock: [
            ((HERE, TABLETS), stock(5)),
            ((HERE, DROPS), stock(3)),
            ((THERE, TABLETS), stock(5)),
            ((THERE, DROPS), stock(0)),
        ]
        .into(),
        wards: [(HERE, "Here".to_owned()), (THERE, "There".to_owned())].into(),
        drugs: [
            (TABLETS, drug("Tablets", "tab")),
            (DROPS, drug("Drops", "mL")),
            (NOT_STOCKED, drug("Rare", "tab")),
        ]
        .into(),
        patients: [("M2".to_owned(), "Berta".to_owned())].into(),
        ..Loaded::default()
    }
}

fn order(n: u128, kind: OrderKind) -> Order {
    Order {
        id: OrderId(Uuid::from_u128(n)),
        version: 1,
        status: OrderStatus::Active,
        kind,
        ward: HERE,
        ward_name: "Here".to_owned(),
        drug: TABLETS,
        drug_name: DrugName {
            title: "Tablets".to_owned(),
            unit: "tab".to_owned(),
            ..DrugName::default()
        },
        patient: PatientId(Uuid::from_u128(1)),
        mrn: "M1".to_owned(),
        dosage: Quantity::units(1),
        dosage_max: None,
        priority: Priority::Routine,
        doctor: DOCTOR,
        prescription: PrescriptionId(Uuid::from_u128(n)),
        prescription_active: true,
        due_at: (kind == OrderKind::Timed).then(start),
        held_until: None,
        start_at: start() - SignedDuration::from_hours(48),
        stop_at: None,
        limits: Limits::default(),
        given: Vec::new(),
        changed_by: None,
        changed_at: start(),
        change: "made from the prescription".to_owned(),
    }
}

fn with(orders: impl IntoIterator<Item = Order>) -> Loaded {
    let mut state = ward();
    state.orders = orders.into_iter().map(|order| (order.id, order)).collect();
    state
}

fn asked(n: u128, actor: UserId, request: Request) -> Operation {
    let id = OpId(Uuid::from_u128(0xF000 + n));
    Operation::new(id, actor, request)
}

fn give(order: &Order) -> Operation {
    let giving = Giving::of(order.id, order.version, order.mrn.clone());
    asked(1, NURSE, Request::Fulfil(giving))
}

fn at(now: Timestamp) -> Moment<'static> {
    Moment {
        now,
        key: &Uuid::now_v7,
    }
}

/// Keys from a number upwards: the same input gives the same keys.
fn keys(from: u128) -> impl Fn() -> Uuid {
    let next = std::cell::Cell::new(from);
    move || Uuid::from_u128(next.replace(next.get() + 1))
}

fn rule() -> Policy {
    Policy::easy()
}

/// What is refused, and that refusing it changed nothing.
fn refused(state: &Loaded, op: &Operation, now: Timestamp) -> Refusal {
    let mut after = state.clone();
    let refusal = decide(&mut after, op, &rule(), at(now)).unwrap_err();
    assert_same(state, &after);
    refusal
}

fn assert_same(before: &Loaded, after: &Loaded) {
    assert_eq!(before.actors, after.actors);
    assert_eq!(before.orders, after.orders);
    assert_eq!(before.stock, after.stock);
    assert_eq!(before.wards, after.wards);
    assert_eq!(before.drugs, after.drugs);
    assert_eq!(before.patients, after.patients);
}

#[test]
fn a_dose_moves_stock_order_administration_and_register_together() {
    let dose = order(1, OrderKind::Timed);
    let mut state = with([dose.clone()]);
    let key = keys(0xA000);
    let moment = Moment {
        now: start(),
        key: &key,
    };
    let (receipt, effects) = decide(&mut state, &give(&dose), &rule(), moment).unwrap();
    let administration = AdministrationId(Uuid::from_u128(0xA000));
    assert!(matches!(receipt, Receipt::Given { left, .. } if left == Quantity::units(4)));
    let [entry] = &effects.ledger[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(entry.row.delta, Quantity::units(-1));
    assert_eq!(
        entry.row.reference,
        dose_reference(administration, dose.id, dose.patient)
    );
    assert_eq!(effects.administrations[0].id, administration);
    assert_eq!(effects.administrations[0].order_version, 1);
    assert_eq!(effects.closed[0].status, OrderStatus::Completed);
    assert!(effects.opened.is_empty() && effects.ended.is_empty());
    let after = &state.orders[&dose.id];
    assert_eq!((after.status, after.version), (OrderStatus::Completed, 2));
}

#[test]
fn a_witness_is_a_second_person_who_may_and_stands_in_both_records() {
    let dose = order(1, OrderKind::Timed);
    let state = with([dose.clone()]);
    let seen = |by| Operation {
        witness: Some(by),
        ..give(&dose)
    };
    for (by, why) in [
        (NURSE, "it must be a second person"),
        (
            ADMIN,
            "that is for a nurse, pharmacist, doctor or supervisor",
        ),
        (FOREIGN_NURSE, "Here is not one of their wards"),
        (DISABLED, "the account is disabled"),
        (NOBODY, "there is no such account"),
    ] {
        let refusal = refused(&state, &seen(by), start());
        assert_eq!(refusal.code(), "WITNESS_NOT_VALID");
        assert!(refusal.to_string().contains(why), "{refusal}");
    }
    for by in [PHARMACIST, DOCTOR, SUPERVISOR] {
        let mut state = state.clone();
        let (_, effects) = decide(&mut state, &seen(by), &rule(), at(start())).unwrap();
        assert_eq!(effects.ledger[0].row.witness, Some(by));
        assert_eq!(effects.administrations[0].witness, Some(by));
    }
}

#[test]
fn what_the_hospital_wants_seen_needs_a_witness() {
    for (controlled, high_alert) in [(true, false), (false, true), (true, true), (false, false)] {
        let mut dose = order(1, OrderKind::Timed);
        dose.drug_name.controlled = controlled;
        dose.drug_name.high_alert = high_alert;
        for (for_controlled, for_alert) in
            [(true, true), (true, false), (false, true), (false, false)]
        {
            let policy = Policy {
                witness_controlled: for_controlled,
                witness_high_alert: for_alert,
                ..rule()
            };
            let needs = (controlled && for_controlled) || (high_alert && for_alert);
            let mut state = with([dose.clone()]);
            let before = state.clone();
            let alone = decide(&mut state, &give(&dose), &policy, at(start()));
            assert_eq!(alone.is_err(), needs);
            if let Err(refusal) = alone {
                assert_eq!(refusal.code(), "WITNESS_REQUIRED");
                assert_same(&before, &state);
                let seen = Operation {
                    witness: Some(SUPERVISOR),
                    ..give(&dose)
                };
                decide(&mut state, &seen, &policy, at(start())).unwrap();
            }
        }
    }
}

#[test]
fn permission_is_asked_before_anything_is_told_about_an_order() {
    let mut done = order(1, OrderKind::Timed);
    done.status = OrderStatus::Completed;
    let state = with([done.clone()]);
    for who in [
        DOCTOR,
        SUPERVISOR,
        ADMIN,
        PHARMACIST,
        FOREIGN_NURSE,
        DISABLED,
        NOBODY,
    ] {
        let op = Operation {
            actor: who,
            ..give(&done)
        };
        let code = refused(&state, &op, start()).code();
        assert_eq!(code, "INSUFFICIENT_PERMISSIONS", "{who}");
    }
    assert_eq!(
        refused(&state, &give(&done), start()).code(),
        "ORDER_ALREADY_COMPLETED"
    );
}

#[test]
fn a_dose_that_was_given_meanwhile_is_told_as_given_and_not_as_changed() {
    let mut dose = order(1, OrderKind::Timed);
    let seen = give(&dose);
    dose.status = OrderStatus::Completed;
    dose.version = 2;
    dose.changed_by = Some("Nils".to_owned());
    dose.change = "given".to_owned();
    let refusal = refused(&with([dose]), &seen, start());
    let by = "Nils".to_owned();
    let what = "given".to_owned();
    assert_eq!(
        refusal,
        Refusal::OrderAlreadyCompleted {
            what,
            by,
            at: start()
        }
    );
}

#[test]
fn what_was_seen_is_what_is_signed() {
    let mut dose = order(1, OrderKind::Timed);
    let seen = give(&dose);
    dose.version = 2;
    dose.change = "the dose is 2 tab".to_owned();
    dose.changed_by = Some("Dora".to_owned());
    let expected = Refusal::Stale {
        change: "the dose is 2 tab".to_owned(),
        by: Some("Dora".to_owned()),
        at: start(),
    };
    assert_eq!(refused(&with([dose]), &seen, start()), expected);
}

#[test]
fn a_wrong_wristband_comes_before_amounts_limits_and_stock() {
    let mut dose = order(1, OrderKind::Prn);
    dose.dosage_max = Some(Quantity::units(2));
    dose.limits.max_per_day = Some(1);
    dose.given = vec![start()];
    dose.drug = NOT_STOCKED;
    let mut op = give(&dose);
    if let Request::Fulfil(Giving { identified, .. }) = &mut op.request {
        *identified = "M2".to_owned();
    }
    let refusal = refused(&with([dose]), &op, start());
    assert_eq!(
        refusal.to_string(),
        "M2 is not this patient's number: it belongs to Berta."
    );
}

#[test]
fn the_last_unit_can_be_given_and_no_more() {
    let mut dose = order(1, OrderKind::Timed);
    dose.dosage = Quantity::units(5);
    let mut more = order(2, OrderKind::Timed);
    more.dosage = Quantity(1);
    let mut state = with([dose.clone(), more.clone()]);
    decide(&mut state, &give(&dose), &rule(), at(start())).unwrap();
    assert_eq!(state.stock[&(HERE, TABLETS)].current, Quantity::ZERO);
    let refusal = refused(&state, &give(&more), start());
    assert_eq!(
        refusal.to_string(),
        "Here holds 0 tab of Tablets; this needs 0.001."
    );
}

#[test]
fn stock_never_goes_beyond_what_can_be_counted() {
    let receive = |quantity| {
        let request = Request::Receive {
            ward: HERE,
            drug: TABLETS,
            quantity,
            reference: String::new(),
            lot: None,
        };
        asked(1, PHARMACIST, request)
    };
    let room = Quantity(LARGEST.0 - Quantity::units(5).0);
    let mut state = ward();
    let too_much = receive(Quantity(room.0 + 1));
    assert_eq!(
        refused(&state, &too_much, start()).code(),
        "INVALID_STOCK_QUANTITY"
    );
    decide(&mut state, &receive(room), &rule(), at(start())).unwrap();
    assert_eq!(state.stock[&(HERE, TABLETS)].current, LARGEST);
    assert_eq!(
        refused(&state, &receive(Quantity(1)), start()).code(),
        "INVALID_STOCK_QUANTITY"
    );
}

#[test]
fn control_characters_are_neither_a_reason_nor_a_reference() {
    let dose = order(1, OrderKind::Timed);
    let state = with([dose.clone()]);
    for text in ["a\0b", "a\nb", "a\u{1b}[2J"] {
        let stop = Request::Discontinue {
            order: dose.id,
            version: 1,
            reason: text.to_owned(),
        };
        let delivery = Request::Receive {
            ward: HERE,
            drug: TABLETS,
            quantity: Quantity::units(1),
            reference: text.to_owned(),
            lot: None,
        };
        for (who, request) in [(DOCTOR, stop), (PHARMACIST, delivery)] {
            let refusal = refused(&state, &asked(1, who, request), start());
            assert_eq!(refusal.code(), "INVALID_DATA");
        }
    }
}

#[test]
fn limits_tell_the_moment_from_which_a_dose_may_be_given() {
    let ago = |minutes| start() - SignedDuration::from_mins(minutes);
    let limits = Limits {
        min_interval: Some(60),
        max_per_day: Some(3),
        max_total: None,
    };
    let ask = |given: &[Timestamp]| not_before(&limits, given, start()).map(|(at, _)| at);
    assert_eq!(ask(&[]), None);
    assert_eq!(ask(&[ago(60)]), None);
    let in_30 = start() + SignedDuration::from_mins(30);
    assert_eq!(ask(&[ago(30)]), Some(in_30));
    // The third last left the day exactly now.
    assert_eq!(ask(&[ago(60), ago(120), ago(1440)]), None);
    let in_1 = start() + SignedDuration::from_mins(1);
    assert_eq!(ask(&[ago(60), ago(120), ago(1439)]), Some(in_1));
    // The later of two limits counts.
    assert_eq!(ask(&[ago(30), ago(120), ago(1439)]), Some(in_30));
}

/// One thing somebody asks for, with everything that may be wrong about it.
#[derive(Debug, Clone)]
struct Wish {
    /// `None`: somebody who may.
    who: Option<Index>,
    after: i64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Give {
        order: Index,
        stale: bool,
        wrong_patient: bool,
        amount: Option<i64>,
    },
    Stop {
        order: Index,
        stale: bool,
        reason: bool,
    },
    Receive {
        ward: i64,
        drug: i64,
        quantity: i64,
    },
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.05)
}

fn wishes() -> impl Strategy<Value = Wish> {
    let amount = prop_oneof![
        4 => Just(None),
        2 => (0_i64..2500).prop_map(Some),
        1 => prop_oneof![Just(500), Just(1000), Just(2000), Just(i64::MAX), Just(i64::MIN)].prop_map(Some),
    ];
    let give = (any::<Index>(), rarely(), rarely(), amount).prop_map(
        |(order, stale, wrong_patient, amount)| What::Give {
            order,
            stale,
            wrong_patient,
            amount,
        },
    );
    let stop =
        (any::<Index>(), rarely(), prop::bool::weighted(0.9)).prop_map(|(order, stale, reason)| {
            What::Stop {
                order,
                stale,
                reason,
            }
        });
    let quantity = prop_oneof![
        6 => 1_i64..4000,
        1 => prop_oneof![Just(0), Just(-1), Just(i64::MIN), Just(i64::MAX), Just(LARGEST.0)],
    ];
    let receive = (1_i64..4, 1_i64..5, quantity).prop_map(|(ward, drug, quantity)| What::Receive {
        ward,
        drug,
        quantity,
    });
    let what = prop_oneof![8 => give, 1 => stop, 2 => receive];
    (
        prop::option::weighted(0.2, any::<Index>()),
        0_i64..240,
        what,
    )
        .prop_map(|(who, after, what)| Wish { who, after, what })
}

fn any_order(n: u128) -> impl Strategy<Value = Order> {
    let kind = prop_oneof![
        3 => Just(OrderKind::Timed),
        3 => Just(OrderKind::Prn),
        1 => Just(OrderKind::Unscheduled),
    ];
    let limits = (
        prop::option::of(30_u32..600),
        prop::option::of(1_u32..5),
        prop::option::of(1_u32..6),
    );
    let place = (prop::bool::weighted(0.8), 1_i64..4, 1_i64..2000);
    (
        kind,
        limits,
        place,
        prop::option::of(0_i64..2000),
        prop::option::of(0_i64..3000),
    )
        .prop_map(
            move |(
                kind,
                (min_interval, max_per_day, max_total),
                (here, drug, dose),
                most,
                stop,
            )| {
                let mut order = order(n, kind);
                if !here {
                    order.ward = THERE;
                    order.ward_name = "There".to_owned();
                }
                order.drug = DrugId(drug);
                order.dosage = Quantity(dose);
                order.dosage_max = most.map(|more| Quantity(dose + more));
                order.stop_at = stop.map(|minutes| start() + SignedDuration::from_mins(minutes));
                if kind == OrderKind::Prn {
                    order.limits = Limits {
                        min_interval,
                        max_per_day,
                        max_total,
                    };
                }
                order
            },
        )
}

/// What was done so far, told apart from the state.
#[derive(Default)]
struct History {
    effects: Effects,
    completed: HashSet<OrderId>,
    given: HashMap<PrescriptionId, Vec<Timestamp>>,
}

fn somebody_who_may(what: &What) -> UserId {
    match what {
        What::Give { .. } => NURSE,
        What::Stop { .. } => DOCTOR,
        What::Receive { .. } => PHARMACIST,
    }
}

fn operation_of(wish: &Wish, n: u128, state: &Loaded, orders: &[OrderId]) -> Operation {
    let version = |id: &OrderId, stale: bool| state.orders[id].version - i64::from(stale);
    let request = match &wish.what {
        What::Give {
            order,
            stale,
            wrong_patient,
            amount,
        } => {
            let id = order.get(orders);
            let number = if *wrong_patient { "M2" } else { "M1" };
            Request::Fulfil(Giving {
                // Ranges get the least of them where nothing else was chosen.
                amount: amount.map(Quantity).or_else(|| {
                    let order = &state.orders[id];
                    order.dosage_max.map(|_| order.dosage)
                }),
                ..Giving::of(*id, version(id, *stale), number)
            })
        }
        What::Stop {
            order,
            stale,
            reason,
        } => {
            let id = order.get(orders);
            Request::Discontinue {
                order: *id,
                version: version(id, *stale),
                reason: if *reason { "because" } else { " " }.to_owned(),
            }
        }
        What::Receive {
            ward,
            drug,
            quantity,
        } => Request::Receive {
            ward: WardId(*ward),
            drug: DrugId(*drug),
            quantity: Quantity(*quantity),
            reference: "note".to_owned(),
            lot: None,
        },
    };
    let who = wish
        .who
        .map_or(somebody_who_may(&wish.what), |who| *who.get(&PEOPLE));
    asked(n, who, request)
}

/// The person, the ward and the moment allowed it.
fn was_allowed(before: &Loaded, op: &Operation, ward: WardId) {
    let actor = &before.actors[&op.actor];
    assert!(!actor.disabled && actor.wards.allow(ward), "{op:?}");
    assert!(may(actor.role, op.request.kind()), "{op:?}");
}

fn effects_are_whole(before: &Loaded, after: &Loaded, op: &Operation, effects: &Effects) {
    match &op.request {
        Request::Fulfil(Giving { order, .. }) => {
            let (was, is) = (&before.orders[order], &after.orders[order]);
            was_allowed(before, op, was.ward);
            assert_eq!(was.status, OrderStatus::Active);
            assert_eq!(is.status, OrderStatus::Completed);
            assert_eq!(is.version, was.version + 1);
            let ([line], [dose], [closing]) = (
                &effects.ledger[..],
                &effects.administrations[..],
                &effects.closed[..],
            ) else {
                panic!("{effects:?}");
            };
            assert_eq!(line.row.delta, -dose.quantity);
            assert_eq!(
                line.row.reference,
                dose_reference(dose.id, was.id, was.patient)
            );
            assert_eq!((line.row.op, dose.op), (op.id, op.id));
            assert!(dose.quantity >= was.dosage, "{dose:?}");
            assert!(
                dose.quantity <= was.dosage_max.unwrap_or(was.dosage),
                "{dose:?}"
            );
            assert_eq!((closing.id, closing.version), (was.id, was.version));
            assert_eq!(dose.order_version, was.version);
            let goes_on = was
                .limits
                .max_total
                .is_none_or(|most| was.given.len() + 1 < most as usize);
            let opens = was.kind != OrderKind::Timed && goes_on;
            assert_eq!(effects.opened.len(), usize::from(opens), "{was:?}");
            assert!(effects.ended.is_empty());
        }
        Request::Discontinue { order, .. } => {
            let was = &before.orders[order];
            was_allowed(before, op, was.ward);
            assert_eq!(after.orders[order].status, OrderStatus::Discontinued);
            assert_eq!(effects.closed.len(), 1);
            assert!(effects.ledger.is_empty() && effects.administrations.is_empty());
            assert!(effects.opened.is_empty());
            let ends = was.kind != OrderKind::Timed;
            assert_eq!(effects.ended.len(), usize::from(ends));
        }
        Request::Emergency { ward, .. } => {
            let (actor, now) = (&before.actors[&op.actor], &after.actors[&op.actor]);
            assert!(!actor.disabled && !actor.wards.allow(*ward), "{op:?}");
            assert!(may(actor.role, op.request.kind()), "{op:?}");
            let [access] = &effects.emergencies[..] else {
                panic!("{effects:?}");
            };
            let lasting = now.emergencies.get(ward).unwrap();
            assert_eq!((lasting.id, lasting.until), (access.id, access.until));
        }
        Request::EndEmergency { access } => {
            let [end] = &effects.emergency_ends[..] else {
                panic!("{effects:?}");
            };
            assert_eq!(end.id, *access);
            assert_eq!(after.emergencies[access].until, end.at);
        }
        Request::Receive {
            ward,
            drug,
            quantity,
            ..
        } => {
            was_allowed(before, op, *ward);
            assert!(quantity.is_positive());
            let [line] = &effects.ledger[..] else {
                panic!("{effects:?}");
            };
            assert_eq!((line.row.ward, line.row.drug), (*ward, *drug));
            assert_eq!(line.row.delta, *quantity);
            assert!(effects.closed.is_empty() && effects.administrations.is_empty());
        }
        other => panic!("no wish asks for {other:?}"),
    }
}

/// Rule 1 and the chain, from everything written since the beginning.
fn register_adds_up(first: &Loaded, state: &Loaded, history: &History) {
    let mut heads = first.stock.clone();
    for entry in &history.effects.ledger {
        let head = heads
            .entry((entry.row.ward, entry.row.drug))
            .or_insert(Stock::BLANK);
        assert_eq!(entry.row.seq, head.seq + 1);
        assert_eq!(entry.prev_hash, head.hash);
        assert_eq!(entry.hash, entry.row.hash(&head.hash));
        assert_eq!(entry.row.balance, head.current + entry.row.delta);
        assert!(entry.row.balance >= Quantity::ZERO);
        *head = Stock {
            current: entry.row.balance,
            seq: entry.row.seq,
            hash: entry.hash,
            lots: Vec::new(),
        };
    }
    assert_eq!(heads, state.stock);
}

/// Rule 2, and that an as-needed prescription has at most one open order.
fn orders_are_accounted_for(state: &Loaded, history: &History) {
    let mut open = HashSet::new();
    for order in state.orders.values() {
        let doses = history
            .effects
            .administrations
            .iter()
            .filter(|dose| dose.order == order.id)
            .count();
        let completed = order.status == OrderStatus::Completed;
        assert_eq!(doses, usize::from(completed), "{order:?}");
        if order.status == OrderStatus::Active && order.kind != OrderKind::Timed {
            assert!(
                open.insert(order.prescription),
                "two open orders: {order:?}"
            );
        }
    }
}

/// As-needed doses keep their limits, whatever way they came to be.
fn limits_are_kept(state: &Loaded, history: &History) {
    for order in state.orders.values() {
        let Some(given) = history.given.get(&order.prescription) else {
            continue;
        };
        let Limits {
            min_interval,
            max_per_day,
            max_total,
        } = order.limits;
        if let Some(minutes) = min_interval {
            let apart = SignedDuration::from_mins(minutes.into());
            assert!(
                given
                    .windows(2)
                    .all(|two| two[1].duration_since(two[0]) >= apart)
            );
        }
        if let Some(most) = max_per_day {
            let day = SignedDuration::from_hours(24);
            let too_many = given.windows(most as usize + 1);
            assert!(
                too_many
                    .into_iter()
                    .all(|w| w[most as usize].duration_since(w[0]) >= day)
            );
        }
        assert!(max_total.is_none_or(|most| given.len() <= most as usize));
    }
}

fn a_day_on_the_ward(orders: Vec<Order>, wishes: Vec<Wish>) {
    let first = with(orders);
    let mut state = first.clone();
    let mut known: Vec<OrderId> = state.orders.keys().copied().collect();
    known.sort();
    let mut history = History::default();
    let mut now = start();
    for (n, wish) in (1_u128..).zip(wishes) {
        now += SignedDuration::from_mins(wish.after);
        let op = operation_of(&wish, n, &state, &known);
        let before = state.clone();
        let key = keys(0xA0000 + 16 * n);
        let moment = Moment { now, key: &key };
        match decide(&mut state, &op, &rule(), moment) {
            Err(_) => assert_same(&before, &state),
            Ok((_, effects)) => {
                effects_are_whole(&before, &state, &op, &effects);
                known.extend(effects.opened.iter().map(|opening| opening.id));
                for dose in &effects.administrations {
                    assert!(
                        history.completed.insert(dose.order),
                        "given twice: {dose:?}"
                    );
                    let order = &state.orders[&dose.order];
                    if order.kind != OrderKind::Timed {
                        assert!(order.stop_at.is_none_or(|stop| now < stop));
                        history
                            .given
                            .entry(order.prescription)
                            .or_default()
                            .push(now);
                    }
                }
                history.effects.extend(effects);
            }
        }
    }
    register_adds_up(&first, &state, &history);
    orders_are_accounted_for(&state, &history);
    limits_are_kept(&state, &history);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn whatever_people_ask_for_the_rules_hold(
        orders in (any_order(1), any_order(2), any_order(3), any_order(4), any_order(5), any_order(6)),
        wishes in prop::collection::vec(wishes(), 1..60),
    ) {
        let (a, b, c, d, e, f) = orders;
        a_day_on_the_ward(vec![a, b, c, d, e, f], wishes);
    }

    #[test]
    fn the_same_input_gives_the_same_output(
        order in any_order(1),
        wishes in prop::collection::vec(wishes(), 1..10),
    ) {
        let (mut one, mut other) = (with([order.clone()]), with([order]));
        for (n, wish) in (1_u128..).zip(wishes) {
            let known = [OrderId(Uuid::from_u128(1))];
            let op = operation_of(&wish, n, &one, &known);
            let now = start() + SignedDuration::from_mins(wish.after);
            let told = |state: &mut Loaded| {
                let key = keys(0xA0000 + 16 * n);
                decide(state, &op, &rule(), Moment { now, key: &key })
            };
            prop_assert_eq!(told(&mut one), told(&mut other));
        }
        assert_same(&one, &other);
    }
}
