//! What was asked for, beside what was measured.

use crate::commands::End;
use crate::commands::output::say;

/// Figures with what they should be at most.
#[derive(Debug, Default)]
pub(super) struct Targets {
    rows: Vec<(String, f64, f64, &'static str)>,
}

impl Targets {
    /// `what` came to `value`, and should be at most `most`; `unit` is said behind both.
    pub(super) fn at_most(
        &mut self,
        what: impl Into<String>,
        value: f64,
        most: f64,
        unit: &'static str,
    ) {
        self.rows.push((what.into(), value, most, unit));
    }

    /// Prints all; with `check`, one that is missed is an error.
    pub(super) fn tell(&self, check: bool) -> anyhow::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        say!("{:<60} {:>14} {:>14}", "target", "measured", "at most")?;
        let mut missed = 0;
        for (what, value, most, unit) in &self.rows {
            // A figure that could not be measured is no number, and meets nothing.
            let met = value <= most;
            missed += usize::from(!met);
            say!(
                "{what:<60} {:>14} {:>14}  {}",
                format!("{} {unit}", number(*value)),
                format!("{} {unit}", number(*most)),
                if met { "met" } else { "MISSED" }
            )?;
        }
        if check && missed > 0 {
            return Err(End::Failed.into());
        }
        Ok(())
    }
}

/// A whole number as such, another with as many places as say something.
fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_measured_is_missed() {
        let mut targets = Targets::default();
        targets.at_most("a", 1.0, 1.0, "ms");
        assert!(targets.tell(true).is_ok());
        targets.at_most("b", f64::NAN, 1.0, "ms");
        assert!(targets.tell(false).is_ok());
        assert!(targets.tell(true).is_err());
    }

    #[test]
    fn numbers_say_what_they_know() {
        assert_eq!(number(2196.0), "2196");
        assert_eq!(number(0.436), "0.44");
        assert_eq!(number(12.34), "12.3");
    }
}
