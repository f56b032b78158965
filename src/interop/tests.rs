use proptest::prelude::*;

use super::*;

const HEADER: &str = "ward,drug,quantity,low_stock_threshold";

/// Each row as `line ward drug quantity`, each reject as its words.
fn stock(bytes: &[u8]) -> Vec<String> {
    let mut rows = open::<StockRow, _>(bytes).unwrap();
    let mut told = Vec::new();
    while let Some(next) = rows.next().unwrap() {
        told.push(match next {
            Ok(Entry { line, row, .. }) => {
                format!("{line} {} {} {}", row.ward, row.drug, row.quantity)
            }
            Err(reject) => reject.fault.to_string(),
        });
    }
    told
}

fn prescriptions(rows: &[&str]) -> (Vec<Entry<PrescriptionRow>>, Vec<String>) {
    let text = format!(
        "{}\n{}\n",
        PrescriptionRow::COLUMNS.join(","),
        rows.join("\n")
    );
    let mut rows = open::<PrescriptionRow, _>(text.as_bytes()).unwrap();
    let (mut taken, mut rejected) = (Vec::new(), Vec::new());
    while let Some(next) = rows.next().unwrap() {
        match next {
            Ok(entry) => taken.push(entry),
            Err(reject) => rejected.push(reject.fault.to_string()),
        }
    }
    (taken, rejected)
}

#[test]
fn lines_are_those_of_the_file() {
    let unix = format!("{HEADER}\nA,x,1,0\n\n  \nA,\"y\nz\",2,0\nA,bad,many,0\n");
    let expected = [
        "2 A x 1",
        "5 A y z 2",
        "stock.csv:7: quantity: 'many' is not a number",
    ];
    assert_eq!(stock(unix.as_bytes()), expected);
    assert_eq!(stock(unix.replace('\n', "\r\n").as_bytes()), expected);
    assert_eq!(stock(unix.replace('\n', "\r").as_bytes()), expected);
    assert_eq!(stock(format!("\u{FEFF}{unix}").as_bytes()), expected);
    assert_eq!(stock(unix.trim_end().as_bytes()), expected);
}

#[test]
fn columns_are_found_by_name() {
    let text = "note,low_stock_threshold,Quantity, drug ,ward\nhello,0,0.5,x,A\n";
    assert_eq!(stock(text.as_bytes()), ["2 A x 0.5"]);
    let error = |text: &str| {
        open::<StockRow, _>(text.as_bytes())
            .err()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        error("ward,drug,quantity\n"),
        "stock.csv:1: the column 'low_stock_threshold' is missing"
    );
    assert_eq!(
        error("\n\nward,drug\n"),
        "stock.csv:3: the column 'quantity' is missing"
    );
    assert_eq!(
        error(&format!("{HEADER},ward\n")),
        "stock.csv:1: the column 'ward' is named twice"
    );
    assert_eq!(
        error(" \n"),
        "stock.csv: is empty; the first line must name the columns"
    );
    let utf16 = [0xFF, 0xFE, b'w', 0, b'a', 0];
    let error = open::<StockRow, _>(&utf16[..]).err().unwrap();
    assert_eq!(
        error.to_string(),
        "stock.csv:1: the header is not UTF-8 text on one line"
    );
}

#[test]
fn a_bad_row_takes_no_good_one_with_it() {
    let mut bytes =
        format!("{HEADER}\nA,open,\"1,0\nA,a,1,0\nA,\"b,1,0\nA,\"c\",1,0\nA,5\" tube,1,0\n")
            .into_bytes();
    bytes.extend_from_slice(b"A,caf\xe9,1,0\nA,d,1\nA,a,2,0\n,e,1,0\n");
    bytes.extend_from_slice(format!("A,{},1,0\nA,f,1,0\n", "x".repeat(70_000)).as_bytes());
    bytes.extend_from_slice(format!("A,{},1,0\nA,g,1,0\nA,h,\"1,0", "x".repeat(65)).as_bytes());
    assert_eq!(
        stock(&bytes),
        [
            "stock.csv:2: has a quote that is not closed",
            "3 A a 1",
            "stock.csv:4: has a quote that is not closed",
            "5 A c 1",
            "6 A 5\" tube 1",
            "stock.csv:7: drug: is not UTF-8 text",
            "stock.csv:8: has 3 fields where the header names 4",
            "stock.csv:9: drug: 'A a' stands in line 3 already",
            "stock.csv:10: ward: is empty",
            "stock.csv:11: is longer than 65536 bytes",
            "12 A f 1",
            "stock.csv:13: drug: has 65 characters, more than 64",
            "14 A g 1",
            "stock.csv:15: has a quote that is not closed",
        ]
    );
}

