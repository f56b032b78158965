//! Writing emergency accesses and their ends: rare, so each is a statement of its own.

use crate::domain::decide::Effects;
use crate::store::error::changed;
use crate::store::{At, Link, StoreError};

/// Writes those that begin and those that end; an end finds its access as it was loaded, or the batch is tried again.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn write(mut link: Link<'_>, effects: &Effects) -> Result<(), StoreError> {
    let begin = "INSERT INTO emergency_accesses \
                 (id, user_id, ward_id, reason_code, reason, started_at, until_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)";
    for access in &effects.emergencies {
        let written = execute!(
            link.lend(),
            begin,
            access.id,
            access.user,
            access.ward,
            access.reason.code.as_str(),
            access.reason.text.as_str(),
            At::from(access.started),
            At::from(access.until)
        )?;
        changed("emergency access", written, 1)?;
    }
    let end = "UPDATE emergency_accesses SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at = $4";
    for ending in &effects.emergency_ends {
        let written = execute!(
            link.lend(),
            end,
            ending.id,
            At::from(ending.at),
            ending.by,
            At::from(ending.was_until)
        )?;
        changed("end of an emergency access", written, 1)?;
    }
    Ok(())
}
