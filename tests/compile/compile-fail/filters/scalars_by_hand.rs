//! A type whose `Scalar` is written by hand has no operators before they are written, too.

use fraiseql_runtime::scalar::{JsonEncoding, ScalarType};
use fraiseql_runtime::{Scalar, TView};
use serde::{Deserialize as _, Deserializer, Serializer};

struct Flags(String);

impl Scalar for Flags {
    const TYPE: ScalarType = ScalarType::new("bit(4)", JsonEncoding::Native, "Flags");

    fn serialize_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }

    fn deserialize_json<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self)
    }
}

#[derive(TView)]
struct Post {
    id: i64,
    #[tview(filter)]
    flags: Flags,
}

fn main() {
    let _ = Post::FLAGS.eq(Flags("0110".to_owned()));
}