#[test]
fn prescriptions_are_checked_column_by_column() {
    let good = "1,H1,A,x,0.5,,tab,PO,BID,08:00 20:00,0,2026-11-23T08:00:00,,routine,doc";
    let with = |from: &str, to: &str| good.replacen("1,H1", "2,H1", 1).replacen(from, to, 1);
    for (row, error) in [
        (with("0.5", "abc"), "dose: 'abc' is not a number"),
        (with("0.5", "-1"), "dose: '-1' is not a number"),
        (with("0.5", ""), "dose: is empty"),
        (
            with("0.5", "0.0004"),
            "dose: '0.0004' is less than a thousandth of a unit",
        ),
        (with("0.5,", "2,1"), "dose_max: '1' is less than the dose 2"),
        (
            with("08:00 20:00", "8"),
            "times: '8' is not a time of day (HH:MM)",
        ),
        (
            with("20:00,0", "20:00,yes"),
            "prn: 'yes' is neither 0 nor 1",
        ),
        (
            with("routine", "soon"),
            "priority: 'soon' is not one of: stat, routine",
        ),
        (
            with("2026-11-23T08:00:00", "2026-11-23T08:00:00Z"),
            "start: '2026-11-23T08:00:00Z' is not a local date and time (YYYY-MM-DDTHH:MM, no zone)",
        ),
        (
            with("2026-11-23T08:00:00", "2026-11-23T08:00+02"),
            "start: '2026-11-23T08:00+02' is not a local date and time (YYYY-MM-DDTHH:MM, no zone)",
        ),
        (
            with("2026-11-23T08:00:00", "2026-02-30T08:00"),
            "start: '2026-02-30T08:00' is not a local date and time (YYYY-MM-DDTHH:MM, no zone)",
        ),
        (
            with("2026-11-23T08:00:00", "0001-01-01T00:00"),
            "start: '0001-01-01T00:00' is out of range",
        ),
        (
            with("00,,routine", "00,2026-11-23 07:59,routine"),
            "stop: '2026-11-23 07:59' is before the start",
        ),
        (with("tab", ""), "unit: is empty"),
    ] {
        let (taken, rejected) = prescriptions(&[good, &row]);
        assert_eq!(taken.len(), 1);
        assert_eq!(rejected, [format!("prescriptions.csv:3: {error}")]);
    }
}

#[test]
fn fine_doses_are_counted_rounded_and_kept_as_written() {
    let (taken, rejected) = prescriptions(&[
        "1,H1,A,x,0.1667,,tab,PO,,,1,2026-11-23T08:00,,routine,doc",
        "2,H1,A,x,0.1667,0.5,tab,PO,,,1,2026-11-23T08:00,,routine,doc",
        "3,H1,A,x,1,1,tab,PO,,,1,2026-11-23T08:00,,routine,doc",
    ]);
    assert!(rejected.is_empty());
    let dose = |i: usize| {
        let row: &PrescriptionRow = &taken[i].row;
        (
            row.dose.0,
            row.dose_max.map(|most| most.0),
            row.dose_text.as_str(),
        )
    };
    assert_eq!(dose(0), (167, None, "0.1667"));
    assert_eq!(dose(1), (167, Some(500), "0.1667-0.5"));
    assert_eq!(dose(2), (1000, None, ""));
    let note = &taken[0].notes[0];
    assert!(note.reason.is_note());
    assert_eq!(
        note.to_string(),
        "prescriptions.csv:2: dose: '0.1667' is counted as 0.167"
    );
}

#[test]
fn rejects_open_safely_in_a_spreadsheet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rejects.csv");
    let text = format!("{HEADER}\n=1+1,@x,\"-2\n3\",0\n\x1b[31m,x,\"=cmd\",0\n");
    let mut rows = open::<StockRow, _>(text.as_bytes()).unwrap();
    let mut rejects = Rejects::at(&path);
    while let Some(next) = rows.next().unwrap() {
        rejects.write(&next.unwrap_err()).unwrap();
    }
    assert!(rejects.finish().unwrap());
    let written = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        written,
        "file,line,column,value,reason,record\n\
         stock.csv,2,quantity,'-2\u{FFFD}3,'-2 3' is not a number,\"'=1+1,@x,\"\"-2\u{FFFD}3\"\",0\"\n\
         stock.csv,4,quantity,'=cmd,'=cmd' is not a number,\"\u{FFFD}[31m,x,\"\"=cmd\"\",0\"\n"
    );
    // No reject, no file.
    let none = folder.path().join("none.csv");
    assert!(!Rejects::at(&none).finish().unwrap());
    assert!(!none.exists());
}

proptest! {
    /// Whatever stands in the file: it ends, no line is told twice, and every line is told or blank.
    #[test]
    fn no_file_breaks_the_reader(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just(b"A,x,1,0".to_vec()), Just(b"\n".to_vec()), Just(b"\r\n".to_vec()), Just(b"\"".to_vec()),
                Just(b",".to_vec()), Just(b"\xff".to_vec()), proptest::collection::vec(any::<u8>(), 0..5)
            ],
            0..60),
    ) {
        let mut bytes = format!("{HEADER}\n").into_bytes();
        bytes.extend(pieces.concat());
        let mut rows = open::<StockRow, _>(&bytes[..]).unwrap();
        let mut last = 1;
        while let Some(next) = rows.next().unwrap() {
            let line = match next {
                Ok(entry) => entry.line,
                Err(reject) => reject.fault.line,
            };
            prop_assert!(line > last);
            last = line;
        }
        prop_assert_eq!(rows.bytes_read(), bytes.len() as u64);
    }
}
