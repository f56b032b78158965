//! The six files, row by row.

use jiff::civil::{Date, DateTime, Time};

use super::fault::{Fault, Reason};
use super::fields::Fields;
use crate::domain::{Priority, Quantity, Role, WardKind};

/// A row of one of the six files.
pub trait Row: Sized {
    /// Name of the file.
    const FILE: &'static str;
    /// Columns that must be there, in any order.
    const COLUMNS: &'static [&'static str];
    /// Columns that may be there. Others are not looked at.
    const OPTIONAL: &'static [&'static str] = &[];

    /// Reads and checks what can be checked without other rows.
    ///
    /// # Errors
    /// The first [`Fault`] of the record.
    fn read(fields: &mut Fields<'_>) -> Result<Self, Fault>;

    /// What may stand only once in the file, and the column that is named if it does not.
    fn key(&self) -> (&'static str, String);
}

/// A place that holds stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WardRow {
    /// What people type: the key.
    pub code: String,
    /// What people read.
    pub name: String,
    /// Ward or pharmacy.
    pub kind: WardKind,
    /// IANA name of its time zone; empty: that of the configuration.
    pub time_zone: String,
}

impl Row for WardRow {
    const FILE: &'static str = "wards.csv";
    const COLUMNS: &'static [&'static str] = &["code", "name", "kind"];
    const OPTIONAL: &'static [&'static str] = &["time_zone"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Fault> {
        let time_zone = fields.text("time_zone", 64)?;
        if !time_zone.is_empty() && jiff::tz::TimeZone::get(&time_zone).is_err() {
            return Err(fields.fault("time_zone", Reason::NotAZone(time_zone)));
        }
        Ok(WardRow {
            code: fields.code("code")?,
            name: fields.required("name", 200)?,
            kind: fields.word("kind")?,
            time_zone,
        })
    }

    fn key(&self) -> (&'static str, String) {
        ("code", self.code.clone())
    }
}

/// A person who may sign in. How they prove who they are is not in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// What they type: the key.
    pub username: String,
    /// What others see.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Codes of the wards where they may act, space-separated; empty: everywhere. A code may itself hold a space, so
    /// only who knows the wards can tell them apart.
    pub wards: String,
}

impl Row for UserRow {
    const FILE: &'static str = "users.csv";
    const COLUMNS: &'static [&'static str] = &["username", "name", "role", "wards"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(UserRow {
            username: fields.code("username")?,
            name: fields.required("name", 200)?,
            role: fields.word("role")?,
            wards: fields.text("wards", 4000)?,
        })
    }

    fn key(&self) -> (&'static str, String) {
        ("username", self.username.clone())
    }
}

/// A patient and where they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientRow {
    /// Medical record number: the key.
    pub mrn: String,
    /// As in the record.
    pub name: String,
    /// Second identifier at the bedside.
    pub birth_date: Date,
    /// Code of the ward where they lie now.
    pub ward: String,
    /// May be empty.
    pub bed: String,
    /// Free text; `None`: the file has no such column and says nothing about them.
    pub allergies: Option<String>,
}

impl Row for PatientRow {
    const FILE: &'static str = "patients.csv";
    const COLUMNS: &'static [&'static str] = &["mrn", "name", "birth_date", "ward", "bed"];
    const OPTIONAL: &'static [&'static str] = &["allergies"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Fault> {
        let allergies = fields
            .has("allergies")
            .then(|| fields.text("allergies", 500))
            .transpose()?;
        Ok(PatientRow {
            mrn: fields.code("mrn")?,
            name: fields.required("name", 200)?,
            birth_date: fields.date("birth_date")?,
            ward: fields.code("ward")?,
            bed: fields.text("bed", 20)?,
            allergies,
        })
    }

    fn key(&self) -> (&'static str, String) {
        ("mrn", self.mrn.clone())
    }
}

/// A formulary entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrugRow {
    /// The formulary's own code: the key.
    pub code: String,
    /// Tall-man lettering is kept.
    pub name: String,
    /// Tablet, vial …
    pub form: String,
    /// `250mg Tablet`; may be empty.
    pub strength: String,
    /// The unit that is counted.
    pub unit: String,
    /// National drug code, as printed on the package; may be empty.
    pub ndc: String,
    /// A controlled drug.
    pub controlled: bool,
    /// A high-alert drug.
    pub high_alert: bool,
}

impl Row for DrugRow {
    const FILE: &'static str = "drugs.csv";
    const COLUMNS: &'static [&'static str] = &[
        "code",
        "name",
        "form",
        "strength",
        "unit",
        "ndc",
        "controlled",
        "high_alert",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(DrugRow {
            code: fields.required("code", 64)?,
            name: fields.required("name", 200)?,
            form: fields.text("form", 64)?,
            strength: fields.text("strength", 200)?,
            unit: fields.required("unit", 64)?,
            ndc: fields.text("ndc", 64)?,
            controlled: fields.flag("controlled")?,
            high_alert: fields.flag("high_alert")?,
        })
    }

    fn key(&self) -> (&'static str, String) {
        ("code", self.code.clone())
    }
}

