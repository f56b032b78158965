//! Whatever is pressed, in whatever size: nothing panics, and nothing is signed that was not identified.

use proptest::prelude::*;

use super::*;
use crate::tui::model::OrderNow;
use ratatui::layout::Size;

#[derive(Debug, Clone)]
enum Step {
    Key(Key),
    Text(String),
    Size(u16, u16),
    Minutes(i64),
    Mouse(u16, u16, u8),
    /// A snapshot in which some orders are gone or changed.
    Ward(u64),
    Answer(u8),
}

fn key() -> impl Strategy<Value = Key> {
    let bound: Vec<Key> = keymap::BINDINGS
        .iter()
        .flat_map(|binding| binding.chords)
        .copied()
        .collect();
    prop_oneof![
        8 => proptest::sample::select(bound),
        1 => any::<char>().prop_map(Key::char),
        1 => any::<char>().prop_map(Key::ctrl),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => key().prop_map(Step::Key),
        3 => proptest::sample::select(vec!["N4204001\r", "N4204002\r", "N4204003\r", "1.5", "why"])
            .prop_map(|text| Step::Text(text.into())),
        1 => any::<String>().prop_map(Step::Text),
        2 => (0u16..200, 0u16..200).prop_map(|(w, h)| Step::Size(w, h)),
        1 => (0i64..3000).prop_map(Step::Minutes),
        1 => (0u16..200, 0u16..200, 0u8..3).prop_map(|(x, y, d)| Step::Mouse(x, y, d)),
        2 => any::<u64>().prop_map(Step::Ward),
        4 => (0u8..8).prop_map(Step::Answer),
    ]
}

/// Answers what was last asked for.
fn answer(s: &mut Session, asked: &[Effect], which: u8) {
    for effect in asked {
        let reply = match effect {
            Effect::LoadDetail(order) => {
                let found = fixture()
                    .snapshot
                    .orders
                    .into_iter()
                    .find(|o| o.id == *order);
                let now = match (which, found) {
                    (0, _) => Err("no answer".into()),
                    (1, _) | (_, None) => Ok(OrderNow::NotFound),
                    (2, _) => Ok(OrderNow::Ended {
                        status: OrderStatus::Completed,
                        by: None,
                        at: None,
                        reason: String::new(),
                    }),
                    (_, Some(order)) => Ok(OrderNow::Open(Box::new(detail(&order)))),
                };
                Reply::Detail { order: *order, now }
            }
            Effect::LookUpPatient { mrn, .. } => Reply::Patient {
                mrn: mrn.clone(),
                name: Ok((which > 3).then(|| "Somebody".into())),
            },
            Effect::Submit { operation, .. } => match which {
                0 => Reply::Checking(operation.id),
                1 => Reply::Outcome {
                    op: operation.id,
                    outcome: Outcome::Unknown { op: operation.id },
                },
                2..5 => Reply::Outcome {
                    op: operation.id,
                    outcome: Outcome::Refused(Refusal::Busy),
                },
                _ => Reply::Outcome {
                    op: operation.id,
                    outcome: Outcome::Done(Receipt::Discontinued {
                        order: OrderId(uuid::Uuid::nil()),
                        at: s.context.now,
                    }),
                },
            },
            Effect::LoadWards => Reply::Wards(Ok(wards())),
            _ => continue,
        };
        s.send(Msg::Reply(reply));
    }
}

fn take(s: &mut Session, step: Step) {
    match step {
        Step::Key(key) => {
            s.send(Msg::Key(key));
        }
        Step::Text(text) => {
            s.typed(&text);
        }
        Step::Size(width, height) => {
            s.context.size = Size { width, height };
            s.send(Msg::Tick);
        }
        Step::Minutes(minutes) => {
            s.context.now += jiff::SignedDuration::from_mins(minutes);
            s.send(Msg::Tick);
        }
        Step::Mouse(x, y, which) => {
            let did = match which {
                0 => MouseDid::Press,
                1 => MouseDid::WheelUp,
                _ => MouseDid::WheelDown,
            };
            s.send(Msg::Mouse(Mouse { x, y, did }));
        }
        Step::Ward(seed) => {
            let mut snapshot = fixture().snapshot;
            let mut n = 0;
            snapshot.orders.retain(|_| {
                n += 1;
                seed >> n & 1 == 0
            });
            for (at, order) in snapshot.orders.iter_mut().enumerate() {
                order.version += i64::from(seed >> (32 + at) & 1 == 1);
            }
            snapshot.stock.truncate((seed >> 16 & 7) as usize);
            s.send(feed(&snapshot));
        }
        Step::Answer(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_only_the_identified_is_signed(
        who in 0usize..3,
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let actor = [nurse, doctor, pharmacist][who]();
        let mut s = Session::desk_as(actor.clone(), &fixture().snapshot, 80, 24);
        let mut asked = Vec::new();
        for step in steps {
            let mode = s.model.mode();
            let key = match &step {
                Step::Key(key) => Some(key.normal()),
                _ => None,
            };
            match step {
                Step::Answer(which) => answer(&mut s, &std::mem::take(&mut asked), which),
                step => {
                    take(&mut s, step);
                    asked.extend(s.effects.clone());
                }
            }
            if let Some(operation) = s.submitted() {
                prop_assert!(matches!(key, Some(key) if key == Key::of(Code::F(2)) || key == Key::ctrl('g')));
                prop_assert!(matches!(mode, Mode::Ready | Mode::Amount | Mode::Reason | Mode::Form | Mode::Again | Mode::Unknown));
                prop_assert!(decide::may(actor.role, operation.request.kind()));
                if let Request::Fulfil(Giving { order, identified, .. }) = operation.request {
                    let orders = fixture().snapshot.orders;
                    let order = orders.iter().find(|o| o.id == order).unwrap();
                    prop_assert_eq!(&identified, &order.patient.mrn);
                }
            }
            s.screen();
            if s.effects.contains(&Effect::Quit) {
                break;
            }
        }
    }
}
