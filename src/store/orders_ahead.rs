//! Orders made ahead of their time, from prescriptions.