/// What a ward holds of a drug when its register begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRow {
    /// Code of the ward; with `drug` the key.
    pub ward: String,
    /// Code of the drug.
    pub drug: String,
    /// Opening stock.
    pub quantity: Quantity,
    /// Low at or below this.
    pub low_stock_threshold: Quantity,
}

impl Row for StockRow {
    const FILE: &'static str = "stock.csv";
    const COLUMNS: &'static [&'static str] = &["ward", "drug", "quantity", "low_stock_threshold"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Fault> {
        Ok(StockRow {
            ward: fields.code("ward")?,
            drug: fields.required("drug", 64)?,
            quantity: fields.quantity("quantity")?,
            low_stock_threshold: fields.quantity("low_stock_threshold")?,
        })
    }

    fn key(&self) -> (&'static str, String) {
        ("drug", format!("{} {}", self.ward, self.drug))
    }
}

/// What a doctor ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrescriptionRow {
    /// The sending system's own key.
    pub id: String,
    /// Number of the patient.
    pub mrn: String,
    /// Code of the ward where it was written; its clock is meant by every local time.
    pub ward: String,
    /// Code of the drug.
    pub drug: String,
    /// The dose, or the least of a range; above zero.
    pub dose: Quantity,
    /// The most of a range; above `dose`.
    pub dose_max: Option<Quantity>,
    /// The dose as written where it is finer than stock can be counted, else empty.
    pub dose_text: String,
    /// The unit of the dose; must be the drug's.
    pub unit: String,
    /// How.
    pub route: String,
    /// As written; may be empty.
    pub frequency: String,
    /// Clock times of the ward.
    pub times: Vec<Time>,
    /// As needed.
    pub prn: bool,
    /// When it begins: local time of the ward.
    pub start: DateTime,
    /// When it ends: local time of the ward; `None`: until discontinued.
    pub stop: Option<DateTime>,
    /// Stat or routine.
    pub priority: Priority,
    /// User name of who wrote it.
    pub prescriber: String,
}

impl PrescriptionRow {
    fn dose_range(fields: &mut Fields<'_>) -> Result<(Quantity, Option<Quantity>, String), Fault> {
        let Some((dose, written)) = fields.dose("dose")? else {
            return Err(fields.fault("dose", Reason::Empty));
        };
        let Some((most, most_written)) = fields.dose("dose_max")? else {
            return Ok((dose, None, written));
        };
        if most < dose {
            let reason = Reason::RangeReversed {
                most: fields.text("dose_max", 64)?,
                least: dose,
            };
            return Err(fields.fault("dose_max", reason));
        }
        // Where either end was rounded, both are kept as written.
        let text = if written.is_empty() && most_written.is_empty() {
            String::new()
        } else {
            let (least, most) = (fields.text("dose", 64)?, fields.text("dose_max", 64)?);
            if least == most {
                least
            } else {
                format!("{least}-{most}")
            }
        };
        Ok((dose, Some(most).filter(|&most| most > dose), text))
    }
}

impl Row for PrescriptionRow {
    const FILE: &'static str = "prescriptions.csv";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "mrn",
        "ward",
        "drug",
        "dose",
        "dose_max",
        "unit",
        "route",
        "frequency",
        "times",
        "prn",
        "start",
        "stop",
        "priority",
        "prescriber",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Fault> {
        let (dose, dose_max, dose_text) = Self::dose_range(fields)?;
        let start = fields
            .moment("start")?
            .ok_or_else(|| fields.fault("start", Reason::Empty))?;
        let stop = fields.moment("stop")?;
        if stop.is_some_and(|stop| stop < start) {
            let written = fields.text("stop", 64)?;
            return Err(fields.fault("stop", Reason::StopsBeforeStart(written)));
        }
        Ok(PrescriptionRow {
            id: fields.required("id", 64)?,
            mrn: fields.code("mrn")?,
            ward: fields.code("ward")?,
            drug: fields.required("drug", 64)?,
            dose,
            dose_max,
            dose_text,
            unit: fields.required("unit", 64)?,
            route: fields.required("route", 64)?,
            frequency: fields.text("frequency", 200)?,
            times: fields.clock_times("times")?,
            prn: fields.flag("prn")?,
            start,
            stop,
            priority: fields.word("priority")?,
            prescriber: fields.code("prescriber")?,
        })
    }

    fn key(&self) -> (&'static str, String) {
        ("id", self.id.clone())
    }
}
