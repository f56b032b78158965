//! The cupboard's commands: transfers, what is taken out and set right, counts, lots, the register, levels.

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use uuid::Uuid;

use super::{Asking, Page, quantity, received};
use crate::domain::Quantity;
use crate::domain::cupboard::{Lot, Resolution, expiry};

/// One drug in one ward.
#[derive(Debug, Clone, Args)]
pub struct At {
    /// The ward's code.
    #[arg(long)]
    pub ward: String,
    /// The drug's formulary code.
    #[arg(long)]
    pub drug: String,
}

/// Why: a code of the list for it ('valmed config' shows them), and words where it says too little.
#[derive(Debug, Clone, Args)]
pub struct Why {
    /// A code of its list; 'valmed config' shows them.
    #[arg(long, value_name = "CODE")]
    pub reason: String,
    /// What else there is to say.
    #[arg(long, default_value = "")]
    pub text: String,
}

/// Who saw it.
#[derive(Debug, Clone, Args)]
pub struct Seen {
    /// Who saw it and signs too (their user name).
    #[arg(long, value_name = "USER")]
    pub witness: Option<String>,
}

/// What stands on a package.
#[derive(Debug, Clone, Args)]
pub struct Package {
    /// The lot that stands on the package.
    #[arg(long, value_name = "LOT", requires = "expires")]
    pub lot: Option<String>,
    /// The last day on which it may be used, such as 2027-03-31; of a month such as 2027-03 it is the last.
    #[arg(long, value_name = "DATE", requires = "lot", value_parser = expiry)]
    pub expires: Option<Date>,
}

impl Package {
    /// The lot, if one was named.
    pub fn named(self) -> Option<Lot> {
        let (lot, expires_on) = self.lot.zip(self.expires)?;
        Some(Lot {
            lot: lot.trim().to_owned(),
            expires_on,
        })
    }
}

fn day(text: &str) -> Result<Date, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is not a day such as 2027-03-31"))
}

/// `valmed transfer …`
#[derive(Debug, Subcommand)]
pub enum Transfer {
    /// Send stock to another ward: it leaves the source and is on its way.
    Send {
        /// From where (the ward's code).
        #[arg(long, value_name = "WARD")]
        from: String,
        /// To where (the ward's code).
        #[arg(long, value_name = "WARD")]
        to: String,
        /// The drug's formulary code.
        #[arg(long)]
        drug: String,
        /// How much, in the drug's stock unit.
        #[arg(long, value_parser = received, allow_negative_numbers = true)]
        quantity: Quantity,
        /// What else there is to say.
        #[arg(long, default_value = "")]
        note: String,
        /// Who saw it.
        #[command(flatten)]
        seen: Seen,
        /// Who asks.
        #[command(flatten)]
        asking: Asking,
    },
    /// Take a transfer in at its destination. What is missing becomes a discrepancy, which stays open until it is
    /// resolved.
    Receive {
        /// The transfer's id.
        transfer: Uuid,
        /// How much of it is there [default: all of it]; 0: none of it came.
        #[arg(long, value_parser = quantity, allow_negative_numbers = true)]
        quantity: Option<Quantity>,
        /// Who saw it.
        #[command(flatten)]
        seen: Seen,
        /// Who asks.
        #[command(flatten)]
        asking: Asking,
    },
    /// Answer for what is missing of a transfer.
    Resolve {
        /// The discrepancy's id.
        discrepancy: Uuid,
        /// returned: back in the source's stock; found: at the destination after all; lost: written off, with a reason
        /// and a witness.
        #[arg(long)]
        how: How,
        /// A code of the list 'discrepancy'; needed for what is lost.
        #[arg(long, value_name = "CODE", default_value = "")]
        reason: String,
        /// What else there is to say.
        #[arg(long, default_value = "")]
        text: String,
        /// Who saw it.
        #[command(flatten)]
        seen: Seen,
        /// Who asks.
        #[command(flatten)]
        asking: Asking,
    },
    /// List transfers, newest first.
    List(Transfers),
}

/// What became of what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum How {
    /// Back in the source's stock.
    Returned,
    /// At the destination after all.
    Found,
    /// Written off.
    Lost,
}

impl From<How> for Resolution {
    fn from(how: How) -> Resolution {
        match how {
            How::Returned => Resolution::Returned,
            How::Found => Resolution::Found,
            How::Lost => Resolution::Lost,
        }
    }
}

