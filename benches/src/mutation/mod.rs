//! Mutations, against the same work by hand.
//!
//! | module | |
//! |---|---|
//! | `comment` | a comment is added: the documents of three views change |
//! | `author` | an author with 10,000 posts is renamed |
//! | `proxy` | counts statements, and delays messages as a network does |

mod author;
mod comment;
mod proxy;

use fraiseql_runtime::Capture;

/// Options of `mutation`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    author: author::Options,
    #[command(flatten)]
    comment: comment::Options,
    /// Measure one of the two changes only.
    #[arg(long)]
    only: Option<Change>,
    /// Who says what was changed: the mutation, or triggers.
    #[arg(long, default_value = "off")]
    capture: CaptureMode,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Change {
    Comment,
    Author,
}

/// [`Capture`], as an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum CaptureMode {
    Off,
    Queue,
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

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let capture = options.capture.into();
    if options.only != Some(Change::Author) {
        comment::run(&options.comment, capture, options.json).await?;
    }
    if options.only != Some(Change::Comment) {
        author::run(&options.author, capture, options.json).await?;
    }
    Ok(())
}
