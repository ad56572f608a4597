use fraiseql_runtime::Embed;

#[derive(Embed)]
pub union Bits {
    pub int: u32,
    pub float: f32,
}

fn main() {}
