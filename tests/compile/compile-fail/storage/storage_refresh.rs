use fraiseql_runtime::TView;

#[derive(TView)]
#[tview(refresh = "5m")]
struct Stored {
    id: i64,
}

#[derive(TView)]
#[tview(storage = "matview", refresh = "5")]
struct NoUnit {
    id: i64,
}

#[derive(TView)]
#[tview(storage = "matview", refresh = "0s")]
struct Never {
    id: i64,
}

#[derive(TView)]
#[tview(storage = "matview", refresh = "1.5h")]
struct Fraction {
    id: i64,
}

#[derive(TView)]
#[tview(storage = "matview", refresh = "400d")]
struct Long {
    id: i64,
}

fn main() {}
