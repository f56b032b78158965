use jiff::civil::date;

use super::*;

/// A GTIN of the range that GS1 keeps for examples.
const GTIN: &str = "09520123456788";

fn package(text: &str) -> Package {
    match read(text) {
        Ok(Scan::Package(package)) => package,
        other => panic!("{text:?}: {other:?}"),
    }
}

fn refused(text: &str) -> Unreadable {
    match read(text) {
        Err(why) => why,
        Ok(scan) => panic!("{text:?}: {scan:?}"),
    }
}

fn full() -> Package {
    Package {
        gtin: Some(Gtin::read(GTIN).unwrap()),
        expiry: Some(Expiry(date(2027, 2, 28))),
        lot: Some("ABC1".to_owned()),
        serial: Some("12/x".to_owned()),
    }
}

#[test]
fn one_package_says_the_same_in_every_way_of_writing_it() {
    let element = format!("01{GTIN}1727020010ABC1\u{1d}2112/x");
    for text in [
        element.clone(),
        format!("\u{1d}{element}"),
        format!("]d2{element}\r\n"),
        format!("]C1{element}"),
        format!("]Q3{element}"),
        format!("^01{GTIN}2112/x^10ABC1^17270228"),
        format!("(01){GTIN}(17)270200(10)ABC1(21)12/x"),
        format!("https://id.gs1.org/01/{GTIN}/10/ABC1/21/12%2Fx?17=270228"),
        format!(
            "]Q1HTTPS://example.com/some/where/gtin/{GTIN}/lot/ABC1?17=270228&21=12/x&from=box"
        ),
    ] {
        assert_eq!(package(&text), full(), "{text}");
    }
}

#[test]
fn values_that_do_not_concern_a_ward_are_passed_over() {
    let text = format!("]d2240XY-1\u{1d}3103000195414952012345678801{GTIN}710123\u{1d}10L");
    let package = package(&text);
    assert_eq!(package.gtin.unwrap().as_str(), GTIN);
    assert_eq!(package.lot.as_deref(), Some("L"));
}

#[test]
fn a_wristband_is_no_package() {
    for text in ["10045123", "MRN-1", "0195201234567", "]A0123", "https"] {
        assert!(matches!(read(text), Ok(Scan::Plain(_))), "{text}");
    }
    assert_eq!(
        read("]d28018952012345678901233\u{1d}91X"),
        Ok(Scan::Person("952012345678901233".to_owned()))
    );
}

#[test]
fn bare_digits_are_a_product_only_where_one_is_expected() {
    assert_eq!(
        read("9520123456788"),
        Ok(Scan::Plain("9520123456788".to_owned()))
    );
    assert_eq!(product(" 9520123456788 ").unwrap().as_str(), GTIN);
    assert_eq!(
        package("]E09520123456788").gtin,
        Some(Gtin::read(GTIN).unwrap())
    );
    for digits in ["9520123456789", "952012345678", "12", "", "952012345678x"] {
        assert!(product(digits).is_err(), "{digits}");
    }
}

#[test]
fn what_says_it_is_gs1_and_is_not_is_refused_with_its_place() {
    assert_eq!(refused("]d2"), Unreadable::TooShort);
    assert_eq!(refused("^"), Unreadable::TooShort);
    assert_eq!(
        refused(&format!("]d201{GTIN}891")),
        Unreadable::NoIdentifier {
            at: "891".to_owned()
        }
    );
    for (text, ai, why) in [
        ("]d20109520123456789".to_owned(), "01", "last digit"),
        (format!("]d201{GTIN}17271301"), "17", "month"),
        (format!("]d201{GTIN}17270230"), "17", "day"),
        (format!("]d201{GTIN}10"), "10", "missing"),
        (
            format!("]d201{GTIN}10ABCDEFGHIJKLMNOPQRSTU"),
            "10",
            "too long",
        ),
        (format!("]d201{GTIN}1727"), "17", "too short"),
        (format!("]d201{GTIN}10A~B"), "10", "no such character"),
        (format!("]d201{GTIN}172702x1"), "17", "only digits"),
        (format!("(01){GTIN}(17)2702"), "17", "another length"),
        (
            format!("https://a/01/{GTIN}?17=2702"),
            "17",
            "another length",
        ),
    ] {
        match refused(&text) {
            Unreadable::Value {
                ai: found,
                why: told,
                ..
            } => {
                assert_eq!(found, ai, "{text}");
                assert!(told.contains(why), "{text}: {told}");
            }
            other => panic!("{text}: {other}"),
        }
    }
}

#[test]
fn a_link_says_each_thing_once_and_in_its_place() {
    for text in [
        "https://",
        "https://a",
        "https://a/b",
        "https://a/b/",
        "https://a/zzz/09520123456788",
        "https://a/01/09520123456788/21/1/10/L",
        "https://a/01/09520123456788/10/",
        "https://a/01/09520123456788<",
        "https://a/01/09520123456788?99=X&999=Y",
        "https://a/01/09520123456788/10/L?10=L",
        "https://a/01/0952012345678%",
    ] {
        refused(text);
    }
    assert_eq!(
        refused(&format!("]d201{GTIN}10A\u{1d}10B")),
        Unreadable::Twice {
            ai: "10".to_owned()
        }
    );
}

#[test]
fn the_day_zero_is_the_last_of_its_month() {
    let last = |digits| Expiry::read(digits).unwrap().0;
    assert_eq!(last("280200"), date(2028, 2, 29));
    assert_eq!(last("261200"), date(2026, 12, 31));
    assert_eq!(last("000229"), date(2000, 2, 29));
    for digits in [
        "270229", "26060", "2606011", "x60601", "260631", "261301", "260001",
    ] {
        assert!(Expiry::read(digits).is_err(), "{digits}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_scanned_ends_the_program(text in "(\\]..)?[ -~\u{1d}é]{0,60}") {
        let _ = read(&text);
    }

    #[test]
    fn a_lot_comes_back_as_it_was_printed(lot in "[A-Za-z0-9!\"%&'*+,./:;<=>?_-]{1,20}") {
        let text = format!("]d201{GTIN}10{lot}\u{1d}17270228");
        proptest::prop_assert_eq!(package(&text).lot, Some(lot));
    }
}