/// `valmed transfer list`
#[derive(Debug, Args)]
pub struct Transfers {
    /// From this ward or to it (its code).
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub ward: Option<String>,
    /// From this ward.
    #[arg(long, value_name = "WARD")]
    pub from: Option<String>,
    /// To this ward.
    #[arg(long, value_name = "WARD")]
    pub to: Option<String>,
    /// Of this drug (its code).
    #[arg(long)]
    pub drug: Option<String>,
    /// Sent on this day or later.
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub since: Option<Date>,
    /// Sent on this day or earlier.
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub until: Option<Date>,
    /// Which page.
    #[command(flatten)]
    pub page: Page,
}

/// `valmed return`, `valmed waste`
#[derive(Debug, Args)]
pub struct TakeOut {
    /// Where, and of what.
    #[command(flatten)]
    pub at: At,
    /// How much, in the drug's stock unit.
    #[arg(long, value_parser = received, allow_negative_numbers = true)]
    pub quantity: Quantity,
    /// From this lot; what is expired or recalled is taken out by name [default: as for giving, soonest expiry first].
    #[arg(long, value_name = "LOT")]
    pub lot: Option<String>,
    /// Why.
    #[command(flatten)]
    pub why: Why,
    /// Who saw it.
    #[command(flatten)]
    pub seen: Seen,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed adjust`
#[derive(Debug, Args)]
pub struct Adjust {
    /// Where, and of what.
    #[command(flatten)]
    pub at: At,
    /// By how much: 5 is more, -5 is less.
    #[arg(long, value_parser = signed, allow_negative_numbers = true)]
    pub by: Quantity,
    /// Of this lot.
    #[arg(long, value_name = "LOT")]
    pub lot: Option<String>,
    /// Why.
    #[command(flatten)]
    pub why: Why,
    /// Who saw it.
    #[command(flatten)]
    pub seen: Seen,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

fn signed(text: &str) -> Result<Quantity, String> {
    let text = text.trim();
    match text.strip_prefix('-') {
        Some(less) => quantity(less).map(|quantity| -quantity),
        None => quantity(text.strip_prefix('+').unwrap_or(text)),
    }
}

/// `valmed count …`
#[derive(Debug, Subcommand)]
pub enum Count {
    /// What there is to count in a ward, with the register row that each count will be about; not what the register says.
    Start {
        /// The ward's code.
        #[arg(long)]
        ward: String,
        /// Only controlled drugs.
        #[arg(long)]
        controlled: bool,
        /// Only what lies on this shelf.
        #[arg(long)]
        shelf: Option<String>,
        /// How to print it.
        #[command(flatten)]
        list: super::Format,
    },
    /// Say what was counted. Where it differs it has to be counted again, and where it differs again, explained.
    Enter {
        /// Where, and of what.
        #[command(flatten)]
        at: At,
        /// What was counted, in the drug's stock unit.
        #[arg(long, value_parser = quantity, allow_negative_numbers = true)]
        counted: Quantity,
        /// The register row that 'count start' showed [default: the one it has now].
        #[arg(long, value_name = "ROW")]
        seq: Option<i64>,
        /// Who saw it.
        #[command(flatten)]
        seen: Seen,
        /// Who asks.
        #[command(flatten)]
        asking: Asking,
    },
    /// Explain a difference that was counted twice: it is booked.
    Explain {
        /// The discrepancy's id.
        discrepancy: Uuid,
        /// Why.
        #[command(flatten)]
        why: Why,
        /// Who saw it.
        #[command(flatten)]
        seen: Seen,
        /// Who asks.
        #[command(flatten)]
        asking: Asking,
    },
    /// Answer for a difference of a count (supervisors). One that nobody explained is closed as a mistake in counting.
    Resolve {
        /// The discrepancy's id.
        discrepancy: Uuid,
        /// Why.
        #[command(flatten)]
        why: Why,
        /// Who saw it.
        #[command(flatten)]
        seen: Seen,
        /// Who asks.
        #[command(flatten)]
        asking: Asking,
    },
    /// List counts of a ward, newest first.
    List {
        /// The ward's code.
        #[arg(long)]
        ward: String,
        /// Which page.
        #[command(flatten)]
        page: Page,
    },
}

/// `valmed discrepancies`
#[derive(Debug, Args)]
pub struct Discrepancies {
    /// Only in this ward (its code).
    #[arg(long)]
    pub ward: Option<String>,
    /// Resolved ones too, newest first [default: what waits, the oldest first].
    #[arg(long)]
    pub all: bool,
    /// Which page.
    #[command(flatten)]
    pub page: Page,
}

/// `valmed lots …`
#[derive(Debug, Subcommand)]
pub enum Lots {
    /// List the lots of a ward, soonest expiry first.
    List {
        /// The ward's code.
        #[arg(long)]
        ward: String,
        /// Which page (go on after DRUG:LOT:DATE).
        #[command(flatten)]
        page: Page,
    },
    /// What was taken from a lot and put into it: who got it, and where it is.
    Who {
        /// The drug's formulary code.
        #[arg(long)]
        drug: String,
        /// Its name.
        #[arg(long)]
        lot: String,
        /// Which page (go on after WARD:ROW).
        #[command(flatten)]
        page: Page,
    },
}

/// `valmed recall`
#[derive(Debug, Args)]
pub struct Recall {
    /// The drug's formulary code.
    #[arg(long)]
    pub drug: String,
    /// Its name.
    #[arg(long)]
    pub lot: String,
    /// Who recalls it, and why.
    #[arg(long)]
    pub reason: String,
    /// Who asks.
    #[command(flatten)]
    pub asking: Asking,
}

/// `valmed register`
#[derive(Debug, Args)]
pub struct Register {
    /// Where, and of what.
    #[command(flatten)]
    pub at: At,
    /// As a page to print, of so many columns (80 to 200).
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(80..=200))]
    pub print: Option<u16>,
    /// Which page: the newest rows, or those before row --after.
    #[command(flatten)]
    pub page: Page,
}

/// `valmed levels …`
#[derive(Debug, Subcommand)]
pub enum Levels {
    /// What a ward should hold of each drug, and what it does.
    List {
        /// The ward's code.
        #[arg(long)]
        ward: String,
        /// How to print it.
        #[command(flatten)]
        list: super::Format,
    },
    /// What a ward is short of or will be, by how long it lasts for the doses in its queue.
    Low {
        /// The ward's code.
        #[arg(long)]
        ward: String,
        /// How to print it.
        #[command(flatten)]
        list: super::Format,
    },
    /// Say what a ward should hold of a drug; what is not named stays as it is.
    Set {
        /// Where, and of what.
        #[command(flatten)]
        at: At,
        /// Low at or below this.
        #[arg(long, value_parser = quantity, allow_negative_numbers = true)]
        threshold: Option<Quantity>,
        /// What it is filled up to; 0: it is not filled up.
        #[arg(long, value_parser = quantity, allow_negative_numbers = true)]
        par: Option<Quantity>,
        /// Where it lies.
        #[arg(long)]
        shelf: Option<String>,
        /// Who asks.
        #[command(flatten)]
        asking: Asking,
    },
}

/// `valmed replenish`
#[derive(Debug, Args)]
pub struct Replenish {
    /// Which ward is filled up (its code).
    #[arg(long)]
    pub ward: String,
    /// From where (the ward's code).
    #[arg(long, value_name = "WARD")]
    pub from: String,
    /// Send it: each drug as a transfer of its own, in the name of this person. Without it, the list is only shown.
    #[arg(id = "actor", long = "send-as", value_name = "USER")]
    pub send_as: Option<String>,
    /// How to print it.
    #[command(flatten)]
    pub list: super::Format,
}

/// `valmed where`
#[derive(Debug, Args)]
pub struct Where {
    /// The drug's formulary code.
    #[arg(long, required_unless_present = "order")]
    pub drug: Option<String>,
    /// The drug of this order.
    #[arg(long, conflicts_with = "drug")]
    pub order: Option<Uuid>,
    /// How to print it.
    #[command(flatten)]
    pub list: super::Format,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_and_more_are_read_with_their_signs() {
        assert_eq!(signed("-0.5"), Ok(Quantity(-500)));
        assert_eq!(signed("+2"), Ok(Quantity(2000)));
        assert_eq!(signed("2"), Ok(Quantity(2000)));
        for text in ["--2", "-", "+-1", "a"] {
            assert!(signed(text).is_err(), "{text}");
        }
    }
}
