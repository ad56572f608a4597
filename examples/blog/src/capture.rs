//! `--capture`: who says which rows were changed.

use clap::ValueEnum;
use fraiseql_runtime::Capture;

/// Who says which rows of base tables were changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CaptureMode {
    /// The commands, by marks. A row that is changed in psql is repaired within an hour.
    Off,
    /// Triggers: a row that is changed in psql is in its document a moment later. Commands need no marks.
    #[default]
    Queue,
    /// Triggers: a row that is changed in psql is in its document with its commit.
    AtCommit,
}

impl From<CaptureMode> for Capture {
    fn from(mode: CaptureMode) -> Self {
        match mode {
            CaptureMode::Off => Self::Off,
            CaptureMode::Queue => Self::Queue,
            CaptureMode::AtCommit => Self::AtCommit,
        }
    }
}
